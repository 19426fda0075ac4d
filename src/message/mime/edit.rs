//! Changing a MIME message: new headers and bodies where something changed, boundaries that do
//! not occur in what is written, lengths that are true.

use bytes::Bytes as Buffer;

use super::{
    Body, Encoding, Entity, LeafBody, Multi, Style, Wire, header, leaf, rewriter::Rewriter,
};
use crate::{message::edits::Change, model::MediaType};

/// Width of a length in a header field: blanks fill it up on the left (RFC 9110 §5.6.3 lets
/// them stand), so that the size of the message does not depend on the digits.
const LENGTH_WIDTH: usize = 10;

impl Entity {
    /// The message after `changes`, one for each leaf.
    pub fn apply(&self, changes: &[Change]) -> Self {
        let mut rest = changes.iter();
        let mut entity = match self.changed(&mut rest, true) {
            Some((entity, _)) => entity,
            // The only part went: an empty text is what is left of it.
            None => {
                let change = Change {
                    content_type: Some("text/plain".into()),
                    data: Some(Buffer::new()),
                    replaced: true,
                    ..Change::default()
                };
                self.changed(&mut [change].iter(), true)
                    .map_or_else(|| self.clone(), |(kept, _)| kept)
            }
        };
        entity.unsign();
        entity.settle();
        entity
    }

    /// The message with this value of a header that it has; `None` where it has none of that name.
    pub fn with_header(&self, name: &str, value: &str) -> Option<Self> {
        if !has(&self.head, name) {
            return None;
        }
        let mut entity = self.clone();
        let mut rewriter = Rewriter::new(&self.head);
        rewriter.set(name, value);
        entity.head = rewriter.finish();
        entity.settle();
        Some(entity)
    }

    /// The message with its media coded in `style`.
    pub fn styled(&self, style: Style) -> Self {
        let mut entity = self.clone();
        if style != Style::Own && entity.restyle(style) {
            entity.settle();
        }
        entity
    }

    fn restyle(&mut self, style: Style) -> bool {
        match &mut self.body {
            Body::Multi(multi) => {
                let mut changed = false;
                for child in &mut multi.children {
                    changed |= child.restyle(style);
                }
                if changed && multi.is_mail() {
                    *self = self.clone().unsealed();
                }
                changed
            }
            Body::Leaf(body) => {
                let text = body.leaf.part.declared.top_level() == "text"
                    || body.leaf.is_presentation()
                    || body.leaf.envelope;
                let encoding = match (style, body.encoding) {
                    (Style::Base64, Encoding::Binary) => Encoding::Base64,
                    (Style::Base64, Encoding::Text | Encoding::QuotedPrintable) if !text => {
                        Encoding::Base64
                    }
                    (Style::Binary, Encoding::Base64 | Encoding::QuotedPrintable) => {
                        Encoding::Binary
                    }
                    (Style::Binary, Encoding::Text) if body.leaf.fresh => Encoding::Binary,
                    _ => return false,
                };
                let mut rewriter = Rewriter::new(&self.head);
                let value = if encoding == Encoding::Base64 { "base64" } else { "binary" };
                rewriter.set("Content-Transfer-Encoding", value);
                rewriter.drop("content-length");
                self.head = rewriter.finish();
                let data = body.leaf.part.data.clone();
                body.encoding = encoding;
                body.anew = true;
                body.wire = match encoding {
                    Encoding::Base64 => Wire::Base64(data),
                    _ => Wire::Raw(data),
                };
                true
            }
        }
    }

    /// The entity after the changes of its leaves and whether anything changed; none if it went.
    fn changed<'a>(
        &self,
        changes: &mut impl Iterator<Item = &'a Change>,
        top: bool,
    ) -> Option<(Self, bool)> {
        match &self.body {
            Body::Leaf(body) => match changes.next() {
                Some(change) if change.gone => None,
                Some(change) if !change.is_none() => {
                    Some((changed_leaf(&self.head, body, change), true))
                }
                _ => Some((self.clone(), false)),
            },
            Body::Multi(multi) => self.changed_multi(multi, changes, top),
        }
    }

    fn changed_multi<'a>(
        &self,
        multi: &Multi,
        changes: &mut impl Iterator<Item = &'a Change>,
        top: bool,
    ) -> Option<(Self, bool)> {
        let start = header::fields(&self.head)
            .into_iter()
            .find(|field| field.name == "content-type")
            .map(|field| header::split_params(&field.value).1)
            .and_then(|params| params.into_iter().find(|(name, _)| name == "start"))
            .map(|(_, id)| super::super::leaf::bare_id(&id).to_owned());
        let root = start
            .and_then(|id| multi.children.iter().position(|child| child.id() == Some(id.clone())))
            .unwrap_or(0);
        let mut children = Vec::new();
        let (mut touched, mut root_gone, mut root_type) = (false, false, None);
        for (at, child) in multi.children.iter().enumerate() {
            match child.changed(changes, false) {
                Some((new, changed)) => {
                    touched |= changed;
                    if at == root && changed && new.media_type() != child.media_type() {
                        root_type = Some((child.media_type(), new.media_type()));
                    }
                    children.push(new);
                }
                None => {
                    touched = true;
                    root_gone |= at == root;
                }
            }
        }
        if !touched {
            return Some((self.clone(), false));
        }
        // A multipart inside another that lost all its parts goes, unless it is referred to.
        if children.is_empty() && !top && self.id().is_none() {
            return None;
        }
        let mut head = self.head.clone();
        if root_gone {
            let fresh = children.first().map(|child| child.media_type().as_str().to_owned());
            let presentation = multi.children.get(root).is_some_and(Self::is_presentation);
            head = retype(&head, |main, params| {
                params.retain(|(name, _)| name != "start");
                // Without its presentation nothing is related any more (mms-conformance.md §2).
                if presentation {
                    params.retain(|(name, _)| name != "type");
                    *main = "multipart/mixed".into();
                }
                match (params.iter_mut().find(|(name, _)| name == "type"), fresh) {
                    (Some(param), Some(fresh)) => param.1 = fresh,
                    (Some(_), None) => params.retain(|(name, _)| name != "type"),
                    _ => {}
                }
            });
        } else if let Some((old, new)) = root_type {
            head = retype(&head, |_, params| {
                if let Some((_, value)) = params.iter_mut().find(|(name, _)| name == "type")
                    && MediaType::fold(value) == old
                {
                    *value = new.as_str().to_owned();
                }
            });
        }
        let mut multi = Multi {
            leads: multi.leads[..children.len().min(multi.leads.len())].to_vec(),
            children,
            ..multi.clone()
        };
        if multi.is_mail() {
            return Some((Self { head, body: Body::Multi(multi) }.unsealed(), true));
        }
        if multi.close.is_empty() {
            multi.close = format!("\r\n--{}--\r\n", multi.boundary).into();
        }
        Some((Self { head, body: Body::Multi(multi) }, true))
    }

    fn is_presentation(&self) -> bool {
        self.leaves().first().is_some_and(|leaf| leaf.is_presentation())
    }

    /// Boundaries and lengths made true after a change.
    fn settle(&mut self) {
        self.settle_boundaries();
        let lengths = ["content-length", "x-mms-message-size"];
        // First the width of both fields, then what follows from it.
        let mut rewriter = Rewriter::new(&self.head);
        for name in lengths.into_iter().filter(|name| has(&self.head, name)) {
            rewriter.set(name, &" ".repeat(LENGTH_WIDTH));
        }
        self.head = rewriter.finish();
        let values = [self.body_len(), self.wire_len()];
        let mut rewriter = Rewriter::new(&self.head);
        for (name, value) in lengths.into_iter().zip(values) {
            if has(&self.head, name) {
                rewriter.set(name, &format!("{value:>LENGTH_WIDTH$}"));
            }
        }
        self.head = rewriter.finish();
    }
}

/// The header block with its Content-Type changed by `f`: type and parameters.
pub(super) fn retype(
    head: &Buffer,
    f: impl FnOnce(&mut String, &mut Vec<(String, String)>),
) -> Buffer {
    let mut rewriter = Rewriter::new(head);
    let (mut main, mut params) =
        header::split_params(rewriter.value("content-type").unwrap_or_default());
    f(&mut main, &mut params);
    rewriter.set("Content-Type", &content_type(&main, &params));
    rewriter.finish()
}

fn has(head: &[u8], name: &str) -> bool {
    header::fields(head).iter().any(|field| field.name == name)
}

/// A Content-Type value.
pub(super) fn content_type(main: &str, params: &[(String, String)]) -> String {
    let mut text = main.to_owned();
    for (name, value) in params {
        text.push_str("; ");
        header::push_param(&mut text, name, value);
    }
    text
}

fn changed_leaf(head: &Buffer, body: &LeafBody, change: &Change) -> Entity {
    let mut rewriter = Rewriter::new(head);
    if let Some(fresh) = &change.content_type {
        let (main, mut params) = header::split_params(fresh);
        let (_, old) = header::split_params(rewriter.value("content-type").unwrap_or_default());
        let text = MediaType::fold(&main).top_level() == "text";
        for (name, value) in old {
            let keep = name != "boundary" && (name != "charset" || text);
            if keep && !params.iter().any(|(known, _)| *known == name) {
                let value = change.rename(&value).map_or(value.clone(), str::to_owned);
                params.push((name, value));
            }
        }
        rewriter.set("Content-Type", &content_type(&main, &params));
    }
    if let Some(new) = body.leaf.part.content_location.as_deref().and_then(|old| change.rename(old))
    {
        rewriter.set("Content-Location", &header::encode_words(new));
    }
    if let Some(value) = rewriter.value("content-disposition").map(str::to_owned) {
        let (main, mut params) = header::split_params(&value);
        let mut renamed = false;
        for (_, value) in params.iter_mut().filter(|(name, _)| name == "filename" || name == "name")
        {
            if let Some(new) = change.rename(value) {
                *value = new.to_owned();
                renamed = true;
            }
        }
        if change.data.is_some() && params.iter().any(|(name, _)| name == "size") {
            params.retain(|(name, _)| name != "size");
            renamed = true;
        }
        if renamed {
            rewriter.set("Content-Disposition", &content_type(&main, &params));
        }
    }
    let Some(data) = &change.data else {
        let head = rewriter.finish();
        let mut view = leaf(&head, body.leaf.part.data.clone());
        view.fresh = body.leaf.fresh;
        let body = LeafBody { leaf: view, ..body.clone() };
        return Entity { head, body: Body::Leaf(Box::new(body)) };
    };
    for stale in ["content-length", "content-md5"] {
        rewriter.drop(stale);
    }
    if change.replaced {
        rewriter.drop("content-encoding");
    }
    let encoding = match body.encoding {
        Encoding::Base64 | Encoding::Binary => body.encoding,
        // References are ASCII: lines of text stay lines of text.
        Encoding::Text if !change.replaced && !body.leaf.fresh => Encoding::Text,
        Encoding::Text | Encoding::QuotedPrintable => {
            rewriter.set("Content-Transfer-Encoding", "base64");
            Encoding::Base64
        }
    };
    let head = rewriter.finish();
    let mut view = leaf(&head, data.clone());
    view.fresh = body.leaf.fresh || change.replaced;
    view.envelope = body.leaf.envelope;
    let wire = match encoding {
        Encoding::Base64 => Wire::Base64(data.clone()),
        _ => Wire::Raw(data.clone()),
    };
    Entity { head, body: Body::Leaf(Box::new(LeafBody { leaf: view, encoding, wire, anew: true })) }
}
