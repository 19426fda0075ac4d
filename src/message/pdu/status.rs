//! Status values by their octets (OMA-MMS-ENC-V1.3 §7.3.48, §7.3.50, §7.3.57, §7.3.6).

/// An octet and the word for it.
pub(super) type Words = &'static [(u8, &'static str)];

/// X-Mms-Response-Status.
pub(super) const RESPONSE: Words = &[
    (0x80, "Ok"),
    (0x81, "Error-unspecified"),
    (0x82, "Error-service-denied"),
    (0x83, "Error-message-format-corrupt"),
    (0x84, "Error-sending-address-unresolved"),
    (0x85, "Error-message-not-found"),
    (0x86, "Error-network-problem"),
    (0x87, "Error-content-not-accepted"),
    (0x88, "Error-unsupported-message"),
    (0xC0, "Error-transient-failure"),
    (0xC1, "Error-transient-sending-address-unresolved"),
    (0xC2, "Error-transient-message-not-found"),
    (0xC3, "Error-transient-network-problem"),
    (0xC4, "Error-transient-partial-success"),
    (0xE0, "Error-permanent-failure"),
    (0xE1, "Error-permanent-service-denied"),
    (0xE2, "Error-permanent-message-format-corrupt"),
    (0xE3, "Error-permanent-sending-address-unresolved"),
    (0xE4, "Error-permanent-message-not-found"),
    (0xE5, "Error-permanent-content-not-accepted"),
    (0xE6, "Error-permanent-reply-charging-limitations-not-met"),
    (0xE7, "Error-permanent-reply-charging-request-not-accepted"),
    (0xE8, "Error-permanent-reply-charging-forwarding-denied"),
    (0xE9, "Error-permanent-reply-charging-not-supported"),
    (0xEA, "Error-permanent-address-hiding-not-supported"),
    (0xEB, "Error-permanent-lack-of-prepaid"),
];

/// X-Mms-Retrieve-Status.
pub(super) const RETRIEVE: Words = &[
    (0x80, "Ok"),
    (0xC0, "Error-transient-failure"),
    (0xC1, "Error-transient-message-not-found"),
    (0xC2, "Error-transient-network-problem"),
    (0xE0, "Error-permanent-failure"),
    (0xE1, "Error-permanent-service-denied"),
    (0xE2, "Error-permanent-message-not-found"),
    (0xE3, "Error-permanent-content-unsupported"),
];

/// X-Mms-Store-Status.
pub(super) const STORE: Words = &[
    (0x80, "Success"),
    (0xC0, "Error-transient-failure"),
    (0xC1, "Error-transient-network-problem"),
    (0xE0, "Error-permanent-failure"),
    (0xE1, "Error-permanent-service-denied"),
    (0xE2, "Error-permanent-message-format-corrupt"),
    (0xE3, "Error-permanent-message-not-found"),
    (0xE4, "Error-permanent-mmbox-full"),
];

/// X-Mms-Cancel-Status.
pub(super) const CANCEL: Words =
    &[(0x80, "Cancel-Request-Successfully-Received"), (0x81, "Cancel-Request-Corrupted")];

/// The word for an octet.
pub(super) fn word(words: Words, octet: u8) -> Option<&'static str> {
    words.iter().find(|(known, _)| *known == octet).map(|(_, word)| *word)
}

/// The octet for a word, in any case.
pub(super) fn octet(words: Words, word: &str) -> Option<u8> {
    words.iter().find(|(_, known)| known.eq_ignore_ascii_case(word)).map(|(octet, _)| *octet)
}
