//! The marker segments around the scan (T.81 annex B; JFIF 1.02).

use super::{entropy::Plan, quantise::Quantised};

/// SOI and JFIF APP0: version 1.01, no density, no thumbnail.
const START: [u8; 20] =
    [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];

/// Bytes before the scan's data.
pub fn header_len(quantised: &Quantised, plan: &Plan) -> u64 {
    let components = quantised.components.len() as u64;
    let tables = if components == 1 { 1 } else { 2 };
    let quantisers = tables * (4 + 65);
    let frame = 2 + 8 + 3 * components;
    let huffman: u64 =
        plan.classes.iter().map(|(dc, ac)| 8 + dc.segment_len() + ac.segment_len()).sum();
    let scan = 2 + 6 + 2 * components;
    START.len() as u64 + quantisers + frame + huffman + scan
}

/// Writes everything before the scan's data.
pub fn write_header(quantised: &Quantised, plan: &Plan, out: &mut Vec<u8>) {
    out.extend_from_slice(&START);
    let gray = quantised.components.len() == 1;
    let tables = [&quantised.tables.luma, &quantised.tables.chroma];
    for (index, table) in (0u8..).zip(tables).take(if gray { 1 } else { 2 }) {
        segment(out, 0xDB, |out| {
            out.push(index);
            out.extend_from_slice(table);
        });
    }
    // SOF0: baseline, 8 bits. Sides are at most 65,535: recipes come from boxes far smaller, and
    // a larger one would be refused by every decoder.
    let side = |n: u32| (n.min(65_535) as u16).to_be_bytes();
    segment(out, 0xC0, |out| {
        out.push(8);
        out.extend_from_slice(&side(quantised.dimensions.height()));
        out.extend_from_slice(&side(quantised.dimensions.width()));
        out.push(quantised.components.len() as u8);
        for (index, component) in (0u8..).zip(&quantised.components) {
            let sampling = component.sampling as u8;
            out.extend_from_slice(&[index + 1, sampling << 4 | sampling, index.min(1)]);
        }
    });
    for (index, (dc, ac)) in (0u8..).zip(&plan.classes) {
        for (class, table) in [(0u8, dc), (1, ac)] {
            segment(out, 0xC4, |out| {
                out.push(class << 4 | index);
                out.extend_from_slice(&table.lengths);
                out.extend_from_slice(&table.symbols);
            });
        }
    }
    segment(out, 0xDA, |out| {
        out.push(quantised.components.len() as u8);
        for index in 0..quantised.components.len() as u8 {
            let table = index.min(1);
            out.extend_from_slice(&[index + 1, table << 4 | table]);
        }
        out.extend_from_slice(&[0, 63, 0]);
    });
}

/// A marker, its length, its body.
fn segment(out: &mut Vec<u8>, marker: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[0xFF, marker, 0, 0]);
    let start = out.len();
    body(out);
    let length = (out.len() - start + 2) as u16;
    out[start - 2..start].copy_from_slice(&length.to_be_bytes());
}
