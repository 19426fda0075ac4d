//! Where a result goes.

use std::path::{Path, PathBuf};

use bytes::Bytes as Buffer;

use crate::{
    batch::write,
    model::{MediaType, Report},
    service::request::Content,
};

use super::{Failure, args::is_dash, request::Input, term::Screen};

/// The result as bytes and the extension that it goes by.
pub fn bytes_of(content: &Content, report: &Report) -> Result<(Buffer, String), Failure> {
    match content {
        Content::MmsPdu(data) => Ok((data.clone(), "mms".to_owned())),
        Content::Mime(data) => Ok((data.clone(), "eml".to_owned())),
        Content::Bare { data, .. } => {
            let after = report.parts.first().and_then(|part| part.after.as_ref());
            let medium = after.map_or(MediaType::OCTETS, |info| info.media_type.clone());
            Ok((data.clone(), medium.extension().unwrap_or("bin").to_owned()))
        }
        Content::Parts { .. } => Err(Failure::internal(
            "FORM_WITHOUT_FILE",
            "the result came as a list of parts, which has no file form",
        )),
    }
}

/// The file that `-o` means: a directory keeps the input's name.
pub fn target(output: &Path, input: &Input, extension: &str) -> Result<PathBuf, Failure> {
    let slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    let target = if output.is_dir() || slash {
        let whole = matches!(input.content, Content::MmsPdu(_) | Content::Mime(_));
        let name = Path::new(&input.file_name);
        output.join(if whole { name.to_owned() } else { name.with_extension(extension) })
    } else {
        output.to_owned()
    };
    if let Ok(there) = target.canonicalize()
        && input.paths.iter().any(|path| path.canonicalize().is_ok_and(|path| path == there))
    {
        let why = "the result would overwrite the input";
        return Err(Failure::usage("OUTPUT_IS_INPUT", why).about(&target.to_string_lossy()));
    }
    Ok(target)
}

/// Writes the result to where `-o` says; returns the file's name.
pub fn write(
    output: &Path,
    input: &Input,
    content: &Content,
    report: &Report,
    screen: &Screen,
) -> Result<String, Failure> {
    let (bytes, extension) = bytes_of(content, report)?;
    if is_dash(output) {
        screen.out_bytes(&bytes)?;
        return Ok("-".to_owned());
    }
    let target = target(output, input, &extension)?;
    write_file(&target, &bytes)?;
    Ok(target.to_string_lossy().into_owned())
}

/// A file that appears whole or not at all, with the directories above it.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent),
        _ => Ok(()),
    };
    // Pipes and devices (/dev/null) are written into, not replaced.
    let special = std::fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
    written
        .and_then(
            |()| {
                if special { std::fs::write(path, bytes) } else { write::whole(path, bytes) }
            },
        )
        .map_err(|error| Failure::write(&path.to_string_lossy(), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(path: &Path, content: Content) -> Input {
        Input {
            title: String::new(),
            file_name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            paths: vec![path.to_owned()],
            content,
        }
    }

    #[test]
    fn directories_keep_the_name_and_take_the_new_extension() {
        let dir = tempfile::tempdir().unwrap();
        let photo = Content::Bare { data: Buffer::new(), name: String::new() };
        let photo = input(Path::new("x/photo.png"), photo);
        assert_eq!(target(dir.path(), &photo, "jpg").unwrap(), dir.path().join("photo.jpg"));
        assert_eq!(target(Path::new("new/"), &photo, "jpg").unwrap(), Path::new("new/photo.jpg"));
        assert_eq!(target(Path::new("a.b"), &photo, "jpg").unwrap(), Path::new("a.b"));
        let message = input(Path::new("x/m.bin"), Content::MmsPdu(Buffer::new()));
        assert_eq!(target(dir.path(), &message, "mms").unwrap(), dir.path().join("m.bin"));
    }

    #[test]
    fn the_input_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.mms");
        std::fs::write(&path, b"x").unwrap();
        let message = input(&path, Content::MmsPdu(Buffer::new()));
        assert_eq!(target(dir.path(), &message, "mms").unwrap_err().exit_code(), 2);
        assert_eq!(target(&path, &message, "mms").unwrap_err().exit_code(), 2);
    }
}
