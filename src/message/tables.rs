//! Assigned numbers of WSP (WAP-230 appendix A, as Kannel and AOSP agree on them) and of IANA.

/// Well-known media by their Integer value (WAP-230 table 40; mms-pdu.md §4).
const MEDIA: [&str; 0x53] = [
    "*/*",
    "text/*",
    "text/html",
    "text/plain",
    "text/x-hdml",
    "text/x-ttml",
    "text/x-vCalendar",
    "text/x-vCard",
    "text/vnd.wap.wml",
    "text/vnd.wap.wmlscript",
    "text/vnd.wap.wta-event",
    "multipart/*",
    "multipart/mixed",
    "multipart/form-data",
    "multipart/byteranges",
    "multipart/alternative",
    "application/*",
    "application/java-vm",
    "application/x-www-form-urlencoded",
    "application/x-hdmlc",
    "application/vnd.wap.wmlc",
    "application/vnd.wap.wmlscriptc",
    "application/vnd.wap.wta-eventc",
    "application/vnd.wap.uaprof",
    "application/vnd.wap.wtls-ca-certificate",
    "application/vnd.wap.wtls-user-certificate",
    "application/x-x509-ca-cert",
    "application/x-x509-user-cert",
    "image/*",
    "image/gif",
    "image/jpeg",
    "image/tiff",
    "image/png",
    "image/vnd.wap.wbmp",
    "application/vnd.wap.multipart.*",
    "application/vnd.wap.multipart.mixed",
    "application/vnd.wap.multipart.form-data",
    "application/vnd.wap.multipart.byteranges",
    "application/vnd.wap.multipart.alternative",
    "application/xml",
    "text/xml",
    "application/vnd.wap.wbxml",
    "application/x-x968-cross-cert",
    "application/x-x968-ca-cert",
    "application/x-x968-user-cert",
    "text/vnd.wap.si",
    "application/vnd.wap.sic",
    "text/vnd.wap.sl",
    "application/vnd.wap.slc",
    "text/vnd.wap.co",
    "application/vnd.wap.coc",
    "application/vnd.wap.multipart.related",
    "application/vnd.wap.sia",
    "text/vnd.wap.connectivity-xml",
    "application/vnd.wap.connectivity-wbxml",
    "application/pkcs7-mime",
    "application/vnd.wap.hashed-certificate",
    "application/vnd.wap.signed-certificate",
    "application/vnd.wap.cert-response",
    "application/xhtml+xml",
    "application/wml+xml",
    "text/css",
    "application/vnd.wap.mms-message",
    "application/vnd.wap.rollover-certificate",
    "application/vnd.wap.locc+wbxml",
    "application/vnd.wap.loc+xml",
    "application/vnd.syncml.dm+wbxml",
    "application/vnd.syncml.dm+xml",
    "application/vnd.syncml.notification",
    "application/vnd.wap.xhtml+xml",
    "application/vnd.wv.csp.cir",
    "application/vnd.oma.dd+xml",
    "application/vnd.oma.drm.message",
    "application/vnd.oma.drm.content",
    "application/vnd.oma.drm.rights+xml",
    "application/vnd.oma.drm.rights+wbxml",
    "application/vnd.wv.csp+xml",
    "application/vnd.wv.csp+wbxml",
    "application/vnd.syncml.ds.notification",
    "audio/*",
    "video/*",
    "application/vnd.oma.dd2+xml",
    "application/mikey",
];

/// Codes that every handset reads and that we therefore write (mms-pdu.md §4, bold; and
/// text/plain, which every observed sender codes).
const EMITTED: [(&str, u8); 13] = [
    ("text/plain", 0x03),
    ("image/gif", 0x1D),
    ("image/jpeg", 0x1E),
    ("image/tiff", 0x1F),
    ("image/png", 0x20),
    ("image/vnd.wap.wbmp", 0x21),
    ("application/vnd.wap.multipart.mixed", 0x23),
    ("application/vnd.wap.multipart.alternative", 0x26),
    ("application/vnd.wap.multipart.related", 0x33),
    ("application/vnd.oma.drm.message", 0x48),
    ("application/vnd.oma.drm.content", 0x49),
    ("application/vnd.oma.drm.rights+xml", 0x4A),
    ("application/vnd.oma.drm.rights+wbxml", 0x4B),
];

/// The media type of a well-known Integer value.
pub(super) fn media_name(code: u64) -> Option<&'static str> {
    match code {
        0x020C => Some("image/x-up-wpng"),
        0x0305 => Some("text/calendar"),
        0x0309 => Some("text/directory"),
        _ => usize::try_from(code).ok().and_then(|at| MEDIA.get(at).copied()),
    }
}

/// The code under which a media type is written, if it is written as one.
pub(super) fn media_code(essence: &str) -> Option<u8> {
    EMITTED.iter().find(|(name, _)| name.eq_ignore_ascii_case(essence)).map(|&(_, code)| code)
}

/// MIBenum and IANA name, lower case (IANA character sets registry).
const CHARSETS: [(u64, &str); 43] = [
    (3, "us-ascii"),
    (4, "iso-8859-1"),
    (5, "iso-8859-2"),
    (6, "iso-8859-3"),
    (7, "iso-8859-4"),
    (8, "iso-8859-5"),
    (9, "iso-8859-6"),
    (10, "iso-8859-7"),
    (11, "iso-8859-8"),
    (12, "iso-8859-9"),
    (13, "iso-8859-10"),
    (17, "shift_jis"),
    (18, "euc-jp"),
    (36, "ks_c_5601-1987"),
    (38, "euc-kr"),
    (39, "iso-2022-jp"),
    (106, "utf-8"),
    (109, "iso-8859-13"),
    (110, "iso-8859-14"),
    (111, "iso-8859-15"),
    (112, "iso-8859-16"),
    (113, "gbk"),
    (114, "gb18030"),
    (1000, "iso-10646-ucs-2"),
    (1012, "utf-7"),
    (1013, "utf-16be"),
    (1014, "utf-16le"),
    (1015, "utf-16"),
    (1017, "utf-32"),
    (2025, "gb2312"),
    (2026, "big5"),
    (2027, "macintosh"),
    (2084, "koi8-r"),
    (2088, "koi8-u"),
    (2250, "windows-1250"),
    (2251, "windows-1251"),
    (2252, "windows-1252"),
    (2253, "windows-1253"),
    (2254, "windows-1254"),
    (2255, "windows-1255"),
    (2256, "windows-1256"),
    (2257, "windows-1257"),
    (2258, "windows-1258"),
];

/// The IANA name of a MIBenum.
pub(super) fn charset_name(mib: u64) -> Option<&'static str> {
    CHARSETS.iter().find(|&&(number, _)| number == mib).map(|&(_, name)| name)
}

/// The MIBenum of an IANA name.
pub(super) fn charset_mib(name: &str) -> Option<u64> {
    CHARSETS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|&(mib, _)| mib)
}

/// How a well-known parameter's value is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParamValue {
    /// Well-known-charset.
    Charset,
    /// Text-string, Text-value or Quoted-string.
    Text,
    /// Constrained-encoding: a media code or text.
    Media,
    /// Anything else: skipped by its first octet, kept raw.
    Other,
}

/// Well-known parameters (WAP-230 table 38): name and coding.
pub(super) fn param(code: u64) -> (&'static str, ParamValue) {
    match code {
        0x01 => ("charset", ParamValue::Charset),
        0x05 | 0x17 => ("name", ParamValue::Text),
        0x06 | 0x18 => ("filename", ParamValue::Text),
        0x09 => ("type", ParamValue::Media),
        0x0A | 0x19 => ("start", ParamValue::Text),
        0x0B | 0x1A => ("start-info", ParamValue::Text),
        0x0C | 0x1B => ("comment", ParamValue::Text),
        0x0D | 0x1C => ("domain", ParamValue::Text),
        0x0F | 0x1D => ("path", ParamValue::Text),
        0x00 => ("q", ParamValue::Other),
        0x02 => ("level", ParamValue::Other),
        0x07 => ("differences", ParamValue::Other),
        0x08 => ("padding", ParamValue::Other),
        0x0E => ("max-age", ParamValue::Other),
        0x16 => ("size", ParamValue::Other),
        _ => ("", ParamValue::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assigned_numbers_are_those_of_the_standard() {
        for (code, name) in [
            (0x03, "text/plain"),
            (0x1E, "image/jpeg"),
            (0x23, "application/vnd.wap.multipart.mixed"),
            (0x33, "application/vnd.wap.multipart.related"),
            (0x3E, "application/vnd.wap.mms-message"),
            (0x48, "application/vnd.oma.drm.message"),
            (0x52, "application/mikey"),
        ] {
            assert_eq!(media_name(code), Some(name));
        }
        assert_eq!(media_name(0x53), None);
        for (name, code) in EMITTED {
            assert_eq!(media_name(u64::from(code)), Some(name));
        }
        assert_eq!(charset_name(106), Some("utf-8"));
        assert_eq!(charset_mib("UTF-8"), Some(106));
    }
}
