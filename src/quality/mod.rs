//! One idea of quality: how many bytes each medium takes to look or sound fair, beyond how many
//! nothing is gained, and how media weigh against each other.
//!
//! Architecture invariant: imports only `model`, and holds figures and formulas, no decisions. Plan
//! foretells budgets with it, Fit searches with it, the pipeline shares bytes with it.

pub mod audio;
pub mod image;
pub mod source;
pub mod video;

/// The share that video and audio should get of what an image gets on average.
/// Quality grows with the logarithm of the bytes, by so much per doubling: a photo 16 points of
/// SSIMULACRA2, a video 8 to 11 on the same scale, AMR 12 points of opinion; a video counts half as
/// much again (fit-to-size.md §5). Measured 2026-11-26 with `tests/suite/joint.rs`, which prints the
/// curves. Of 0.8, 0.9 and 1.0 for a video the first is the best (2026-11-29: 1.2, 2.2 and 2.9 % below
/// the oracle).
pub const VIDEO_SHARE: f64 = 0.8;
/// Likewise of audio.
pub const AUDIO_SHARE: f64 = 0.7;
/// The minimum of audio and video may take this share of the room; otherwise they fall back.
pub const FLOORS_SHARE: f64 = 0.65;

/// Alone among themselves, audio and video weigh what they take at a fair quality, but none more
/// than this many times the room.
pub const HEAVIEST: f64 = 1.5;
