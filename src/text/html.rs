//! The text of HTML: what a phone shows that shows no HTML.
//!
//! One pass and no tree: mails are HTML that no parser agrees on, and hostile ones are long. Crates
//! were tried: one took more than minutes for a megabyte of `<script>`, the others bring a browser's
//! parser.

/// The text, its blocks as lines; scripts, styles and the title left out.
pub fn plain(html: &str) -> String {
    let mut out = Lines::default();
    let mut rest = html;
    // Behind the last `>` there is no tag, and looking for its end at every `<` takes for ever.
    let tags = html.rfind('>').map_or(0, |last| last + 1);
    let behind = html.len() - tags;
    while let Some(at) = rest.find('<').filter(|at| rest.len() - at > behind) {
        out.text(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(tag) = Tag::read(rest) else {
            out.text("<");
            rest = &rest[1..];
            continue;
        };
        rest = &rest[tag.length..];
        if !tag.closing && HIDDEN.contains(&tag.name.as_str()) {
            rest = after_closing(rest, &tag.name);
        } else {
            out.tag(&tag);
        }
    }
    out.text(rest);
    out.done()
}

/// Elements whose content is not shown.
const HIDDEN: [&str; 5] = ["script", "style", "title", "noscript", "template"];
/// Elements that begin and end a line.
const BLOCKS: [&str; 27] = [
    "address",
    "article",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "main",
    "nav",
    "ol",
    "section",
    "table",
    "tr",
    "ul",
];

struct Tag {
    name: String,
    closing: bool,
    /// Bytes from `<` to `>`.
    length: usize,
}

impl Tag {
    /// At a `<`; `None` where it begins no tag.
    fn read(text: &str) -> Option<Self> {
        let inner = &text[1..];
        let closing = inner.starts_with('/');
        let named = &inner[usize::from(closing)..];
        let declared = named.starts_with(['!', '?']);
        let end = named.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(named.len());
        if end == 0 && !declared {
            return None;
        }
        // A `>` within quotes does not end it; where nothing near does, it is not a quote.
        let mut quote = None;
        for (at, c) in text.char_indices().skip(1).take_while(|(at, _)| *at < NEAR) {
            match (quote, c) {
                (None, '>') => return Some(Self::ending(named, end, closing, at)),
                (None, '"' | '\'') if text[..at].ends_with('=') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                _ => {}
            }
        }
        text.find('>').map(|at| Self::ending(named, end, closing, at))
    }

    fn ending(named: &str, end: usize, closing: bool, at: usize) -> Self {
        Self { name: named[..end].to_ascii_lowercase(), closing, length: at + 1 }
    }
}

/// Bytes in which the quotes of a tag are looked at. Longer tags are those that hold an image.
const NEAR: usize = 4096;

/// What follows the closing tag; nothing where there is none.
fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

#[derive(Default)]
struct Lines {
    out: String,
    /// Line ends that are due before the next word.
    breaks: usize,
    space: bool,
    preformatted: usize,
}

impl Lines {
    fn text(&mut self, text: &str) {
        let text = entities(text);
        for c in text.chars() {
            match c {
                '\n' if self.preformatted > 0 => self.breaks += 1,
                '\r' | '\u{feff}' | '\u{200b}' => {}
                c if c.is_whitespace() => self.space = true,
                c if c.is_control() => {}
                c => {
                    self.open();
                    self.out.push(c);
                }
            }
        }
    }

    /// Writes what is due.
    fn open(&mut self) {
        if self.breaks > 0 {
            if !self.out.is_empty() {
                self.out.extend(std::iter::repeat_n('\n', self.breaks.min(2)));
            }
        } else if self.space && !self.out.is_empty() {
            self.out.push(' ');
        }
        (self.breaks, self.space) = (0, false);
    }

    fn tag(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "br" => self.breaks += 1,
            "p" => self.breaks = self.breaks.max(2),
            "li" if !tag.closing => {
                self.breaks = self.breaks.max(1);
                self.text("-");
                self.space = true;
            }
            "td" | "th" => self.space = true,
            "pre" => {
                self.breaks = self.breaks.max(1);
                let depth = self.preformatted;
                self.preformatted = if tag.closing { depth.saturating_sub(1) } else { depth + 1 };
            }
            name if BLOCKS.contains(&name) => self.breaks = self.breaks.max(1),
            _ => {}
        }
    }

    fn done(self) -> String {
        self.out
    }
}

/// Named entities that mails use (HTML 4.01 clause 24), by name.
const NAMED: [(&str, char); 32] = [
    ("amp", '&'),
    ("apos", '\''),
    ("auml", 'ä'),
    ("Auml", 'Ä'),
    ("bull", '•'),
    ("ccedil", 'ç'),
    ("copy", '©'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("euro", '€'),
    ("gt", '>'),
    ("hellip", '…'),
    ("iexcl", '¡'),
    ("laquo", '«'),
    ("ldquo", '“'),
    ("lsquo", '‘'),
    ("lt", '<'),
    ("mdash", '—'),
    ("middot", '·'),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("ntilde", 'ñ'),
    ("ouml", 'ö'),
    ("Ouml", 'Ö'),
    ("pound", '£'),
    ("quot", '"'),
    ("raquo", '»'),
    ("rdquo", '”'),
    ("reg", '®'),
    ("rsquo", '’'),
    ("szlig", 'ß'),
    ("uuml", 'ü'),
];

fn entities(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name =
            rest[1..].bytes().take(10).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#');
        let end = 1 + name.count();
        match entity(&rest[1..end]) {
            Some(c) => {
                out.push(c);
                rest = rest[end..].strip_prefix(';').unwrap_or(&rest[end..]);
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out.into()
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control() || c.is_whitespace());
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_lines_and_what_is_hidden_stays_hidden() {
        let mail = "<!DOCTYPE html><html><head><title>T</title><style>p{a:b}</style></head><body>\
            <!-- c > d --><h1>Hello</h1><p>A &amp; B <a href='http://x.y/?a=1>2'>link</a><br>next \
            \n line</p><script>if (a < b) { x(\"</p>\") }</script><ul><li>one<li>two</ul>\
            <table><tr><td>1</td><td>2</td></tr></table>1 < 2 &uuml;&#x42;&#67; &unknown; &lt;p&gt;";
        let wanted = "Hello\n\nA & B link\nnext line\n\n- one\n- two\n1 2\n1 < 2 üBC &unknown; <p>";
        assert_eq!(plain(mail), wanted);
        assert_eq!(plain("<pre>a\n b</pre>c"), "a\nb\nc");
        assert_eq!(plain("no tags"), "no tags");
        assert_eq!(plain("<script>never closed"), "");
    }

    #[test]
    fn long_nonsense_takes_one_pass() {
        for unit in ["<script>", "<a href=\"", "<", "&", "<!--", "</", "</style", "<b x='", "é<é"]
        {
            let text = unit.repeat((1 << 18) / unit.len());
            // A quadratic pass would take minutes: the test would be killed.
            let shown = plain(&text);
            assert!(shown.len() <= text.len() * 2, "{unit}");
        }
    }
}
