//! The file of clients: who may call, by the hash of a token.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::{ConfigError, read_text};
use crate::model::Bytes;

/// A client as its operator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEntry {
    /// Its name, for logs.
    pub name: String,
    /// SHA-256 of its token.
    pub token_sha256: [u8; 32],
    /// The carriers that it may name; empty: all of them.
    pub carriers: Vec<String>,
    /// Calls at once at most. Default: 1024.
    pub max_calls: usize,
    /// Bytes on the wire of a message that it gets back, whatever it asks for; `None`: what device,
    /// carrier and request say.
    pub max_message_bytes: Option<Bytes>,
    /// Bytes of the message in one of its requests; `None`: what all may send.
    pub max_request_bytes: Option<Bytes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    clients: BTreeMap<String, Entry>,
}

/// `[clients.NAME]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// In hexadecimal: whoever reads the file cannot call.
    token_sha256: String,
    #[serde(default)]
    carriers: Vec<String>,
    max_calls: Option<usize>,
    max_message_bytes: Option<Size>,
    max_request_bytes: Option<Size>,
}

/// `300000` or `"300k"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(u64),
    Text(String),
}

/// Reads a file of clients.
///
/// # Errors
/// It cannot be read, an entry is wrong, or two have the same token.
pub fn clients(path: &Path) -> Result<Vec<ClientEntry>, ConfigError> {
    let wrong = |message: String| ConfigError::Document { path: path.to_path_buf(), message };
    let file: File =
        toml::from_str(&read_text(path)?).map_err(|e| wrong(e.to_string().trim().to_owned()))?;
    let mut clients: Vec<ClientEntry> = Vec::new();
    for (name, entry) in file.clients {
        let token_sha256 = hash(&entry.token_sha256).ok_or_else(|| {
            wrong(format!("clients.{name}.token_sha256 is not 64 hexadecimal digits"))
        })?;
        if let Some(other) = clients.iter().find(|other| other.token_sha256 == token_sha256) {
            return Err(wrong(format!("clients.{name} has the token of {}", other.name)));
        }
        let size = |key: &str, size: Option<Size>| {
            let read = match size {
                None => return Ok(None),
                Some(Size::Bytes(bytes)) => Ok(Bytes::new(bytes)),
                Some(Size::Text(text)) => text.parse::<Bytes>().map_err(|e| e.to_string()),
            };
            match read {
                Ok(Bytes::ZERO) => Err(wrong(format!("clients.{name}.{key} is 0"))),
                Ok(bytes) => Ok(Some(bytes)),
                Err(why) => Err(wrong(format!("clients.{name}.{key}: {why}"))),
            }
        };
        clients.push(ClientEntry {
            token_sha256,
            max_calls: entry.max_calls.unwrap_or(1_024),
            max_message_bytes: size("max_message_bytes", entry.max_message_bytes)?,
            max_request_bytes: size("max_request_bytes", entry.max_request_bytes)?,
            carriers: entry.carriers,
            name,
        });
    }
    Ok(clients)
}

fn hash(hexadecimal: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = hexadecimal.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| (high << 4 | low) as u8).collect();
    if rest.is_empty() { bytes.try_into().ok() } else { None }
}
