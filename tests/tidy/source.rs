//! Reads Rust well enough for house rules: comments and literals out, test code out, `use` trees and
//! paths expanded. Not a parser: it knows just what the rules ask for.

use std::collections::BTreeSet;

/// A word or a sign of the source, with its line from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// An identifier or keyword, `::`, or one character of punctuation.
    pub text: String,
    /// Its line.
    pub line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

/// A path as written, relative prefixes resolved: `["crate", "model", "Bytes"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    /// Its segments.
    pub segments: Vec<String>,
    /// Its line.
    pub line: usize,
}

/// One file.
pub struct Source {
    /// Relative to the repository, with `/`.
    pub name: String,
    /// How many lines it has.
    pub lines: usize,
    /// Its tokens, without code under `#[cfg(test)]`.
    pub tokens: Vec<Token>,
    /// Comment text by line.
    pub comments: Vec<(usize, String)>,
    /// Modules that it declares under `#[cfg(test)]`.
    test_modules: Vec<String>,
    /// The whole file is test code.
    pub is_test: bool,
}

impl Source {
    /// Reads `text`, the file `name`.
    pub fn parse(name: &str, text: &str) -> Self {
        let (tokens, comments) = tokenize(text);
        let (tokens, test_modules) = without_tests(tokens);
        let is_test = !name.starts_with("src/") && !name.starts_with("worker/src/");
        let lines = text.lines().count();
        Self { name: name.to_owned(), lines, tokens, comments, test_modules, is_test }
    }

    /// The folder or file directly below `src`: `codec` for `src/codec/image/png.rs`.
    pub fn room(&self) -> Option<&str> {
        let below = self.name.strip_prefix("src/")?;
        let first = below.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// The module path: `["codec", "image", "png"]`.
    pub fn module(&self) -> Vec<String> {
        let below = self.name.strip_prefix("worker/").unwrap_or(&self.name);
        let below = below.strip_prefix("src/").unwrap_or(below);
        let stem = below.strip_suffix(".rs").unwrap_or(below);
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        match stem {
            "lib" | "main" => Vec::new(),
            stem => stem.split('/').map(str::to_owned).collect(),
        }
    }

    /// Whether `word` occurs outside of comments, literals and tests.
    pub fn has_word(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| token.text == word)
    }

    /// Every path that the file names, in `use` items and elsewhere, `self` and `super` resolved to
    /// `crate`. Paths that start at a module or an import of the file's own are left out: the
    /// import itself is in the list.
    pub fn paths(&self) -> Vec<NamedPath> {
        let mut found = self.all_paths();
        let local = self.local_names(&found);
        found.retain(|path| path.segments.first().is_some_and(|first| !local.contains(first)));
        found
    }

    /// The paths into the package itself, those too that start at a module that the file declares.
    pub fn own_paths(&self) -> Vec<NamedPath> {
        let declared = self.declared_modules();
        let mut found = self.all_paths();
        for path in &mut found {
            if path.segments.first().is_some_and(|first| declared.contains(first)) {
                let own = std::iter::once("crate".to_owned()).chain(self.module());
                path.segments.splice(0..0, own);
            }
        }
        found.retain(|path| path.segments.first().is_some_and(|first| first == "crate"));
        found
    }

    fn all_paths(&self) -> Vec<NamedPath> {
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            let token = &self.tokens[at];
            if !token.is_word() || self.text(at + 1) != "::" {
                continue;
            }
            let before = at.checked_sub(1).map_or("", |i| self.text(i));
            let global = before == "::"
                && !at
                    .checked_sub(2)
                    .is_some_and(|i| self.tokens[i].is_word() || self.text(i) == ">");
            if before == "." || (before == "::" && !global) || self.inside_use_tree(at) {
                continue;
            }
            let mut end = at;
            for segments in self.expand(&mut end) {
                found.push(NamedPath { segments: self.resolve(segments), line: token.line });
            }
        }
        found
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// Whether the word at `at` follows `{` or `,` inside braces opened by `::{`: its path is
    /// expanded from where it starts.
    fn inside_use_tree(&self, at: usize) -> bool {
        let mut depth = 0usize;
        for i in (0..at).rev() {
            match self.text(i) {
                "}" => depth += 1,
                "{" if depth > 0 => depth -= 1,
                "{" => return i > 0 && self.text(i - 1) == "::",
                ";" if depth == 0 => return false,
                _ => {}
            }
        }
        false
    }

    /// All paths of the tree that starts at `at`; leaves `at` behind its end.
    fn expand(&self, at: &mut usize) -> Vec<Vec<String>> {
        let head = vec![self.text(*at).to_owned()];
        *at += 1;
        if self.text(*at) != "::" {
            return vec![head];
        }
        *at += 1;
        let tails = match self.tokens.get(*at) {
            Some(token) if token.text == "{" => {
                *at += 1;
                let mut tails = Vec::new();
                while *at < self.tokens.len() && self.text(*at) != "}" {
                    if self.tokens[*at].is_word() {
                        tails.extend(self.expand(at));
                    } else {
                        *at += 1;
                    }
                    if self.text(*at) == "as" {
                        *at += 2;
                    }
                }
                *at += 1;
                tails
            }
            Some(token) if token.is_word() => self.expand(at),
            // A glob, or generic arguments.
            _ => vec![Vec::new()],
        };
        tails.into_iter().map(|tail| [head.clone(), tail].concat()).collect()
    }

    /// `self::` and `super::` to `crate::`; a trailing `self` of a tree goes.
    fn resolve(&self, mut segments: Vec<String>) -> Vec<String> {
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        let relative = segments.iter().take_while(|s| *s == "self" || *s == "super").count();
        if relative == 0 {
            return segments;
        }
        let mut base = self.module();
        for _ in segments.iter().take(relative).filter(|segment| *segment == "super") {
            base.pop();
        }
        let mut resolved = vec!["crate".to_owned()];
        resolved.extend(base);
        resolved.extend(segments.into_iter().skip(relative));
        resolved
    }

    fn declared_modules(&self) -> BTreeSet<String> {
        let declared = self.tokens.windows(2).filter(|pair| pair[0].text == "mod");
        declared.map(|pair| pair[1].text.clone()).collect()
    }

    /// Names that mean something of our own here: modules declared, items imported from the crate.
    fn local_names(&self, paths: &[NamedPath]) -> BTreeSet<String> {
        let mut names = self.declared_modules();
        let imported = paths.iter().filter(|path| path.segments[0] == "crate");
        names.extend(imported.filter_map(|path| path.segments.last().cloned()));
        names.remove("crate");
        names
    }
}

/// Marks the files whose module is declared under `#[cfg(test)]`, and all below them.
pub fn mark_test_files(sources: &mut [Source]) {
    let roots: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            let module = source.module();
            source.test_modules.iter().map(move |name| {
                let mut path = module.clone();
                path.push(name.clone());
                path.join("/")
            })
        })
        .collect();
    for source in sources {
        let module = source.module().join("/");
        let below = |root: &String| module == *root || module.starts_with(&format!("{root}/"));
        source.is_test |= roots.iter().any(below);
    }
}

/// Splits into tokens and comments; literals become one `"` token.
fn tokenize(text: &str) -> (Vec<Token>, Vec<(usize, String)>) {
    let (mut tokens, mut comments) = (Vec::new(), Vec::new());
    let chars: Vec<char> = text.chars().collect();
    let peek = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let (start, first_line) = (i, line);
        let c = chars[i];
        if c == '/' && peek(i + 1) == '/' {
            while i < chars.len() && chars[i] != '\n' {
                i += 1;
            }
            comments.push((first_line, chars[start..i].iter().collect()));
        } else if c == '/' && peek(i + 1) == '*' {
            i = after_block_comment(&chars, i);
            comments.push((first_line, chars[start..i].iter().collect()));
        } else if let Some(end) = after_literal(&chars, i) {
            i = end;
            tokens.push(Token { text: "\"".to_owned(), line });
        } else if c.is_alphanumeric() || c == '_' {
            while peek(i).is_alphanumeric() || peek(i) == '_' {
                i += 1;
            }
            let word: String = chars[start..i].iter().collect();
            // A raw identifier: `r#type`.
            if word == "r" && peek(i) == '#' {
                i += 1;
                continue;
            }
            tokens.push(Token { text: word, line });
        } else if c == ':' && peek(i + 1) == ':' {
            i += 2;
            tokens.push(Token { text: "::".to_owned(), line });
        } else {
            i += 1;
            if !c.is_whitespace() {
                tokens.push(Token { text: c.to_string(), line });
            }
        }
        line += chars[start..i].iter().filter(|c| **c == '\n').count();
    }
    (tokens, comments)
}

fn after_block_comment(chars: &[char], mut i: usize) -> usize {
    let mut depth = 0usize;
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i.min(chars.len())
}

/// The end of the string, raw string, byte string or character literal that starts at `i`.
fn after_literal(chars: &[char], i: usize) -> Option<usize> {
    let mut at = i;
    while at < i + 2 && matches!(chars.get(at), Some('b' | 'r' | 'c')) {
        at += 1;
    }
    let raw = chars[i..at].contains(&'r');
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    if raw && chars.get(at + hashes) == Some(&'"') {
        let close: Vec<char> =
            std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
        let body = at + hashes + 1;
        let length = chars[body..].windows(close.len()).position(|w| w == close);
        return Some(length.map_or(chars.len(), |length| body + length + close.len()));
    }
    let quote = *chars.get(at)?;
    // 'a' and '\n' are characters, 'a without a closing quote is a lifetime.
    let character =
        quote == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\''));
    if raw || (quote != '"' && !character) {
        return None;
    }
    let mut end = at + 1;
    while end < chars.len() && chars[end] != quote {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    Some((end + 1).min(chars.len()))
}

/// The tokens without items under `#[cfg(test)]`, and the modules of other files declared so.
fn without_tests(tokens: Vec<Token>) -> (Vec<Token>, Vec<String>) {
    let (mut kept, mut modules) = (Vec::with_capacity(tokens.len()), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some(end) = after_test_attribute(&tokens, at) else {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        };
        at = end;
        while let Some(end) = after_attribute(&tokens, at) {
            at = end;
        }
        let item = at;
        let mut depth = 0usize;
        while at < tokens.len() {
            match tokens[at].text.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            let ends = matches!(tokens[at].text.as_str(), "}" | ";" | ",");
            at += 1;
            if depth == 0 && ends {
                break;
            }
        }
        let words: Vec<&str> = tokens[item..at].iter().map(|token| token.text.as_str()).collect();
        if let [.., "mod", name, ";"] = words.as_slice() {
            modules.push((*name).to_owned());
        }
    }
    (kept, modules)
}

/// The end of the outer attribute that starts at `at`.
pub fn after_attribute(tokens: &[Token], at: usize) -> Option<usize> {
    let text = |i: usize| tokens.get(i).map_or("", |token: &Token| token.text.as_str());
    if text(at) != "#" || text(at + 1) != "[" {
        return None;
    }
    let mut depth = 0usize;
    for i in at + 1..tokens.len() {
        match text(i) {
            "[" => depth += 1,
            "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(i + 1);
        }
    }
    None
}

/// The end of a `#[cfg(...)]` that holds only in tests.
fn after_test_attribute(tokens: &[Token], at: usize) -> Option<usize> {
    let end = after_attribute(tokens, at)?;
    let words: Vec<&str> = tokens[at..end].iter().map(|token| token.text.as_str()).collect();
    let tests = words.get(2) == Some(&"cfg") && words.contains(&"test");
    (tests && !words.contains(&"not") && !words.contains(&"any")).then_some(end)
}
