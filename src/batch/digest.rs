//! Digests: of contents in full, of names and keys in as many bits as tell a billion apart.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The same of a file, a block at a time.
///
/// # Errors
/// The system's.
pub fn of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = [0; 64 << 10];
    loop {
        match file.read(&mut block)? {
            0 => break,
            n => hasher.update(block.get(..n).unwrap_or_default()),
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// 64 bits of SHA-256: the same in every build and on every machine, as shards and names need.
pub fn of(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// 128 bits of SHA-256: enough to take contents for the same that have the same.
pub fn wide(bytes: &[u8]) -> u128 {
    let digest = Sha256::digest(bytes);
    digest.iter().take(16).fold(0, |value, byte| value << 8 | u128::from(*byte))
}

/// The first 32 bits of SHA-256 in hexadecimal, for file names.
pub fn short(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).get(..4).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_of_one_digest() {
        // FIPS 180-4: SHA-256 of "abc" begins with ba7816bf8f01cfea.
        assert!(sha256(b"abc").starts_with("ba7816bf8f01cfea"));
        assert_eq!(of(b"abc"), 0xba78_16bf_8f01_cfea);
        assert_eq!(wide(b"abc") >> 64, 0xba78_16bf_8f01_cfea);
        assert_eq!(short(b"abc"), "ba7816bf");
    }
}
