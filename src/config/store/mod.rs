//! Devices and carriers by name: what is built in, and what the operator's directories add or
//! override. Implements [`ProfileStore`].

mod agents;
mod mirror;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use bytes::Bytes as Buffer;
use include_dir::{Dir, include_dir};

use self::{
    agents::{Rules, UrlMeans},
    mirror::Mirror,
};
use super::{Config, ConfigError, read_bytes, read_text};
use crate::{
    model::nearest::nearest,
    profile::{self, Defaults, Profile, ProfileStore, StoredProfile, carrier::Carrier},
};

static DEVICES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/profiles/devices");
static CARRIERS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/profiles/carriers");

/// The file with User-Agent rules in a directory of devices.
const AGENTS: &str = "user-agents.toml";
/// Device documents beyond this are not read.
const MAX_DOCUMENT: u64 = 1 << 20;

/// One device document of the store.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name: the file's without `.xml`, lower case.
    pub id: String,
    /// Whether it is built in.
    pub embedded: bool,
    /// What it claims.
    pub profile: Arc<Profile>,
    xml: Buffer,
}

/// All devices, User-Agent rules and carriers.
#[derive(Clone, Debug, Default)]
pub struct Store {
    devices: BTreeMap<String, Device>,
    rules: Rules,
    carriers: BTreeMap<String, Carrier>,
    networks: HashMap<String, String>,
    mirror: Option<Mirror>,
    defaults: Defaults,
}

impl Store {
    /// What is built in, shared.
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: LazyLock<Arc<Store>> = LazyLock::new(|| {
            // Tests read every embedded file through the same door.
            Arc::new(Store::built_in().expect("the embedded files are valid (tested)"))
        });
        Arc::clone(&EMBEDDED)
    }

    /// What is built in with the directories of `config` over it.
    ///
    /// # Errors
    /// A directory or file that cannot be read or used, by name.
    pub fn load(config: &Config) -> Result<Self, ConfigError> {
        let mut store = Self::clone(&Self::embedded());
        store.defaults = config.defaults.clone();
        store.mirror = match &config.uaprof_mirror_dir {
            Some(dir) => Some(Mirror::open(dir)?),
            None => None,
        };
        for dir in &config.devices_dirs {
            store.add_devices_dir(dir)?;
        }
        for dir in &config.carriers_dirs {
            for path in files(dir, "toml")? {
                store.add_carrier(&path, &read_text(&path)?)?;
            }
        }
        store.check()?;
        Ok(store)
    }

    fn built_in() -> Result<Self, ConfigError> {
        let mut store = Self::default();
        for file in DEVICES.files().filter(|file| has_extension(file.path(), "xml")) {
            store.add_device(file.path(), Buffer::from_static(file.contents()), true)?;
        }
        if let Some(text) = DEVICES.get_file(AGENTS).and_then(|file| file.contents_utf8()) {
            store.rules = agents::parse(Path::new(AGENTS), text)?;
        }
        for file in CARRIERS.files().filter(|file| has_extension(file.path(), "toml")) {
            store.add_carrier(file.path(), file.contents_utf8().unwrap_or(""))?;
        }
        store.check()?;
        Ok(store)
    }

    fn add_devices_dir(&mut self, dir: &Path) -> Result<(), ConfigError> {
        for path in files(dir, "xml")? {
            self.add_device(&path, read_bytes(&path, MAX_DOCUMENT)?.into(), false)?;
        }
        let path = dir.join(AGENTS);
        if path.is_file() {
            // The operator's rules are asked first.
            self.rules.prepend(agents::parse(&path, &read_text(&path)?)?);
        }
        Ok(())
    }

    fn add_device(&mut self, path: &Path, xml: Buffer, embedded: bool) -> Result<(), ConfigError> {
        let id = stem(path);
        let profile = profile::parse(&xml).map_err(|error| document(path, error.to_string()))?;
        let device = Device { id: id.clone(), embedded, profile: Arc::new(profile), xml };
        self.devices.insert(id, device);
        Ok(())
    }

    fn add_carrier(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let carrier =
            Carrier::parse(&stem(path), text).map_err(|error| document(path, error.to_string()))?;
        // What an overridden carrier claimed is no longer claimed.
        self.networks.retain(|_, name| *name != carrier.name);
        for code in &carrier.mcc_mnc {
            self.networks.insert(code.replace('-', ""), carrier.name.clone());
        }
        self.carriers.insert(carrier.name.clone(), carrier);
        Ok(())
    }

    /// Names that refer to nothing.
    fn check(&self) -> Result<(), ConfigError> {
        let known = |id: &str| self.devices.contains_key(&id.to_ascii_lowercase());
        let agents = self.rules.agents.iter().map(|rule| (&rule.name, &rule.device, &rule.file));
        let urls = self.rules.urls.iter().filter_map(|rule| match &rule.means {
            UrlMeans::Device(device) => Some((&rule.name, device, &rule.file)),
            UrlMeans::Agent(_) => None,
        });
        if let Some((name, device, file)) = agents.chain(urls).find(|(_, id, _)| !known(id)) {
            return Err(document(file, format!("rule {name}: no device `{device}`")));
        }
        for carrier in self.carriers.values() {
            if let Some(id) = carrier.default_device.as_deref().filter(|id| !known(id)) {
                let path = PathBuf::from(format!("{}.toml", carrier.name));
                return Err(document(&path, format!("default_device: no device `{id}`")));
            }
        }
        Ok(())
    }

    /// All devices, by name.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values()
    }

    /// All carriers, by name.
    pub fn carriers(&self) -> impl Iterator<Item = &Carrier> {
        self.carriers.values()
    }

    /// A carrier by name or by `MCC-MNC` (`311-480`, `311480`).
    pub fn carrier(&self, name: &str) -> Option<&Carrier> {
        let name = name.trim().to_ascii_lowercase();
        self.carriers.get(&name).or_else(|| {
            let code: String = name.chars().filter(char::is_ascii_digit).collect();
            let only_code =
                name.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' ' | '/'));
            let by_code = self.networks.get(&code).filter(|_| only_code);
            by_code.and_then(|name| self.carriers.get(name))
        })
    }

    /// Carriers whose names are near `name`.
    pub fn suggest_carriers(&self, name: &str) -> Vec<String> {
        nearest(name, self.carriers.keys().map(String::as_str))
    }

    /// The names of the User-Agent rules with their devices, in the order they are asked.
    pub fn user_agent_rules(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.agents.iter().map(|rule| (rule.name.as_str(), rule.device.as_str()))
    }
}

impl ProfileStore for Store {
    fn by_id(&self, id: &str) -> Option<StoredProfile> {
        let device = self.devices.get(&id.trim().to_ascii_lowercase())?;
        Some(StoredProfile { id: device.id.clone(), xml: device.xml.clone() })
    }

    fn by_url(&self, url: &str) -> Option<StoredProfile> {
        let xml = self.mirror.as_ref()?.read(url)?;
        Some(StoredProfile { id: url.to_owned(), xml: xml.into() })
    }

    fn by_user_agent(&self, user_agent: &str) -> Option<(StoredProfile, String)> {
        let rule = self.rules.agents.iter().find(|rule| rule.matches(user_agent))?;
        Some((self.by_id(&rule.device)?, rule.name.clone()))
    }

    fn by_known_url(&self, url: &str) -> Option<(StoredProfile, String)> {
        let url = profile::comparable_url(url);
        self.rules.urls.iter().find_map(|rule| match rule.read(&url)? {
            UrlMeans::Device(id) => Some((self.by_id(&id)?, rule.name.clone())),
            UrlMeans::Agent(agent) => {
                let (stored, by) = self.by_user_agent(&agent)?;
                Some((stored, format!("{}, {by}", rule.name)))
            }
        })
    }

    fn suggest(&self, id: &str) -> Vec<String> {
        nearest(id, self.devices.keys().map(String::as_str))
    }

    fn parsed(&self, id: &str) -> Option<Arc<Profile>> {
        self.devices.get(id).map(|device| Arc::clone(&device.profile))
    }

    fn defaults(&self) -> Defaults {
        self.defaults.clone()
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension))
}

/// The files of a directory with an extension, by name. Directories in it are not entered.
fn files(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, ConfigError> {
    let error =
        |e: std::io::Error| ConfigError::Read { path: dir.to_path_buf(), message: e.to_string() };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.is_file() && has_extension(&path, extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn document(path: &Path, message: String) -> ConfigError {
    ConfigError::Document { path: path.to_path_buf(), message }
}
