//! The `grpc-timeout` header: `1*8DIGIT` and a unit (gRPC over HTTP/2, "Requests").

use std::time::{Duration, Instant};

use tonic::{Request, codegen::http};

/// When a call's headers came. A handler runs only when the whole message is there, which for
/// megabytes over a slow line may be seconds later: the caller's clock runs meanwhile.
#[derive(Clone, Copy)]
struct Arrival(Instant);

/// Notes the arrival of a call; for the layer around all services.
pub fn stamp<B>(mut request: http::Request<B>) -> http::Request<B> {
    request.extensions_mut().insert(Arrival(Instant::now()));
    request
}

/// When the caller stops waiting, if stated. A malformed header counts as none.
pub fn deadline<T>(request: &Request<T>) -> Option<Instant> {
    let text = request.metadata().get("grpc-timeout")?.to_str().ok()?;
    let arrival = request.extensions().get::<Arrival>().map_or_else(Instant::now, |a| a.0);
    arrival.checked_add(parse(text)?)
}

fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(n * 3600),
        'M' => Duration::from_secs(n * 60),
        'S' => Duration::from_secs(n),
        'm' => Duration::from_millis(n),
        'u' => Duration::from_micros(n),
        'n' => Duration::from_nanos(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_from_the_arrival() {
        let stamped = stamp(http::Request::new(()));
        std::thread::sleep(Duration::from_millis(20));
        let mut request = Request::from_http(stamped);
        request.set_timeout(Duration::from_millis(15));
        assert!(deadline(&request).expect("stated") < Instant::now());
        assert_eq!(deadline(&Request::new(())), None);
    }

    #[test]
    fn timeouts_are_read_as_the_protocol_says() {
        assert_eq!(parse("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(parse("2M"), Some(Duration::from_secs(120)));
        assert_eq!(parse("3S"), Some(Duration::from_secs(3)));
        assert_eq!(parse("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse("7u"), Some(Duration::from_micros(7)));
        assert_eq!(parse("0n"), Some(Duration::ZERO));
        for text in ["", "S", "1", "1s", "123456789m", "-1S", "+1S", "1.5S", "5é", "1 S"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
