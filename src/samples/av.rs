//! A voice recording and a video made by the project itself: uncompressed audio, and a Motion-JPEG
//! video as digital cameras wrote them. What a decoder makes of them owes nothing to our own
//! encoders.

use bytes::Bytes as Buffer;

use super::{
    SampleError, jpeg,
    photo::{Pixels, photo},
};

/// Samples a second of the voice.
const VOICE_RATE: u32 = 16_000;

/// A voice: vowels of changing pitch in syllables of a quarter of a second, with pauses.
pub fn voice(seconds: u32) -> Vec<i16> {
    // First and second formant of five vowels, in hertz (Peterson and Barney 1952, men).
    const VOWELS: [(f64, f64); 5] =
        [(730.0, 1090.0), (530.0, 1840.0), (270.0, 2290.0), (570.0, 840.0), (300.0, 870.0)];
    let rate = f64::from(VOICE_RATE);
    let mut phase = 0.0f64;
    (0..seconds * VOICE_RATE)
        .map(|n| {
            let time = f64::from(n) / rate;
            let syllable = (time * 4.0) as usize;
            let within = (time * 4.0).fract();
            let pitch = 110.0 + 25.0 * (time * 0.9).sin() + (syllable % 3) as f64 * 8.0;
            phase += pitch / rate;
            let (first, second) = VOWELS[syllable * 7 % 5];
            // Harmonics of the pitch, weighted by how near they lie to a formant.
            let audio: f64 = (1..28)
                .map(|k| {
                    let hertz = pitch * f64::from(k);
                    let near = |formant: f64| 1.0 / (1.0 + ((hertz - formant) / 120.0).powi(2));
                    (near(first) + 0.5 * near(second))
                        * (phase * f64::from(k) * std::f64::consts::TAU).sin()
                })
                .sum();
            let silent = syllable % 5 == 4;
            let loud = if silent { 0.0 } else { (within * std::f64::consts::PI).sin().powi(2) };
            (audio * loud * 5000.0).clamp(-32_000.0, 32_000.0) as i16
        })
        .collect()
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
    // Chunks begin at even places.
    if body.len() % 2 == 1 {
        out.push(0);
    }
    out
}

fn list(kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [&kind[..], &chunks.concat()].concat();
    chunk(b"LIST", &body)
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn samples_of(audio: &[i16]) -> Vec<u8> {
    audio.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// WAVEFORMATEX of 16-bit PCM in one channel.
fn pcm_format() -> Vec<u8> {
    let mut out = vec![1, 0, 1, 0];
    out.extend(words(&[VOICE_RATE, VOICE_RATE * 2]));
    out.extend_from_slice(&[2, 0, 16, 0]);
    out
}

/// A voice note as an audio file.
pub fn wav(seconds: u32) -> Buffer {
    let format = chunk(b"fmt ", &pcm_format());
    let data = chunk(b"data", &samples_of(&voice(seconds)));
    chunk(b"RIFF", &[&b"WAVE"[..], &format, &data].concat()).into()
}

/// Frames a second of the video.
const FILM_RATE: u32 = 15;

/// A video of some seconds: the camera follows a ball over a landscape, with a voice.
///
/// # Errors
/// The image encoder's.
pub fn avi(width: u16, height: u16, seconds: u32) -> Result<Buffer, SampleError> {
    let frames = seconds * FILM_RATE;
    let scene = photo(width.saturating_mul(2), height, 4);
    let audio = voice(seconds);
    let mut movie = Vec::new();
    let mut index = Vec::new();
    let mut at = 4u32;
    let mut add = |id: &[u8; 4], body: &[u8]| {
        index.extend_from_slice(id);
        index.extend(words(&[0x10, at, body.len() as u32]));
        let whole = chunk(id, body);
        at += whole.len() as u32;
        movie.push(whole);
    };
    for n in 0..frames {
        add(b"00dc", &jpeg(&view(&scene, (width, height), n, frames), None)?);
        let per_frame = (VOICE_RATE / FILM_RATE) as usize;
        let from = n as usize * per_frame;
        // The last one takes what the division left over.
        let to = if n + 1 == frames { audio.len() } else { from + per_frame };
        add(b"01wb", &samples_of(&audio[from..to]));
    }
    let (w, h) = (u32::from(width), u32::from(height));
    // AVIMAINHEADER, AVISTREAMHEADER, BITMAPINFOHEADER: the AVI RIFF file reference.
    let head = words(&[1_000_000 / FILM_RATE, 0, 0, 0x10, frames, 0, 2, 0, w, h, 0, 0, 0, 0]);
    let stream =
        |kind: &[u8; 4], handler: &[u8; 4], scale: u32, rate: u32, length: u32, size: u32| {
            let mut out = [&kind[..], handler].concat();
            out.extend(words(&[0, 0, 0, scale, rate, 0, length, 0, u32::MAX, size]));
            out.extend_from_slice(&[0; 8]);
            chunk(b"strh", &out)
        };
    let mut bitmap = words(&[40, w, h]);
    bitmap.extend_from_slice(&[1, 0, 24, 0]);
    bitmap.extend_from_slice(b"MJPG");
    bitmap.extend(words(&[w * h * 3, 0, 0, 0, 0]));
    let video = list(
        b"strl",
        &[stream(b"vids", b"MJPG", 1, FILM_RATE, frames, 0), chunk(b"strf", &bitmap)],
    );
    let audio = list(
        b"strl",
        &[
            stream(b"auds", &[0; 4], 1, VOICE_RATE, audio.len() as u32, 2),
            chunk(b"strf", &pcm_format()),
        ],
    );
    let header = list(b"hdrl", &[chunk(b"avih", &head), video, audio]);
    let body = [&b"AVI "[..], &header, &list(b"movi", &movie), &chunk(b"idx1", &index)].concat();
    Ok(chunk(b"RIFF", &body).into())
}

/// What the camera sees at frame `n`: it pans, and a ball bounces.
fn view(scene: &Pixels, (width, height): (u16, u16), n: u32, frames: u32) -> Pixels {
    let (w, h) = (usize::from(width), usize::from(height));
    let way = f64::from(n) / f64::from(frames.max(1));
    let left = (way * (usize::from(scene.width) - w) as f64) as usize;
    let ball = (
        w as f64 * (0.2 + 0.6 * way),
        h as f64 * (0.8 - 0.5 * (way * 12.0).sin().abs()),
        h as f64 / 10.0,
    );
    let mut rgb = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        for x in 0..w {
            let (dx, dy) = (x as f64 - ball.0, y as f64 - ball.1);
            let from = (y * usize::from(scene.width) + left + x) * 3;
            match scene.rgb.get(from..from + 3) {
                Some(pixel) if dx * dx + dy * dy > ball.2 * ball.2 => rgb.extend_from_slice(pixel),
                _ => rgb.extend_from_slice(&[235, 60, 40]),
            }
        }
    }
    Pixels { width, height, rgb }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_as_long_as_they_say() {
        let wav = wav(2);
        assert_eq!(wav.len(), 44 + 2 * 2 * VOICE_RATE as usize);
        let avi = avi(64, 48, 1).unwrap();
        let told = u32::from_le_bytes(avi[4..8].try_into().unwrap()) as usize;
        assert_eq!(told + 8, avi.len());
        let audio: usize = avi
            .windows(4)
            .enumerate()
            .filter(|(_, id)| id == b"01wb")
            .take(FILM_RATE as usize)
            .map(|(at, _)| u32::from_le_bytes(avi[at + 4..at + 8].try_into().unwrap()) as usize)
            .sum();
        assert_eq!(audio, 2 * VOICE_RATE as usize);
    }
}
