//! The worker by itself: its sandbox under attack, every sound and clip through its codecs.
//! One program: linking one is what takes the time.

mod contract;
mod faults;
mod given;
mod heif;
mod moments;
mod sound;
mod support;
mod video;
