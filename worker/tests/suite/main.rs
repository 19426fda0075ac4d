//! The worker by itself: its sandbox under attack, every audio and video file through its codecs.
//! One program: linking one is what takes the time.

mod audio;
mod contract;
mod faults;
mod given;
mod heif;
mod moments;
mod renewal;
mod support;
mod video;
