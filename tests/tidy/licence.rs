//! deny.toml's licences and bans, held on `cargo metadata`: for machines without cargo-deny.

use std::{collections::BTreeSet, path::Path, process::Command};

/// What deny.toml says.
pub struct Rules {
    /// SPDX licence ids that may enter, `ID WITH EXCEPTION` included.
    pub allow: BTreeSet<String>,
    /// Licences that may enter with one crate alone: its name and they.
    pub exceptions: Vec<(String, BTreeSet<String>)>,
    /// Crates that may not.
    pub bans: Vec<Ban>,
}

/// A crate that may not enter, but for those that wrap it.
pub struct Ban {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Packages that may use it all the same.
    pub wrappers: Vec<String>,
}

/// A package of the dependency tree.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its SPDX expression; empty if it states none.
    pub licence: String,
    /// Where it comes from; empty for our own.
    pub source: String,
    /// The packages that use it.
    pub used_by: Vec<String>,
}

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

impl Rules {
    /// From a file.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("deny.toml");
        let table: toml::Table = text.parse().expect("deny.toml is TOML");
        let strings = |value: &toml::Value| value.as_str().expect("a string").to_owned();
        let allow = table["licenses"]["allow"].as_array().expect("a list of licences");
        let bans = table["bans"]["deny"].as_array().expect("a list of bans");
        let exceptions = table["licenses"].get("exceptions").and_then(toml::Value::as_array);
        let exception = |entry: &toml::Value| {
            let allow = entry["allow"].as_array().expect("a list of licences");
            (strings(&entry["crate"]), allow.iter().map(strings).collect())
        };
        Self {
            allow: allow.iter().map(strings).collect(),
            exceptions: exceptions.map_or(Vec::new(), |list| list.iter().map(exception).collect()),
            bans: bans
                .iter()
                .map(|ban| Ban {
                    name: strings(&ban["crate"]),
                    reason: strings(&ban["reason"]),
                    wrappers: ban
                        .get("wrappers")
                        .and_then(toml::Value::as_array)
                        .map_or(Vec::new(), |list| list.iter().map(strings).collect()),
                })
                .collect(),
        }
    }

    /// What is wrong with a package, for people.
    pub fn judge(&self, package: &Package) -> Option<String> {
        let Package { name, version, licence, source, used_by } = package;
        if let Some(ban) = self.bans.iter().find(|ban| ban.name == *name)
            && (used_by.is_empty() || used_by.iter().any(|user| !ban.wrappers.contains(user)))
        {
            return Some(format!("{name} {version} is banned: {}", ban.reason));
        }
        if !source.is_empty() && source != REGISTRY {
            return Some(format!("{name} {version} comes from {source}"));
        }
        let mut allow = self.allow.clone();
        let own = self.exceptions.iter().filter(|(excepted, _)| excepted == name);
        allow.extend(own.flat_map(|(_, licences)| licences.iter().cloned()));
        match permitted(licence, &allow) {
            Some(true) => None,
            Some(false) => Some(format!("{name} {version}: licence {licence} is not permitted")),
            None => {
                Some(format!("{name} {version}: licence `{licence}` is not an SPDX expression"))
            }
        }
    }
}

/// Every package that a build or a test on this machine uses.
pub fn packages(root: &Path) -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Only this platform's packages are sure to be there without a network.
    let output = Command::new(cargo)
        .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform"])
        .arg(host())
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = metadata["resolve"]["nodes"].as_array().expect("a dependency graph");
    let used: BTreeSet<String> = nodes.iter().map(|node| text(&node["id"])).collect();
    let packages = metadata["packages"].as_array().expect("packages");
    let name_of = |id: &str| {
        packages.iter().find(|package| package["id"] == id).map(|package| text(&package["name"]))
    };
    let users = |id: &serde_json::Value| -> Vec<String> {
        let uses = |node: &&serde_json::Value| {
            node["dependencies"].as_array().is_some_and(|list| list.contains(id))
        };
        nodes.iter().filter(uses).filter_map(|node| name_of(&text(&node["id"]))).collect()
    };
    packages
        .iter()
        .filter(|package| used.contains(&text(&package["id"])))
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: text(&package["license"]),
            source: text(&package["source"]),
            used_by: users(&package["id"]),
        })
        .collect()
}

/// The platform's triple.
fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("rustc names its host").to_owned()
}

/// Whether an SPDX expression can be met with `allow` alone; `None` if it is no expression. The old
/// form `A/B` means `A OR B`.
fn permitted(expression: &str, allow: &BTreeSet<String>) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let result = either(&words, &mut at, allow)?;
    (at == words.len()).then_some(result)
}

fn either(words: &[&str], at: &mut usize, allow: &BTreeSet<String>) -> Option<bool> {
    let mut result = both(words, at, allow)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        result |= both(words, at, allow)?;
    }
    Some(result)
}

fn both(words: &[&str], at: &mut usize, allow: &BTreeSet<String>) -> Option<bool> {
    let mut result = single(words, at, allow)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        result &= single(words, at, allow)?;
    }
    Some(result)
}

fn single(words: &[&str], at: &mut usize, allow: &BTreeSet<String>) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let result = either(words, at, allow)?;
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return closed.then_some(result);
    }
    if matches!(word, ")" | "AND" | "OR" | "WITH") {
        return None;
    }
    if words.get(*at) == Some(&"WITH") {
        let exception = words.get(*at + 1)?;
        *at += 2;
        return Some(allow.contains(&format!("{word} WITH {exception}")));
    }
    Some(allow.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow() -> BTreeSet<String> {
        ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into()
    }

    #[test]
    fn expressions_are_understood() {
        let cases = [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT OR GPL-3.0-only", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("(MIT OR Apache-2.0) AND IJG", Some(false)),
            ("MIT OR Apache-2.0 AND IJG", Some(true)),
            ("MIT/Apache-2.0", Some(true)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("Apache-2.0 WITH Other-exception", Some(false)),
            ("", None),
            ("(MIT", None),
            ("MIT MIT", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(permitted(expression, &allow()), expected, "{expression}");
        }
    }

    #[test]
    fn a_bad_package_is_named() {
        let rules = Rules {
            allow: allow(),
            exceptions: vec![("weak".into(), ["MPL-2.0".to_owned()].into())],
            bans: vec![Ban {
                name: "cee".into(),
                reason: "it is C".into(),
                wrappers: vec!["worker".into()],
            }],
        };
        let package = |name: &str, licence: &str, source: &str| Package {
            name: name.into(),
            version: "1.0.0".into(),
            licence: licence.into(),
            source: source.into(),
            used_by: Vec::new(),
        };
        assert_eq!(rules.judge(&package("fine", "MIT", REGISTRY)), None);
        let said = |package| rules.judge(&package).unwrap_or_default();
        assert!(said(package("cee", "MIT", REGISTRY)).contains("banned: it is C"));
        assert!(
            said(package("copyleft", "AGPL-3.0", REGISTRY)).contains("AGPL-3.0 is not permitted")
        );
        assert_eq!(said(package("weak", "MPL-2.0", REGISTRY)), "");
        assert!(said(package("other", "MPL-2.0", REGISTRY)).contains("MPL-2.0 is not permitted"));
        assert!(said(package("stray", "MIT", "git+https://example.com/x")).contains("comes from"));
        assert!(said(package("silent", "", REGISTRY)).contains("not an SPDX expression"));
    }
}
