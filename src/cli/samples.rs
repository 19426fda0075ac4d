//! `mmsfit demo-samples`: files to try everything with.

use std::path::Path;

use crate::{message::Form, model::MediaType, samples, service::Service};

use super::{Failure, output, safe::safe, slides, term::Screen};

/// Writes media, and messages around them.
pub fn run(_service: &Service, dir: &Path, screen: &Screen) -> Result<u8, Failure> {
    let made = |error: samples::SampleError| Failure::internal("SAMPLES", error.to_string());
    let mut media = Vec::new();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        output::write_file(&path, bytes)?;
        screen.out(&format!("{}\n", safe(&path.to_string_lossy())))
    };
    for (name, medium, make) in samples::DEMO.into_iter().chain(samples::MOVING) {
        let data = make().map_err(made)?;
        write(name, &data)?;
        media.push((name.to_owned(), medium, data));
    }
    for (name, medium, make) in samples::ALBUM {
        media.push((name.to_owned(), medium, make().map_err(made)?));
    }
    let text = "Greetings from the seaside! 🌊 Weather fine, ice cream better.\n";
    media.push(("hello.txt".to_owned(), MediaType::TEXT, text.into()));
    let pick = |names: &[&str]| {
        let chosen = names.iter().filter_map(|name| media.iter().find(|(n, ..)| n == name));
        slides::message(chosen.cloned().collect())
    };
    let album = ["photo.jpg", "hello.txt", "evening.jpg", "morning.jpg"];
    for (name, form, names) in [
        ("text.mms", Form::MmsPdu, &["hello.txt"][..]),
        ("album.mms", Form::MmsPdu, &album),
        ("holiday.mms", Form::MmsPdu, &["hello.txt", "clip.avi", "voice.wav"]),
        // As MIME travels between operators: every byte in base64.
        ("album.eml", Form::Mime, &album),
    ] {
        write(name, &samples::message(pick(names), form).map_err(made)?)?;
    }
    Ok(0)
}
