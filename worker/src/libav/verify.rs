//! An output of ours, decoded again from its first to its last packet.

use bytes::Bytes as Buffer;
use mmsfit::codec::{CodecError, DecodeLimits, Verified};

use super::{
    decoder::Decoder,
    ff::{Frame, Packet, internal},
    input::Input,
    probe, tracks,
};

/// Decodes everything; nothing may be damaged.
pub(super) fn verify(bytes: &Buffer, limits: &DecodeLimits) -> Result<Verified, CodecError> {
    let probe::Probed { info, chosen, .. } = probe::probe(bytes, limits)?;
    let mut input = Input::open(bytes)?;
    let mut decoders = Vec::new();
    let numbers = [chosen.video, chosen.audio].into_iter().flatten();
    for track in numbers.filter_map(|n| tracks::at(&input, n)) {
        let mut decoder = Decoder::open(&track)?;
        // Every error is reported.
        decoder.context().err_recognition = (ffmpeg_sys_next::AV_EF_EXPLODE
            | ffmpeg_sys_next::AV_EF_CRCCHECK
            | ffmpeg_sys_next::AV_EF_BITSTREAM) as i32;
        decoders.push((track, decoder, 0u64));
    }
    let (mut packet, mut frame) = (Packet::new()?, Frame::new()?);
    while input.read(&mut packet)? {
        let index = packet.stream_index;
        if let Some((_, decoder, frames)) = decoders.iter_mut().find(|(t, ..)| t.index == index) {
            decoder.send(Some(&packet))?;
            *frames += count(decoder, &mut frame)?;
        }
    }
    for (_, decoder, frames) in &mut decoders {
        decoder.send(None)?;
        *frames += count(decoder, &mut frame)?;
        if *frames == 0 || decoder.damaged_packets() > 0 {
            return Err(internal("an output of ours does not decode"));
        }
    }
    Ok(Verified { info, quality: None })
}

fn count(decoder: &mut Decoder, frame: &mut Frame) -> Result<u64, CodecError> {
    let mut frames = 0;
    while decoder.receive(frame)?.is_some() {
        frames += 1;
        frame.clear();
    }
    Ok(frames)
}
