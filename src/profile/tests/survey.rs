//! All further documents of the corpus, where they are: each resolves or is refused by type, and
//! how many each rule and repair touches.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Shelf;
use crate::{
    model::{Fault, VideoCodec},
    profile::{DeviceDescription, parse, resolve},
};

/// Documents of a directory, or of the archive beside it.
fn documents() -> Option<Vec<(String, Vec<u8>)>> {
    let root = std::env::var_os("MMSFIT_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    let mut all = in_directory(&root.join("uaprof"))?;
    all.extend(in_archive(&root.join("uaprof-more.tar.xz"))?);
    Some(all)
}

fn in_directory(path: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let entries = std::fs::read_dir(path).ok()?;
    let read = |path: PathBuf| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        Some((name, std::fs::read(path).ok()?))
    };
    Some(entries.filter_map(|entry| read(entry.ok()?.path())).collect())
}

/// `tar` unpacks: a reader of our own would be for one test.
fn in_archive(path: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let file = std::fs::File::open(path).ok()?;
    let mut unpack = Command::new("tar")
        .args(["-xJ", "--to-command", "printf '%s %s\\n' \"$TAR_SIZE\" \"$TAR_FILENAME\"; cat"])
        .stdin(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut bytes = Vec::new();
    unpack.stdout.take()?.read_to_end(&mut bytes).ok()?;
    unpack.wait().ok().filter(|status| status.success())?;
    let mut found = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let (head, tail) = rest.split_at(end);
        let head = String::from_utf8_lossy(head);
        let (size, name) = head.split_once(' ')?;
        let size: usize = size.parse().ok()?;
        found.push((name.to_owned(), tail.get(1..=size)?.to_vec()));
        rest = tail.get(1 + size..)?;
    }
    Some(found)
}

#[test]
fn issue_17_every_further_document_resolves_or_is_refused_by_type() {
    let Some(files) = documents() else {
        return crate::need::missing("corpus", "the archive of further device documents");
    };
    let mut table: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |what: String| *table.entry(what).or_default() += 1;
    let (mut resolved, mut refused, mut stating) = (0, 0, 0);
    for (name, bytes) in &files {
        let device =
            DeviceDescription { uaprof_xml: Some(bytes.clone().into()), ..Default::default() };
        let (c, repairs) = match resolve(&device, None, &Shelf::default()) {
            Ok(resolution) => (resolution.capabilities, resolution.repairs),
            Err(error) => {
                refused += 1;
                count(format!("refused  {}", error.reason()));
                continue;
            }
        };
        resolved += 1;
        assert!(!c.accept.is_empty() && !c.charsets.is_empty(), "{name}");
        let repairs: BTreeSet<String> =
            repairs.iter().map(|r| format!("repair   {:?} {}", r.code, r.attribute)).collect();
        repairs.into_iter().for_each(&mut count);
        for (what, attribute) in [
            ("size", &c.max_message_bytes.provenance.attribute),
            ("bounds", &c.max_image.provenance.attribute),
            ("types", &c.accept.provenance.attribute),
            ("chroma", &c.jpeg_full_chroma.provenance.attribute),
            ("scans", &c.jpeg_progressive.provenance.attribute),
            ("video", &c.video.provenance.attribute),
            ("audio", &c.audio.provenance.attribute),
        ] {
            for rule in attribute.split(" + ") {
                count(format!("{what:8} {rule}"));
            }
        }
        let profile = parse(bytes).unwrap();
        let lists = [&profile.streams, &profile.mms_accept, &profile.browser_accept];
        let states = lists.into_iter().flatten().any(|item| item.contains("h264"));
        let screen = c.screen.as_ref().map_or(0, |screen| screen.longest());
        let h264 = c.video.iter().find(|one| one.codec == VideoCodec::H264);
        if screen >= 480 && states {
            stating += 1;
            let bounds = h264.map(|one| one.max_dimensions);
            let enough = bounds.is_some_and(|b| b.width() >= 320 && b.height() >= 240);
            assert!(enough || c.video.is_empty(), "{name}: {bounds:?}");
            count(format!("screen of 480 that states H.264: {bounds:?}"));
        }
    }
    for (what, number) in &table {
        println!("{number:>6}  {what}");
    }
    println!("{resolved} resolved, {refused} refused, {stating} of 480 px and more state H.264");
    assert_eq!(resolved + refused, files.len());
}
