use std::{fs, io::Write as _};

use ::zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;

fn opened(bytes: &[u8]) -> Result<Option<Archive>, BatchError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    fs::write(&path, bytes).unwrap();
    Archive::open(&path)
}

fn told(archive: &Archive) -> Vec<(&str, Result<u64, String>)> {
    let told = |entry: &Entry| match &entry.kind {
        Ok(EntryKind::File(size)) => Ok(size.get()),
        Ok(kind) => Err(format!("{kind:?}")),
        Err(why) => Err((*why).to_owned()),
    };
    archive.entries().iter().map(|entry| (entry.path.to_str().unwrap(), told(entry))).collect()
}

fn content(archive: &Archive, name: &str) -> io::Result<Buffer> {
    let entry = archive.entries().iter().find(|entry| entry.path == Path::new(name)).unwrap();
    let Ok(EntryKind::File(size)) = entry.kind else { panic!("{entry:?}") };
    archive.read(entry.place, size)
}

/// A header as `tar` writes it, whatever the name is.
fn tar_entry(tar: &mut Vec<u8>, name: &str, data: &[u8], kind: u8) {
    let mut header = [0u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend(header);
    tar.extend(data);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

#[test]
fn a_tar_is_read_where_it_lies() {
    let mut tar = Vec::new();
    tar_entry(&mut tar, "./b/two.txt", b"old", b'0');
    tar_entry(&mut tar, "a.txt", b"one", b'0');
    tar_entry(&mut tar, "b/", b"", b'5');
    tar_entry(&mut tar, "b/two.txt", &[7; 1000], b'0');
    tar_entry(&mut tar, "link", b"", b'2');
    tar_entry(&mut tar, "../out.txt", b"x", b'0');
    tar_entry(&mut tar, "/etc/passwd", b"x", b'0');
    let whole = [&tar[..], &[0; 1024]].concat();
    let archive = opened(&whole).unwrap().unwrap();
    let wanted = [
        ("/etc/passwd", Err("its name is absolute".to_owned())),
        ("../out.txt", Err("its name leads out of the archive".to_owned())),
        ("a.txt", Ok(3)),
        ("b/two.txt", Ok(1000)),
        ("link", Err("Special".to_owned())),
    ];
    assert_eq!(told(&archive), wanted);
    assert_eq!(content(&archive, "a.txt").unwrap(), "one");
    assert_eq!(content(&archive, "b/two.txt").unwrap(), vec![7; 1000], "the last of its name");
}

#[test]
fn a_damaged_tar_has_what_stands_before_the_damage() {
    let mut tar = Vec::new();
    tar_entry(&mut tar, "a.txt", b"one", b'0');
    let good = tar.len();
    tar_entry(&mut tar, "b.txt", &[7; 5000], b'0');
    tar[good + 148] = b'9';
    let archive = opened(&tar).unwrap().unwrap();
    let entries = told(&archive);
    assert_eq!(entries.last(), Some(&("a.txt", Ok(3))));
    assert!(entries[0].0 == "(damaged)" && entries[0].1.is_err(), "{entries:?}");
    // Cut anywhere: no panic, and no bytes that are not there.
    tar[good + 148] = b'0';
    for cut in (512..tar.len()).step_by(97) {
        let Ok(Some(archive)) = opened(&tar[..cut]) else { continue };
        for entry in archive.entries() {
            if let Ok(EntryKind::File(size)) = entry.kind {
                let read = archive.read(entry.place, size);
                assert!(read.is_err() || read.unwrap().len() as u64 == size.get(), "{cut}");
            }
        }
    }
}

fn zipped(entries: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, data, method) in entries {
        let options = SimpleFileOptions::default().compression_method(*method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_zip_is_read_by_its_directory() {
    let data = [b'x'; 5000];
    let zip = zipped(&[
        ("b\\two.txt", &data, CompressionMethod::Deflated),
        ("a.txt", b"one", CompressionMethod::Stored),
    ]);
    assert!(zip.len() < 1000);
    let archive = opened(&zip).unwrap().unwrap();
    assert_eq!(told(&archive), [("a.txt", Ok(3)), ("b/two.txt", Ok(5000))]);
    assert_eq!(content(&archive, "b/two.txt").unwrap(), &data[..]);
    assert_eq!(content(&archive, "a.txt").unwrap(), "one");
}

#[test]
fn what_a_zip_says_of_itself_is_not_believed() {
    let zip = zipped(&[("bomb", &[0; 1 << 20], CompressionMethod::Deflated)]);
    // The size in the directory (APPNOTE 4.3.12): a hundred bytes, and a gigabyte.
    let entry = zip.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    for said in [100u32, 1 << 30] {
        let mut lying = zip.clone();
        lying[entry + 24..entry + 28].copy_from_slice(&said.to_le_bytes());
        if let Ok(Some(archive)) = opened(&lying) {
            assert!(content(&archive, "bomb").is_err(), "{said}");
        }
    }
    // Any byte may be another: no panic, no endless memory.
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..2_000 {
        let mut lying = zip.clone();
        for _ in 0..3 {
            let place = random.usize(..lying.len());
            lying[place] = random.u8(..);
        }
        let Ok(Some(archive)) = opened(&lying) else { continue };
        for entry in archive.entries() {
            if let Ok(EntryKind::File(size)) = entry.kind
                && size.get() <= 2 << 20
            {
                let _ = archive.read(entry.place, size);
            }
        }
    }
}

#[test]
fn what_is_no_archive_is_none_and_what_is_packed_twice_says_so() {
    assert!(opened(b"").unwrap().is_none());
    assert!(opened(b"\xff\xd8\xff\xe0 a photo").unwrap().is_none());
    for packed in [&b"\x1f\x8b\x08\0..."[..], b"\x28\xb5\x2f\xfd..."] {
        let error = opened(packed).err().unwrap().to_string();
        assert!(error.contains("unpack it"), "{error}");
    }
    assert!(opened(b"PK\x03\x04 and no directory").is_err());
    assert!(opened(&zipped(&[])).unwrap().unwrap().entries().is_empty());
}
