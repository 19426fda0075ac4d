//! Why a document was not fetched: a word for counts, a sentence for reports.

use std::str::FromStr;

/// Why there is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The host is not on the list.
    #[error("host not allowed")]
    NotAllowed,
    /// Not a URL of HTTP or HTTPS, or it has a user's name in it.
    #[error("not a URL")]
    BadUrl,
    /// The name is unknown.
    #[error("no such host")]
    NoHost,
    /// All its addresses are private, of this machine, or reserved.
    #[error("private address")]
    PrivateAddress,
    /// Nothing answers there.
    #[error("no connection")]
    NoConnection,
    /// The certificate is not to be trusted, or the other side speaks no TLS.
    #[error("TLS failed")]
    Tls,
    /// It took too long.
    #[error("timed out")]
    TimedOut,
    /// What came is not HTTP, or ends too early.
    #[error("broken answer")]
    Broken,
    /// It leads off the list, from HTTPS to HTTP, nowhere, or too far.
    #[error("redirect refused")]
    Redirect,
    /// Another status than 200.
    #[error("HTTP status {0}")]
    Status(u16),
    /// More bytes than a document may have.
    #[error("too large")]
    TooLarge,
    /// It is compressed, though nobody asked for that.
    #[error("compressed")]
    Compressed,
    /// It says nothing of a device.
    #[error("not a profile")]
    NotAProfile,
    /// Too many fetches are under way.
    #[error("busy")]
    Busy,
    /// The fetch was lost: a fault of ours.
    #[error("lost")]
    Lost,
}

impl Refusal {
    /// The word for it: a label, and how the disk has it.
    pub fn label(&self) -> &'static str {
        match self {
            Self::NotAllowed => "not_allowed",
            Self::BadUrl => "bad_url",
            Self::NoHost => "no_host",
            Self::PrivateAddress => "private_address",
            Self::NoConnection => "no_connection",
            Self::Tls => "tls",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
            Self::Redirect => "redirect",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::Compressed => "compressed",
            Self::NotAProfile => "not_a_profile",
            Self::Busy => "busy",
            Self::Lost => "lost",
        }
    }

    /// As the disk has it: the word, and the number of a status.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Status(code) => format!("{} {code}", self.label()),
            _ => self.label().to_owned(),
        }
    }
}

impl FromStr for Refusal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(code) = text.strip_prefix("status ") {
            return code.parse().map(Self::Status).map_err(|_| ());
        }
        // What may lie on a disk; the others are never kept there.
        let kept = [
            Self::NoHost,
            Self::PrivateAddress,
            Self::NoConnection,
            Self::Tls,
            Self::TimedOut,
            Self::Broken,
            Self::Redirect,
            Self::TooLarge,
            Self::Compressed,
            Self::NotAProfile,
        ];
        kept.into_iter().find(|refusal| refusal.label() == text).ok_or(())
    }
}
