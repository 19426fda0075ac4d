//! Sources in their order of precedence (DESIGN §7); each attribute takes the first that states
//! it, so a document that lacks one attribute still counts for the others.

use std::sync::Arc;

use super::{
    DeviceDescription, Fetched, ProfileError, ProfileStore, Resolution, StoredProfile,
    av::Codecs,
    claims::{Claim, Claims, Layer},
    diff, header,
    repairs::Repairs,
    rules::DeviceFacts,
    uaprof::{self, Profile},
};
use crate::model::{
    AcceptList, Bytes, Capabilities, Provenance, RepairCode, Source, Sourced, VideoSupport,
};

/// Resolves a description. `carrier_default` names the store document of the carrier's default
/// class, used when the description says nothing usable.
///
/// # Errors
/// An unknown `device_id`; in strict mode a malformed document or diff in the request; a document
/// that is no profile where it is the only description given. A bad document otherwise never
/// fails a message: it falls back by rule, visibly.
pub fn resolve(
    device: &DeviceDescription,
    carrier_default: Option<&str>,
    store: &dyn ProfileStore,
) -> Result<Resolution, ProfileError> {
    let mut repairs = Repairs::default();
    let mut stack = Vec::new();
    if let Some(inline) = &device.inline {
        let claims = Claims::of_inline(inline, &mut repairs);
        stack.push(Layer { source: Source::Inline, document: String::new(), claims });
    }

    let mut documents =
        Documents { store, repairs: &mut repairs, found: Vec::new(), known_urls: Vec::new() };
    documents.request(device)?;
    documents.by_id(device.device_id.as_deref())?;
    documents.by_url(device.uaprof_url.as_deref(), &device.fetched);
    // What a diff refers to: the document that comes first, not a guess from the User-Agent.
    let base = documents.found.first().map(|(_, _, profile)| Arc::clone(profile));
    documents.by_rules(device);
    let found = documents.found;

    let diffs = read_diffs(device, &mut repairs)?;
    if !diffs.is_empty() {
        let merged = diff::merge(&diffs, base.as_deref());
        let claims = Claims::of_profile(&merged, &mut repairs);
        stack.push(Layer { source: Source::ProfileDiff, document: String::new(), claims });
    }
    for (source, document, profile) in found {
        let claims = Claims::of_profile(&profile, &mut repairs);
        stack.push(Layer { source, document, claims });
    }
    let mut default = None;
    if let Some(id) = carrier_default {
        match store.by_id(id).map(|stored| load(store, &stored)) {
            Some(Ok(profile)) => {
                let claims = Claims::of_profile(&profile, &mut repairs);
                let document = id.to_owned();
                default = Some(Layer { source: Source::CarrierDefault, document, claims });
            }
            _ => repairs.add(RepairCode::FellBack, "carrier_default", id),
        }
    }
    let types = default.as_ref().and_then(|layer| layer.claims.accept.as_ref());
    let types = match types {
        Some(Claim(types, _)) => types.spellings().to_vec(),
        None => store.defaults().accept,
    };
    let claims = Claims::of_headers(&device.accept, &types, &mut repairs);
    stack.push(Layer { source: Source::Accept, document: String::new(), claims });
    stack.extend(default);
    let capabilities = combine(&stack, store, &mut repairs);
    Ok(Resolution { capabilities, repairs: repairs.into_vec() })
}

/// The documents found so far, in order of precedence.
struct Documents<'a> {
    store: &'a dyn ProfileStore,
    repairs: &'a mut Repairs,
    found: Vec<(Source, String, Arc<Profile>)>,
    /// Documents by rules for URLs, with the rule.
    known_urls: Vec<(StoredProfile, String)>,
}

impl Documents<'_> {
    fn request(&mut self, device: &DeviceDescription) -> Result<(), ProfileError> {
        let Some(xml) = &device.uaprof_xml else { return Ok(()) };
        match uaprof::parse(xml) {
            Ok(profile) => {
                let profile = if device.strict { profile.strict()? } else { profile };
                self.repairs.extend(&profile.repairs);
                if !profile.is_usable() {
                    self.repairs.add(RepairCode::FellBack, "uaprof_xml", "claims nothing usable");
                }
                self.found.push((Source::Uaprof, String::new(), Arc::new(profile)));
                Ok(())
            }
            Err(error) if device.strict || is_alone(device) => Err(error),
            Err(error) => {
                self.repairs.add(RepairCode::FellBack, "uaprof_xml", &error.to_string());
                Ok(())
            }
        }
    }

    fn by_id(&mut self, id: Option<&str>) -> Result<(), ProfileError> {
        let Some(id) = id.map(str::trim).filter(|id| !id.is_empty()) else { return Ok(()) };
        let Some(stored) = self.store.by_id(id) else {
            let suggestions = self.store.suggest(id);
            return Err(ProfileError::UnknownDevice {
                id: id.chars().take(80).collect(),
                suggestions,
            });
        };
        self.push(Source::DeviceId, stored, None, "device_id");
        Ok(())
    }

    /// Documents in the order given: all are Locked, so the first that states a value binds.
    /// What lies in the operator's mirror is not asked for elsewhere.
    fn by_url(&mut self, url: Option<&str>, fetched: &[Fetched]) {
        let Some(header) = url.map(str::trim).filter(|url| !url.is_empty()) else { return };
        let urls = header::profile_urls(header);
        if urls.is_empty() {
            self.repairs.add(RepairCode::FellBack, "uaprof_url", header);
        }
        for url in urls {
            if let Some(stored) = self.store.by_url(&url) {
                self.push(Source::UaprofUrl, stored, Some(&url), "uaprof_url");
                continue;
            }
            if self.by_fetched(&url, fetched) {
                continue;
            }
            if let Some(known) = self.store.by_known_url(&url) {
                self.known_urls.push(known);
            } else {
                self.repairs.add(RepairCode::FellBack, "uaprof_url", &url);
            }
        }
    }

    /// Whether the document of a URL was fetched.
    fn by_fetched(&mut self, url: &str, fetched: &[Fetched]) -> bool {
        match fetched.iter().find(|fetched| fetched.url == url).map(|fetched| &fetched.document) {
            Some(Ok(profile)) => {
                self.repairs.extend(&profile.repairs);
                self.found.push((Source::UaprofUrl, url.to_owned(), Arc::clone(profile)));
                true
            }
            Some(Err(why)) => {
                self.repairs.add(RepairCode::NotFetched, "uaprof_url", &format!("{why}: {url}"));
                false
            }
            None => false,
        }
    }

    /// What rules tell: a model by its URL, then the User-Agent, then a URL that names no more than
    /// a class, as that of all Androids does.
    fn by_rules(&mut self, device: &DeviceDescription) {
        let known = std::mem::take(&mut self.known_urls);
        let (classes, models): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|(stored, _)| stored.id.starts_with("generic-"));
        let push = |documents: &mut Self, (stored, rule): (StoredProfile, String)| {
            let document = format!("{} (rule {rule})", stored.id);
            documents.push(Source::UaprofUrl, stored, Some(&document), "uaprof_url");
        };
        models.into_iter().for_each(|known| push(self, known));
        self.by_user_agent(device.user_agent.as_deref());
        classes.into_iter().for_each(|known| push(self, known));
    }

    fn by_user_agent(&mut self, user_agent: Option<&str>) {
        let Some(agent) = user_agent.map(str::trim).filter(|agent| !agent.is_empty()) else {
            return;
        };
        match self.store.by_user_agent(agent) {
            Some((stored, rule)) => {
                let document = format!("{} (rule {rule})", stored.id);
                self.push(Source::UserAgent, stored, Some(&document), "user_agent");
            }
            None => self.repairs.add(RepairCode::FellBack, "user_agent", agent),
        }
    }

    fn push(&mut self, source: Source, stored: StoredProfile, name: Option<&str>, field: &str) {
        match load(self.store, &stored) {
            Ok(profile) => {
                self.repairs.extend(&profile.repairs);
                let document = name.map_or(stored.id, str::to_owned);
                self.found.push((source, document, profile));
            }
            Err(error) => self.repairs.add(RepairCode::FellBack, field, &error.to_string()),
        }
    }
}

fn load(store: &dyn ProfileStore, stored: &StoredProfile) -> Result<Arc<Profile>, ProfileError> {
    match store.parsed(&stored.id) {
        Some(profile) => Ok(profile),
        None => uaprof::parse(&stored.xml).map(Arc::new),
    }
}

/// Whether the document in the request is all that is said of the device.
fn is_alone(device: &DeviceDescription) -> bool {
    let blank = |text: &Option<String>| text.as_deref().is_none_or(|t| t.trim().is_empty());
    device.inline.is_none()
        && device.profile_diffs.is_empty()
        && blank(&device.device_id)
        && blank(&device.uaprof_url)
        && blank(&device.user_agent)
        && device.accept.accept.is_empty()
        && device.accept.accept_charset.is_empty()
}

/// Diffs beyond this are ignored: a device sends one.
const MAX_DIFFS: usize = 16;

fn read_diffs(
    device: &DeviceDescription,
    repairs: &mut Repairs,
) -> Result<Vec<Profile>, ProfileError> {
    let mut diffs = Vec::new();
    if device.profile_diffs.len() > MAX_DIFFS {
        let raw = format!("{} diffs", device.profile_diffs.len());
        repairs.add(RepairCode::CapReached, "profile_diff", &raw);
    }
    for bytes in device.profile_diffs.iter().take(MAX_DIFFS) {
        match diff::parse(bytes) {
            Ok(profile) => {
                let profile = if device.strict { profile.strict()? } else { profile };
                repairs.extend(&profile.repairs);
                diffs.push(profile);
            }
            Err(error) if device.strict => return Err(error),
            Err(error) => repairs.add(RepairCode::FellBack, "profile_diff", &error.to_string()),
        }
    }
    Ok(diffs)
}

fn combine(stack: &[Layer], store: &dyn ProfileStore, repairs: &mut Repairs) -> Capabilities {
    fn first<T: Clone>(
        stack: &[Layer],
        pick: impl Fn(&Claims) -> &Option<Claim<T>>,
    ) -> Option<Sourced<T>> {
        stack
            .iter()
            .find_map(|layer| pick(&layer.claims).as_ref().map(|claim| layer.sourced(claim)))
    }
    let defaults = store.defaults();
    let rule = Provenance::default_rule;
    let (vendor, model) =
        stack.iter().find_map(|layer| layer.claims.vendor_model.clone()).unwrap_or_default();
    let max_message_bytes: Sourced<Bytes> = first(stack, |c| &c.max_message_bytes)
        .unwrap_or_else(|| Sourced::new(defaults.max_message_bytes, rule("default-message-size")));
    let max_image = first(stack, |c| &c.max_image)
        .unwrap_or_else(|| Sourced::new(defaults.max_image, rule("default-image-box")));
    let accept: Sourced<AcceptList> = first(stack, |c| &c.accept).unwrap_or_else(|| {
        Sourced::new(AcceptList::from_spellings(&defaults.accept), rule("default-accept"))
    });
    let described = stack
        .iter()
        .any(|layer| matches!(layer.source, Source::Uaprof | Source::DeviceId | Source::UaprofUrl));
    if described && accept.provenance.source == Source::Default {
        repairs.add(RepairCode::FellBack, "MmsCcppAccept", "no media types are claimed");
    }
    let charsets = first(stack, |c| &c.charsets)
        .unwrap_or_else(|| Sourced::new(defaults.charsets, rule("default-charsets")));
    let screen = first(stack, |c| &c.screen);
    let bits_per_pixel = first(stack, |c| &c.bits_per_pixel)
        .unwrap_or_else(|| Sourced::new(24, rule("default-bits-per-pixel")));
    let content_classes =
        stack.iter().find_map(|layer| layer.claims.content_classes.clone()).unwrap_or_default();
    let mms_version =
        stack.iter().find_map(|layer| layer.claims.mms_version.clone()).unwrap_or_default();
    let platform = stack.iter().find_map(|layer| layer.claims.platform.clone()).unwrap_or_default();
    let of_documents = |layer: &&Layer| layer.source != Source::Inline;
    let stated_bytes = stack
        .iter()
        .filter(of_documents)
        .find_map(|layer| layer.claims.max_message_bytes.as_ref().map(|claim| claim.0));
    let described = stack.iter().any(|layer| is_description(layer.source));
    let facts = DeviceFacts {
        platform: &platform,
        described,
        stated_bytes,
        max_image: &max_image,
        screen: screen.as_ref().map(|screen| screen.value),
        bits_per_pixel: bits_per_pixel.value,
        accept: &accept.value,
        content_classes: &content_classes,
        mms_version: &mms_version,
    };
    let jpeg_full_chroma =
        first(stack, |c| &c.jpeg_full_chroma).unwrap_or_else(|| facts.full_chroma());
    let jpeg_progressive =
        first(stack, |c| &c.jpeg_progressive).unwrap_or_else(|| facts.progressive());
    let video = video(&facts, first(stack, |c| &c.codecs));
    let audio = facts.audio(&video.value);
    Capabilities {
        vendor,
        model,
        suppress_adaptation: first(stack, |c| &c.suppress)
            .unwrap_or_else(|| Sourced::new(false, rule("default-adapt"))),
        max_message_bytes,
        max_image,
        screen,
        bits_per_pixel,
        accept,
        charsets,
        content_classes,
        mms_version,
        jpeg_full_chroma,
        jpeg_progressive,
        video,
        audio,
    }
}

/// Whether it speaks of this very device.
fn is_description(source: Source) -> bool {
    matches!(
        source,
        Source::ProfileDiff
            | Source::Uaprof
            | Source::DeviceId
            | Source::UaprofUrl
            | Source::UserAgent
    )
}

/// Video, with the attribute and every rule that it comes by.
fn video(facts: &DeviceFacts<'_>, codecs: Option<Sourced<Codecs>>) -> Sourced<Vec<VideoSupport>> {
    let decided = facts.video(codecs.as_ref().map(|codecs| &codecs.value));
    let mut provenance = match codecs {
        Some(stated) if decided.by_statement => stated.provenance,
        _ => Provenance::default_rule(""),
    };
    for rule in decided.rules {
        if provenance.attribute.is_empty() {
            rule.clone_into(&mut provenance.attribute);
        } else {
            provenance.attribute.push_str(" + rule:");
            provenance.attribute.push_str(rule);
        }
    }
    Sourced::new(decided.video, provenance)
}
