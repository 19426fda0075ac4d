//! A PDU as phones of 2002 wrote it, octet by octet: parameters by their old codes, a date of
//! four octets, no types in words where there is a number.

/// One entry of a multipart.
pub struct Entry<'a> {
    /// ContentType and headers, encoded.
    pub header: Vec<u8>,
    pub data: &'a [u8],
}

fn uintvar(mut value: usize, out: &mut Vec<u8>) {
    let mut octets = vec![(value & 0x7f) as u8];
    while value > 0x7f {
        value >>= 7;
        octets.push((value & 0x7f) as u8 | 0x80);
    }
    out.extend(octets.iter().rev());
}

/// A type with its parameters behind their length.
fn typed(value: &[u8]) -> Vec<u8> {
    assert!(value.len() < 31, "a short length");
    [&[value.len() as u8], value].concat()
}

/// `image/jpeg; name=...` with Content-ID and Content-Location. `code`: the type's number with
/// its top bit set.
pub fn image<'a>(code: u8, name: &str, data: &'a [u8]) -> Entry<'a> {
    let value = [&[code, 0x85], name.as_bytes(), &[0]].concat();
    let ids = [b"\xc0\"<", name.as_bytes(), b">\0\x8e", name.as_bytes(), &[0]].concat();
    Entry { header: [typed(&value), ids].concat(), data }
}

/// `text/plain; charset=...; name=...`. `charset`: a MIBenum below 128 with its top bit set.
pub fn text<'a>(charset: u8, name: &str, data: &'a [u8]) -> Entry<'a> {
    let value = [&[0x83, 0x81, charset, 0x85], name.as_bytes(), &[0]].concat();
    Entry { header: [typed(&value), [b"\x8e", name.as_bytes(), &[0]].concat()].concat(), data }
}

/// The presentation.
pub fn smil(data: &[u8]) -> Entry<'_> {
    Entry { header: b"application/smil\0\xc0\"<0000>\0".to_vec(), data }
}

/// M-Retrieve.conf of version 1.0 around them; the first is the root.
pub fn message(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut pdu = b"\x8c\x84\x98T7\0\x8d\x90\x85\x04\x3d\xe5\x2a\x10".to_vec();
    pdu.extend(b"\x89\x19\x80+491700000000/TYPE=PLMN\0\x96Hallo\0");
    // multipart.related by number; `type` and `start` by their codes of WSP 1.2.
    let value = b"\xb3\x89application/smil\0\x8a<0000>\0";
    pdu.extend([0x84, value.len() as u8]);
    pdu.extend(value);
    uintvar(entries.len(), &mut pdu);
    for entry in entries {
        uintvar(entry.header.len(), &mut pdu);
        uintvar(entry.data.len(), &mut pdu);
        pdu.extend(&entry.header);
        pdu.extend(entry.data);
    }
    pdu
}
