//! vCards (vCard 2.1 to 4.0): the image that some carry inside.
//!
//! Not a parser: properties are lines, found by name and by how their value goes on (RFC 6350
//! clause 3.2; vCard 2.1 clause 2.1.3, whose base64 ends at an empty line).

/// Properties whose values are images or audio files.
const MEDIA: [&[u8]; 3] = [b"PHOTO", b"LOGO", b"SOUND"];

/// The vCard without the media inside, all other bytes as they were; `None` where it has none, or
/// only links to them.
pub fn without_media(data: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = data.split_inclusive(|b| *b == b'\n').collect();
    let mut out = Vec::with_capacity(data.len());
    let mut at = 0;
    let mut found = false;
    while at < lines.len() {
        let end = at + property(&lines[at..]);
        if is_inline_media(lines[at]) {
            found = true;
        } else {
            lines[at..end].iter().for_each(|line| out.extend(*line));
        }
        at = end;
    }
    found.then_some(out)
}

/// How many lines the property takes that begins with the first.
fn property(lines: &[&[u8]]) -> usize {
    let folded = |line: &[u8]| matches!(line.first(), Some(b' ' | b'\t'));
    let mut end = 1 + lines[1..].iter().take_while(|line| folded(line)).count();
    if is_inline_media(lines[0]) {
        // Some writers do not fold: base64 goes on until a line that cannot be it.
        end += lines[end..].iter().take_while(|line| is_base64(line)).count();
        // The empty line of vCard 2.1 belongs to the value.
        end += usize::from(lines.get(end).is_some_and(|line| line.trim_ascii().is_empty()));
    }
    end
}

fn is_base64(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    !line.is_empty() && line.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b))
}

/// `PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AA...`, `item1.PHOTO:data:image/jpeg;base64,...`
fn is_inline_media(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|b| *b == b':') else { return false };
    let (head, value) = (line[..colon].to_ascii_uppercase(), &line[colon + 1..]);
    let name = head.split(|b| *b == b';').next().unwrap_or_default();
    let name = name.rsplit(|b| *b == b'.').next().unwrap_or_default();
    let params = &head[head.len().min(name.len())..];
    let has = |text: &[u8]| params.windows(text.len()).any(|window| window == text);
    let data = value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"data:"));
    let encoded = has(b"BASE64") || has(b"ENCODING=B");
    MEDIA.contains(&name) && (data || encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_inside_go_and_nothing_else() {
        let base64 = "QUJD".repeat(18);
        for (name, photo) in [
            ("2.1", format!("PHOTO;JPEG;ENCODING=BASE64:\r\n {base64}\r\n {base64}\r\n\r\n")),
            ("3.0", format!("PHOTO;ENCODING=b;TYPE=JPEG:{base64}\r\n {base64}\r\n")),
            ("4.0", format!("PHOTO:data:image/jpeg;base64,{base64}\r\n {base64}\r\n")),
            ("grouped", format!("item1.PHOTO;encoding=B:{base64}\r\n")),
            ("unfolded", format!("PHOTO;ENCODING=BASE64:{base64}\r\n{base64}\r\nAA==\r\n")),
        ] {
            let (head, tail) = ("BEGIN:VCARD\r\nFN:Ann\r\n", "TEL:+1\r\nNOTE:a\r\n b\r\nEND:VCARD");
            let vcard = format!("{head}{photo}{tail}");
            let bare = without_media(vcard.as_bytes()).expect(name);
            assert_eq!(String::from_utf8(bare).unwrap(), format!("{head}{tail}"), "{name}");
        }
    }

    #[test]
    fn links_and_other_texts_stay() {
        for text in [
            "BEGIN:VCARD\nPHOTO;VALUE=uri:http://a.example/x.jpg\nEND:VCARD\n",
            "BEGIN:VCARD\nNOTE:PHOTO;ENCODING=b:x\nEND:VCARD\n",
            "PHOTO",
            "",
            ":::\n:",
        ] {
            assert_eq!(without_media(text.as_bytes()), None, "{text}");
        }
    }
}
