//! A mail within a message (`message/rfc822`): opened, since no phone shows one, and its media are
//! what is fitted. Unchanged it goes on as it came.

use bytes::Bytes as Buffer;

use super::{Body, Entity, Multi, rewriter::Rewriter};

impl Multi {
    /// Around one mail. `sealed` are the bytes as they came, where they are coded: not allowed (RFC
    /// 2046 clause 5.2.1), but common.
    pub(super) fn mail(inner: Entity, sealed: Option<Buffer>) -> Self {
        Self {
            boundary: String::new(),
            preamble: Buffer::new(),
            leads: vec![Buffer::new()],
            children: vec![inner],
            close: Buffer::new(),
            sealed,
        }
    }

    /// Whether it is around a mail and not a list: nothing stands between, before and behind.
    pub(super) fn is_mail(&self) -> bool {
        self.boundary.is_empty()
    }
}

impl Entity {
    /// With a mail written as it is now, no longer coded as a whole.
    pub(super) fn unsealed(mut self) -> Self {
        let Body::Multi(multi) = &mut self.body else { return self };
        multi.children.iter_mut().for_each(Self::unsign);
        if multi.sealed.take().is_some() {
            let mut rewriter = Rewriter::new(&self.head);
            rewriter.drop("content-transfer-encoding");
            self.head = rewriter.finish();
        }
        let mut rewriter = Rewriter::new(&self.head);
        ["content-length", "content-md5"].iter().for_each(|stale| rewriter.drop(stale));
        self.head = rewriter.finish();
        self
    }
}
