//! Quantising and entropy coding: one interleaved baseline scan (T.81 Annex F).

use bytes::Bytes as Buffer;

use super::{
    dct,
    huffman::{BitWriter, Table},
    tables::{CHROMA, LUMA, ZIGZAG, quantisers},
    transform::{Component, Transformed},
};
use crate::{
    codec::{CodecError, EncodeError},
    model::{Bytes, Quality, Stop, StopCause},
};

/// One quantised block: values in zig-zag order and a bit for each that is not zero.
struct Block {
    values: [i16; 64],
    mask: u64,
}

/// Which of the two sets of tables a component uses.
fn set(component: usize) -> usize {
    usize::from(component > 0)
}

/// How often each symbol occurs, and the bits that follow the symbols.
struct Counts {
    dc: [[u32; 256]; 2],
    ac: [[u32; 256]; 2],
    extra_bits: u64,
}

/// A picture ready to be written: quantised, its symbols counted, its tables made.
struct Prepared {
    planes: Vec<Vec<Block>>,
    dc: [Table; 2],
    ac: [Table; 2],
    headers: Vec<u8>,
    /// The whole file but for stuffing, which only the writing tells.
    at_least: Bytes,
}

fn prepare(picture: &Transformed, quality: Quality, stop: &Stop) -> Result<Prepared, StopCause> {
    let quantisers = [quantisers(&LUMA, quality), quantisers(&CHROMA, quality)];
    let sets = if picture.components.len() > 1 { 2 } else { 1 };
    let mut planes = Vec::with_capacity(picture.components.len());
    for (at, component) in picture.components.iter().enumerate() {
        stop.check()?;
        planes.push(quantise(component, &quantisers[set(at)]));
    }

    let mut counts = Counts { dc: [[0; 256]; 2], ac: [[0; 256]; 2], extra_bits: 0 };
    walk(picture, &planes, stop, |component, block, difference| {
        let set = set(component);
        let category = category(difference);
        counts.dc[set][usize::from(category)] += 1;
        counts.extra_bits += u64::from(category);
        for_each_ac(block, |symbol, _, extra| {
            counts.ac[set][usize::from(symbol)] += 1;
            counts.extra_bits += u64::from(extra);
        });
    })?;
    let dc = [Table::new(&counts.dc[0]), Table::new(&counts.dc[1])];
    let ac = [Table::new(&counts.ac[0]), Table::new(&counts.ac[1])];

    let headers = headers(picture, &quantisers[..sets], &dc[..sets], &ac[..sets]);
    let bits: u64 = (0..sets)
        .map(|set| dc[set].bits(&counts.dc[set]) + ac[set].bits(&counts.ac[set]))
        .sum::<u64>()
        + counts.extra_bits;
    let at_least = Bytes::new(headers.len() as u64 + bits.div_ceil(8) + 2);
    Ok(Prepared { planes, dc, ac, headers, at_least })
}

pub(super) fn measure(
    picture: &Transformed,
    quality: Quality,
    stop: &Stop,
) -> Result<Bytes, CodecError> {
    let at_least = prepare(picture, quality, stop)?.at_least;
    // Of entropy-coded bytes one in some 230 is 0xFF and gets a zero after it.
    Ok(at_least + Bytes::new(at_least.get() / 230))
}

pub(super) fn encode(
    picture: &Transformed,
    quality: Quality,
    cap: Bytes,
    stop: &Stop,
) -> Result<Buffer, EncodeError> {
    let Prepared { planes, dc, ac, headers, at_least } = prepare(picture, quality, stop)?;
    if at_least > cap {
        return Err(EncodeError::OverCap { at_least });
    }

    let mut writer = BitWriter::new(headers);
    writer.out.reserve(at_least.as_usize());
    walk(picture, &planes, stop, |component, block, difference| {
        let set = set(component);
        let category = category(difference);
        put(&mut writer, dc[set].code(category), difference, category);
        for_each_ac(block, |symbol, value, extra| {
            put(&mut writer, ac[set].code(symbol), value, extra);
        });
    })?;
    let mut out = writer.finish();
    out.extend_from_slice(&[0xFF, 0xD9]);
    let size = Bytes::of(&out);
    if size > cap {
        return Err(EncodeError::OverCap { at_least: size });
    }
    Ok(Buffer::from(out))
}

fn quantise(component: &Component, quantisers: &[u8; 64]) -> Vec<Block> {
    let factors: [f32; 64] = std::array::from_fn(|k| {
        let natural = usize::from(ZIGZAG[k]);
        let scale = 8.0 * dct::SCALE[natural % 8] * dct::SCALE[natural / 8];
        1.0 / (scale * f32::from(quantisers[k]))
    });
    component
        .blocks
        .iter()
        .map(|block| {
            // Rounds to nearest; the offset makes truncation round down.
            let values: [i16; 64] = std::array::from_fn(|k| {
                ((block[k] * factors[k] + 16384.5) as i32 - 16384).clamp(-1023, 1023) as i16
            });
            let mask = values
                .iter()
                .enumerate()
                .fold(0, |mask, (k, value)| mask | u64::from(*value != 0) << k);
            Block { values, mask }
        })
        .collect()
}

/// Calls `visit` with component, block and DC difference, in the order of the scan (A.2.3).
fn walk(
    picture: &Transformed,
    planes: &[Vec<Block>],
    stop: &Stop,
    mut visit: impl FnMut(usize, &Block, i32),
) -> Result<(), StopCause> {
    let mut previous = [0_i32; 3];
    for mcu_y in 0..picture.mcus.1 {
        stop.check()?;
        for mcu_x in 0..picture.mcus.0 {
            for (at, (component, blocks)) in picture.components.iter().zip(planes).enumerate() {
                let (h, v) = (usize::from(component.sampling.0), usize::from(component.sampling.1));
                for y in mcu_y * v..mcu_y * v + v {
                    for x in mcu_x * h..mcu_x * h + h {
                        let block = &blocks[y * component.blocks_wide + x];
                        let dc = i32::from(block.values[0]);
                        visit(at, block, dc - previous[at]);
                        previous[at] = dc;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Bits that the magnitude needs: SSSS of tables F.1 and F.2.
fn category(value: i32) -> u8 {
    (32 - value.unsigned_abs().leading_zeros()) as u8
}

/// Calls `emit` with symbol, value and extra bits for each AC symbol of a block (F.1.2.2).
#[inline]
fn for_each_ac(block: &Block, mut emit: impl FnMut(u8, i32, u8)) {
    const SIXTEEN_ZEROS: u8 = 0xF0;
    let mut left = block.mask & !1;
    let mut last = 0;
    while left != 0 {
        let at = left.trailing_zeros();
        left &= left - 1;
        let mut run = at - last - 1;
        while run > 15 {
            emit(SIXTEEN_ZEROS, 0, 0);
            run -= 16;
        }
        let value = i32::from(block.values[at as usize]);
        let bits = category(value);
        emit((run as u8) << 4 | bits, value, bits);
        last = at;
    }
    if last != 63 {
        emit(0, 0, 0);
    }
}

#[inline]
fn put(writer: &mut BitWriter, (code, length): (u16, u8), value: i32, extra: u8) {
    // Negative values are written less one, in `extra` bits.
    let low = (value + (value >> 31)) as u32 & ((1 << extra) - 1);
    writer.put(u32::from(code) << extra | low, u32::from(length) + u32::from(extra));
}

fn headers(picture: &Transformed, quantisers: &[[u8; 64]], dc: &[Table], ac: &[Table]) -> Vec<u8> {
    let mut out = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, body: &[u8]| {
        out.extend_from_slice(&[0xFF, marker]);
        out.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
        out.extend_from_slice(body);
    };
    // JFIF 1.01, square pixels, no thumbnail.
    segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let mut body = Vec::new();
    for (at, table) in quantisers.iter().enumerate() {
        body.push(at as u8);
        body.extend_from_slice(table);
    }
    segment(0xDB, &body);

    let (width, height) = picture.sides;
    body = vec![8];
    body.extend_from_slice(&height.to_be_bytes());
    body.extend_from_slice(&width.to_be_bytes());
    body.push(picture.components.len() as u8);
    for (at, component) in picture.components.iter().enumerate() {
        let sampling = component.sampling.0 << 4 | component.sampling.1;
        body.extend_from_slice(&[at as u8 + 1, sampling, set(at) as u8]);
    }
    segment(0xC0, &body);

    body.clear();
    for (class, tables) in [(0_u8, dc), (0x10, ac)] {
        for (at, table) in tables.iter().enumerate() {
            body.push(class | at as u8);
            body.extend_from_slice(&table.counts);
            body.extend_from_slice(&table.symbols);
        }
    }
    segment(0xC4, &body);

    body = vec![picture.components.len() as u8];
    for at in 0..picture.components.len() {
        body.extend_from_slice(&[at as u8 + 1, (set(at) * 0x11) as u8]);
    }
    body.extend_from_slice(&[0, 63, 0]);
    segment(0xDA, &body);
    out
}
