//! Quantising for the least of error and bits together.
//!
//! Rounding every coefficient to the nearest step is the least error, but not the least error for
//! the bytes: a lonely one far up the zig-zag costs eight bits and more, and hardly shows. For each
//! block the best path through "keep, keep one less, drop" is found by dynamic programming over
//! the last coefficient kept, with the lengths of the image's own Huffman codes (the idea is
//! that of Crouse and Ramchandran 1997, which MozJPEG made popular).

use super::{
    block::{Block, SIXTEEN_ZEROS},
    huffman::Table,
    tables::TRANSPOSED,
};

/// Bits of every AC symbol with the bits that follow it.
pub struct Rates {
    /// By category 1…10 and run of zeros 0…62 before it.
    step: [[f32; 63]; 11],
    end: f32,
}

impl Rates {
    /// From a table that has a code for every symbol.
    pub fn new(ac: &Table) -> Self {
        let bits = |symbol: u8| f32::from(ac.code(symbol).1);
        let mut step = [[0.0; 63]; 11];
        for (category, row) in step.iter_mut().enumerate().skip(1) {
            for (run, rate) in row.iter_mut().enumerate() {
                let symbol = ((run % 16) as u8) << 4 | category as u8;
                *rate = bits(symbol) + category as f32 + (run / 16) as f32 * bits(SIXTEEN_ZEROS);
            }
        }
        Self { step, end: bits(0) }
    }
}

/// Candidates between two that are kept, at most: dropping more than that for the bits of one
/// is never worth it, and dense blocks would take the square of their candidates.
const FARTHEST: usize = 12;

/// Moves `block`, which is rounded to nearest, onto its best path when a bit weighs as much as
/// `lambda` squared steps. DC stays as it is.
#[inline(always)]
pub fn improve(
    block: &mut Block,
    coefficients: &[i16; 64],
    factors: &[f32; 64],
    rates: &Rates,
    lambda: f32,
) {
    // What could be kept: everything that did not round to zero.
    let mut places = [0_u8; 64];
    let mut magnitudes = [0.0_f32; 64];
    let mut n = 0;
    let mut left = block.mask & !1;
    while left != 0 {
        let place = left.trailing_zeros() as usize;
        left &= left - 1;
        let at = usize::from(TRANSPOSED[place & 63]);
        places[n] = place as u8;
        magnitudes[n] = (f32::from(coefficients[at]) * factors[at]).abs();
        n += 1;
    }

    // `open[j]`: the least cost with candidate j - 1 kept last, less the error of dropping
    // everything up to it, which every longer path would have to pay; 0 is none kept.
    let mut open = [0.0_f32; 65];
    let mut from = [0_u8; 65];
    let mut kept = [0.0_f32; 65];
    let (mut best, mut best_at) = (lambda * rates.end, 0);
    for i in 0..n {
        let (place, magnitude) = (usize::from(places[i]), magnitudes[i]);
        let at = usize::from(TRANSPOSED[place]);
        let nearest = f32::from(block.values[at].unsigned_abs());
        let mut least = f32::MAX;
        for value in [nearest, below(nearest)] {
            if value < 1.0 {
                break;
            }
            let error = (magnitude - value) * (magnitude - value);
            let row = &rates.step[(32 - (value as u32).leading_zeros()) as usize];
            let mut cheapest = open[0] + lambda * row[place - 1];
            let mut at = 0_u8;
            for j in i.saturating_sub(FARTHEST)..i {
                let cost = open[j + 1] + lambda * row[place - 1 - usize::from(places[j])];
                if cost < cheapest {
                    (cheapest, at) = (cost, j as u8 + 1);
                }
            }
            let cost = cheapest + error;
            if cost < least {
                least = cost;
                (from[i + 1], kept[i + 1]) = (at, value);
            }
        }
        open[i + 1] = least - magnitude * magnitude;
        let end = if place == 63 { 0.0 } else { lambda * rates.end };
        if open[i + 1] + end < best {
            (best, best_at) = (open[i + 1] + end, i + 1);
        }
    }
    let mut next = n;
    block.mask &= 1;
    while next > 0 {
        let place = usize::from(places[next - 1]);
        let value = &mut block.values[usize::from(TRANSPOSED[place])];
        if next == best_at {
            *value = kept[next] as i16 * value.signum();
            block.mask |= 1 << place;
            best_at = usize::from(from[next]);
        } else {
            *value = 0;
        }
        next -= 1;
    }
}

/// The largest value that takes a bit less.
#[inline(always)]
fn below(value: f32) -> f32 {
    let category = 32 - (value as u32).leading_zeros();
    ((1_u32 << (category - 1)) - 1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Error in squared steps and bits of AC, by the definition.
    fn cost(block: &Block, exact: &[f32; 64], rates: &Rates, lambda: f32) -> f32 {
        let (mut error, mut bits, mut run) = (0.0, 0.0, 0_usize);
        for place in 1..64 {
            let value = block.at(place);
            let off = exact[usize::from(TRANSPOSED[place as usize])] - value as f32;
            error += off * off;
            if value == 0 {
                run += 1;
                continue;
            }
            bits += rates.step[(32 - value.unsigned_abs().leading_zeros()) as usize][run];
            run = 0;
        }
        error + lambda * (bits + if run > 0 { rates.end } else { 0.0 })
    }

    #[test]
    fn no_choice_of_values_is_cheaper() {
        // A table that charges more for longer runs and larger values.
        let counts: [u32; 256] = std::array::from_fn(|symbol| {
            1 + 40_000 / (1 + (symbol as u32 >> 4) * 9 + symbol as u32 % 16 * 5).pow(2)
        });
        let rates = Rates::new(&Table::new(&counts));
        let factors = [1.0 / 16.0; 64];
        let mut state = 1_u32;
        let mut random = move |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        for _ in 0..200 {
            let mut coefficients = [0_i16; 64];
            let places: Vec<usize> = (0..5).map(|_| 1 + random(63) as usize).collect();
            for place in &places {
                coefficients[usize::from(TRANSPOSED[*place])] = random(150) as i16 - 75;
            }
            let exact = coefficients.map(|value| f32::from(value) / 16.0);
            let mut block = Block::new(exact.map(|value| value.round() as i16));
            let start = block;
            improve(&mut block, &coefficients, &factors, &rates, 0.2);
            assert_eq!(block.mask, Block::new(block.values).mask);
            let found = cost(&block, &exact, &rates, 0.2);
            // Each of the five as it was, with a bit less, or gone.
            for choice in 0..3_u32.pow(5) {
                let mut other = start;
                for (n, place) in places.iter().enumerate() {
                    let at = usize::from(TRANSPOSED[*place]);
                    let value = start.values[at];
                    other.values[at] = match choice / 3_u32.pow(n as u32) % 3 {
                        0 => value,
                        1 if value != 0 => {
                            below(f32::from(value.unsigned_abs())) as i16 * value.signum()
                        }
                        _ => 0,
                    };
                }
                let other = cost(&Block::new(other.values), &exact, &rates, 0.2);
                assert!(found <= other + 1e-3, "{found} {other}");
            }
        }
    }
}
