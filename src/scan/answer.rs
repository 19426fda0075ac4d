//! What clamd answers to INSTREAM, read strictly: whatever is not known to be good is not.

use super::{Trouble, Verdict};

/// The longest answer that is read.
pub(super) const MAX: usize = 1 << 10;
/// Characters of a signature's name that are kept.
const MAX_NAME: usize = 100;

/// Reads an answer without its end.
///
/// # Errors
/// It is no verdict.
pub(super) fn read(answer: &[u8]) -> Result<Verdict, Trouble> {
    let text = std::str::from_utf8(answer).map_err(|_| Trouble::Nonsense)?;
    if text == "stream: OK" {
        return Ok(Verdict::Clean);
    }
    if let Some(found) = text.strip_prefix("stream: ").and_then(|t| t.strip_suffix(" FOUND")) {
        return Ok(Verdict::Found(name(found).into()));
    }
    if text.starts_with("INSTREAM size limit exceeded") {
        return Err(Trouble::TooLarge);
    }
    Err(if text.ends_with("ERROR") { Trouble::Failed } else { Trouble::Nonsense })
}

/// A signature's name as it may stand in logs: what clamd appends of the content's hash
/// (`ExtendedDetectionInfo`) left out, in characters that names have, and bounded.
fn name(found: &str) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || "._-:/+".contains(c);
    let found = found.split('(').next().unwrap_or_default();
    let plain = |c: char| if known(c) { c } else { '_' };
    let name: String = found.chars().take(MAX_NAME).map(plain).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_one_of_these() {
        assert_eq!(read(b"stream: OK"), Ok(Verdict::Clean));
        let found = |text: &str| Ok(Verdict::Found(text.into()));
        assert_eq!(read(b"stream: Win.Test.EICAR_HDB-1 FOUND"), found("Win.Test.EICAR_HDB-1"));
        assert_eq!(read(b"stream: A.B(44d88612fea8a8f3:68) FOUND"), found("A.B"));
        assert_eq!(read(b"stream: a\n\x1b[31m b FOUND"), found("a___31m_b"));
        assert_eq!(read(b"stream:  FOUND"), found("unnamed"));
        let long = format!("stream: {} FOUND", "a".repeat(900));
        assert_eq!(read(long.as_bytes()), found(&"a".repeat(MAX_NAME)));
        assert_eq!(read(b"INSTREAM size limit exceeded. ERROR"), Err(Trouble::TooLarge));
        for error in ["stream: Can't allocate memory ERROR", "UNKNOWN COMMAND. ERROR", "ERROR"] {
            assert_eq!(read(error.as_bytes()), Err(Trouble::Failed), "{error}");
        }
        for wrong in [
            &b""[..],
            b"OK",
            b"stream: OK ",
            b"stream: ok",
            b"stream: OK\n",
            b"stream: NOT OK",
            b"stream: FOUND OK",
            b"PONG",
            b"HTTP/1.1 400 Bad Request",
            b"stream: \xff FOUND",
        ] {
            assert_eq!(read(wrong), Err(Trouble::Nonsense), "{wrong:?}");
        }
    }
}
