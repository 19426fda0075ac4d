//! Options and files to a request. Decides only by which entry point a file enters.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use bytes::Bytes as Buffer;

use crate::{
    message::{Form, PartData},
    model::{Bytes, ContentClass, Interface},
    profile::{AcceptHeaders, DeviceDescription},
    service::{
        Service,
        detect::{self, Kind},
        request::{AdaptRequest, Content, LimitOverrides},
    },
};

use super::{
    Failure,
    args::{DeviceArgs, InputArgs, LimitArgs, is_dash},
    slides,
};

/// What was read, ready to be asked for.
#[derive(Debug)]
pub struct Input {
    /// For messages to people: the path, or how many.
    pub title: String,
    /// The file name that an output gets by default, with the extension of its input.
    pub file_name: String,
    /// The paths, standard input left out.
    pub paths: Vec<PathBuf>,
    /// The content.
    pub content: Content,
}

/// Reads the inputs and judges by content what they are.
pub fn read_inputs(service: &Service, args: &InputArgs) -> Result<Input, Failure> {
    let limit = service.config().max_request_bytes;
    let mut files = Vec::new();
    let mut left = limit;
    for path in &args.inputs {
        let data = read_file(path, left)?;
        left = left.saturating_sub(Bytes::of(&data));
        files.push((path, detect::kind(&data), data));
    }
    let title = match files.as_slice() {
        [(path, ..)] => title(path),
        _ => format!("{} files", files.len()),
    };
    let paths = args.inputs.iter().filter(|path| !is_dash(path)).cloned().collect();
    let file_name = files.first().map_or_else(|| "message".to_owned(), |(path, ..)| name_of(path));
    let input = |content| Input { title: title.clone(), file_name, paths, content };

    if let [(_, kind, data)] = files.as_slice() {
        match kind {
            Kind::Pdu if !args.bare => return Ok(input(Content::MmsPdu(data.clone()))),
            Kind::Mime if !args.bare => return Ok(input(Content::Mime(data.clone()))),
            _ => {}
        }
    }
    let mut media = Vec::new();
    for (path, kind, data) in files {
        let about = |failure: Failure| failure.about(&self::title(path));
        match kind {
            Kind::Medium(medium) if args.bare && !Kind::Medium(medium.clone()).is_playable() => {
                let why = format!("--bare takes an image, audio or video, this is {medium}");
                return Err(about(Failure::input("NOT_A_MEDIUM", why)));
            }
            Kind::Medium(medium) => media.push((path, medium, data)),
            Kind::Pdu | Kind::Mime if args.bare => {
                let why = format!("--bare takes a media file, this is {}", kind.in_words());
                return Err(about(Failure::input("NOT_A_MEDIUM", why)));
            }
            Kind::Pdu | Kind::Mime => {
                let why = format!(
                    "{} must be the only input, it cannot be one of several",
                    kind.in_words()
                );
                return Err(about(Failure::usage("ONE_MESSAGE_AT_A_TIME", why)));
            }
            Kind::Profile | Kind::Empty | Kind::Unknown => {
                let why =
                    format!("this is {}, neither a message nor a media file", kind.in_words());
                return Err(about(Failure::input("NOT_MESSAGE_OR_MEDIUM", why)));
            }
        }
    }
    if args.bare {
        return match <[_; 1]>::try_from(media) {
            Ok([(path, _, data)]) => Ok(input(Content::Bare { data, name: name_of(path) })),
            Err(media) => {
                let why = format!("--bare takes one media file, not {}", media.len());
                Err(Failure::usage("BARE_NEEDS_ONE_MEDIUM", why))
            }
        };
    }
    let parts: Vec<PartData> = slides::message(
        media.into_iter().map(|(path, medium, data)| (name_of(path), medium, data)).collect(),
    );
    Ok(input(Content::Parts { headers: Vec::new(), parts }))
}

/// How a path is called in messages.
pub fn title(path: &Path) -> String {
    if is_dash(path) { "stdin".to_owned() } else { path.to_string_lossy().into_owned() }
}

fn name_of(path: &Path) -> String {
    match path.file_name() {
        Some(name) if !is_dash(path) => name.to_string_lossy().into_owned(),
        _ => "message".to_owned(),
    }
}

/// A whole file, or standard input, of at most `limit`.
pub fn read_file(path: &Path, limit: Bytes) -> Result<Buffer, Failure> {
    let mut data = Vec::new();
    let mut read = |source: &mut dyn io::Read| {
        source.take(limit.get().saturating_add(1)).read_to_end(&mut data)
    };
    let result = if is_dash(path) {
        read(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| read(&mut file))
    };
    result.map_err(|error| Failure::read(path, &error))?;
    if Bytes::of(&data) > limit {
        let why = format!("larger than a request may be ({limit})");
        return Err(Failure::input("REQUEST_TOO_LARGE", why).about(&title(path)));
    }
    Ok(data.into())
}

/// The request of `adapt`, `plan` and `batch run`.
pub fn build(
    content: Content,
    device: &DeviceArgs,
    limits: &LimitArgs,
) -> Result<AdaptRequest, Failure> {
    let built = matches!(content, Content::Parts { .. });
    let mut request = AdaptRequest::new(content);
    request.device = describe(device)?;
    request.carrier = limits.carrier.clone();
    request.sender = limits.sender;
    request.interface = limits.interface;
    request.limits = LimitOverrides {
        max_message_bytes: limits.max_bytes,
        max_image_width: limits.max_image.map(|bounds| bounds.width()),
        max_image_height: limits.max_image.map(|bounds| bounds.height()),
        image_turns: true,
        replace: limits.replace_limits,
        client_max_bytes: None,
    };
    request.effort = limits.effort.into();
    if built {
        // A message built here has no form of its own: it takes that of the way it will go.
        request.output_form = Some(match limits.interface {
            Some(Interface::Mm4 | Interface::Mm7) => Form::Mime,
            Some(Interface::Mm1) | None => Form::MmsPdu,
        });
    }
    Ok(request)
}

/// Every class has a document of its name in the store.
pub fn class_device(class: ContentClass) -> String {
    format!("class-{class}")
}

/// The device as it was described.
fn describe(args: &DeviceArgs) -> Result<DeviceDescription, Failure> {
    let mut device = DeviceDescription {
        user_agent: args.user_agent.clone(),
        accept: AcceptHeaders { accept: args.accept.clone(), accept_charset: Vec::new() },
        strict: args.strict,
        ..DeviceDescription::default()
    };
    if let Some(class) = args.class {
        device.device_id = Some(class_device(class));
        return Ok(device);
    }
    if let Some(named) = &args.device {
        let path = Path::new(named);
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        if named.contains("://") {
            device.uaprof_url = Some(named.clone());
        } else if named.contains('/')
            || path.is_file()
            || matches!(extension.as_deref(), Some("xml" | "rdf"))
        {
            device.uaprof_xml = Some(read_file(path, LARGEST_PROFILE)?);
        } else {
            device.device_id = Some(named.clone());
        }
    }
    Ok(device)
}

/// Real profiles have 2 to 30 kB.
const LARGEST_PROFILE: Bytes = Bytes::new(4 << 20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_by_id_file_or_url() {
        let describe_as = |device: &str| {
            describe(&DeviceArgs { device: Some(device.into()), ..DeviceArgs::default() })
        };
        assert_eq!(describe_as("nokia-6600").unwrap().device_id.as_deref(), Some("nokia-6600"));
        assert!(describe_as("http://x/y.xml").unwrap().uaprof_url.is_some());
        assert_eq!(describe_as("no/such.xml").unwrap_err().exit_code(), 3);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("profile");
        std::fs::write(&path, b"<x/>").unwrap();
        assert!(describe_as(path.to_str().unwrap()).unwrap().uaprof_xml.is_some());
    }

    #[test]
    fn built_messages_take_the_form_of_their_way() {
        let parts = || Content::Parts { headers: Vec::new(), parts: Vec::new() };
        let mut limits = LimitArgs::default();
        let form = |limits: &LimitArgs, content| {
            build(content, &DeviceArgs::default(), limits).unwrap().output_form
        };
        assert_eq!(form(&limits, parts()), Some(Form::MmsPdu));
        limits.interface = Some(Interface::Mm4);
        assert_eq!(form(&limits, parts()), Some(Form::Mime));
        assert_eq!(form(&limits, Content::MmsPdu(Buffer::new())), None);
    }
}
