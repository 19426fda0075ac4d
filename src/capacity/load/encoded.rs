//! Histograms as text: HdrHistogram's compressed form V2 in Base64, as its logs have it, so that other
//! tools read them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer as _, V2DeflateSerializer},
};

/// No histogram.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a histogram cannot be read: {0}")]
pub struct DecodeError(String);

/// Three significant digits: a bucket is a thousandth wide.
pub fn histogram() -> Histogram<u64> {
    // A minute at first; it grows by itself.
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 3)
        .unwrap_or_else(|_| unreachable!("the bounds are in order"));
    histogram.auto(true);
    histogram
}

/// As text; an empty one is short, too.
pub fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    // Memory takes all that is written to it.
    let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    STANDARD.encode(bytes)
}

/// From text, with the digits that are kept here.
///
/// # Errors
/// It is none.
pub fn decode(text: &str) -> Result<Histogram<u64>, DecodeError> {
    let failed = |error: &dyn std::fmt::Display| DecodeError(error.to_string());
    let bytes = STANDARD.decode(text).map_err(|error| failed(&error))?;
    let read: Histogram<u64> =
        Deserializer::new().deserialize(&mut &bytes[..]).map_err(|error| failed(&error))?;
    let mut histogram = histogram();
    histogram.add(&read).map_err(|error| failed(&error))?;
    Ok(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_histogram_is_told() {
        let mut histogram = histogram();
        (1..5_000).for_each(|n| histogram.saturating_record(n * n));
        let text = encode(&histogram);
        assert_eq!(decode(&text).unwrap(), histogram);
        assert!(decode("").is_err() && decode("!").is_err());
        let bytes = STANDARD.decode(&text).unwrap();
        for at in 0..bytes.len() {
            let cut = decode(&STANDARD.encode(&bytes[..at]));
            // What ends in its last bytes may have all counts.
            assert!(cut.is_err() || at > bytes.len() / 2);
            let mut bent = bytes.clone();
            bent[at] ^= 0x41;
            let _ = decode(&STANDARD.encode(bent));
        }
    }
}
