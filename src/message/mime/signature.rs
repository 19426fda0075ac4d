//! Signatures over a whole mail.

use super::{Entity, rewriter::Rewriter};

/// Headers that sign a whole mail, in lower case.
pub(in crate::message) const SIGNATURES: [&str; 6] = [
    "dkim-signature",
    "domainkey-signature",
    "x-google-dkim-signature",
    "arc-seal",
    "arc-message-signature",
    "arc-authentication-results",
];

impl Entity {
    /// Signatures over header and body hold no more: who checks them would throw the mail away
    /// (RFC 6376 clause 3.5, RFC 8617 clause 4.1).
    pub(super) fn unsign(&mut self) {
        let mut rewriter = Rewriter::new(&self.head);
        SIGNATURES.iter().for_each(|name| rewriter.drop(name));
        self.head = rewriter.finish();
    }
}
