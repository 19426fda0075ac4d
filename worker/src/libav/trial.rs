//! Whether a track can be decoded: by decoding it until something comes out. A header says which
//! codec a track claims; files of phones have proprietary audio beside their video.

use mmsfit::codec::CodecError;

use super::{
    decoder::Decoder,
    ff::{Frame, Packet},
    tracks::Track,
};

/// A track on trial.
pub(super) struct Trial(State);

enum State {
    Running(Decoder, Frame),
    Passed,
    Failed(CodecError),
}

impl Trial {
    /// Opens the decoder.
    pub fn of(track: &Track) -> Self {
        let opened = Decoder::open(track).and_then(|decoder| Ok((decoder, Frame::new()?)));
        Self(match opened {
            Ok((decoder, frame)) => State::Running(decoder, frame),
            Err(error) => State::Failed(error),
        })
    }

    /// The next packet of the track, or nothing: its end.
    pub fn feed(&mut self, packet: Option<&Packet>) {
        let State::Running(decoder, frame) = &mut self.0 else { return };
        let got = decoder.send(packet).and_then(|()| decoder.receive(frame));
        match got {
            Ok(Some(())) => self.0 = State::Passed,
            Ok(None) => {}
            Err(error) => self.0 = State::Failed(error),
        }
    }

    /// Why it cannot be decoded; `None` where it can.
    pub fn verdict(mut self) -> Option<CodecError> {
        self.feed(None);
        match self.0 {
            State::Passed => None,
            State::Failed(error) => Some(error),
            State::Running(..) => {
                let detail = "nothing of it can be decoded".into();
                Some(CodecError::Malformed { format: "media", detail })
            }
        }
    }
}
