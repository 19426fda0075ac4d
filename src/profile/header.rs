//! The `x-wap-profile` header (OMA UAProf 2.0 §9.1; WAP-248): URLs of documents, and digests of
//! profile-diffs.

/// The URLs in a header value, in order: quoted or not, comma-separated, digests (`1-…`) left
/// out. At most eight: one names the device, others are additions of gateways.
pub fn profile_urls(header: &str) -> Vec<String> {
    header
        .split([',', '"', '\'', '<', '>'])
        .flat_map(str::split_whitespace)
        .map(|item| item.trim_matches(|c: char| matches!(c, ';' | '\u{201c}' | '\u{201d}')))
        .filter(|item| {
            let lower = item.to_ascii_lowercase();
            lower.starts_with("http://") || lower.starts_with("https://")
        })
        .take(8)
        .map(str::to_owned)
        .collect()
}

/// The form in which URLs are compared: without scheme, port 80/443, fragment and the case of
/// the host.
pub fn comparable_url(url: &str) -> String {
    let url = url.trim().split('#').next().unwrap_or("");
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(":80").or(host.strip_suffix(":443")).unwrap_or(&host);
    format!("{host}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_found_in_every_spelling() {
        let url = "http://nds.example/N7650r100.xml";
        for header in [
            url.to_owned(),
            format!("\"{url}\""),
            format!(" \"{url}\", \"1-J6d0AtqBpbQTsc0FNnQJ8g==\""),
            format!("<{url}>"),
            format!("1-abc, {url};"),
        ] {
            assert_eq!(profile_urls(&header), [url], "{header}");
        }
        assert_eq!(profile_urls(&format!("\"{url}\",\"https://b.example/\"")).len(), 2);
        assert!(profile_urls("file:///etc/passwd, ../x").is_empty());
    }

    #[test]
    fn urls_compare_without_their_trimmings() {
        let want = "a.example/X/y.xml?q";
        for url in ["http://A.example/X/y.xml?q", "https://a.example:443/X/y.xml?q#f"] {
            assert_eq!(comparable_url(url), want);
        }
    }
}
