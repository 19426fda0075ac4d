//! One track of a file, opened by the one reader that its content calls for.

use std::io::Cursor;

use bytes::Bytes as Buffer;
use symphonia::{
    core::{
        audio::AudioSpec,
        codecs::audio::{
            AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known::*,
        },
        formats::{FormatOptions, FormatReader, TrackType},
        io::MediaSourceStream,
        packet::Packet,
    },
    default::{formats, get_codecs},
};

use super::{SLACK, aac, damaged, left, mp4, mpeg, vorbis};
use crate::{
    codec::{CodecError, sniff::sniff},
    model::{MediaKind, MediaType},
};

/// Rates of audio that are read here, in samples per second.
const RATES: std::ops::RangeInclusive<u32> = 4000..=192_000;

/// Samples that a packet may hold: the longest block of FLAC (RFC 9639 clause 4.1).
const MAX_PACKET_FRAMES: u64 = 65_536;

/// Files by how they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Mp3,
    Adts,
    Mp4,
    Flac,
    Ogg,
    Riff,
    Aiff,
    Caf,
}

impl Family {
    fn of(media_type: &MediaType) -> Option<Self> {
        Some(match media_type.as_str() {
            "audio/mpeg" => Self::Mp3,
            "audio/aac" => Self::Adts,
            "audio/mp4" | "audio/3gpp" | "audio/3gpp2" => Self::Mp4,
            "audio/flac" => Self::Flac,
            "audio/ogg" => Self::Ogg,
            "audio/wav" => Self::Riff,
            "audio/x-aiff" => Self::Aiff,
            "audio/x-caf" => Self::Caf,
            _ => return None,
        })
    }

    /// The codecs that are read in such a file. Where others are read by the crate, too, what
    /// comes out is not what libav makes of it: IMA of QuickTime, MP3 in MP4.
    fn codec(self, codec: AudioCodecId) -> Option<&'static str> {
        let name = match (self, codec) {
            (Self::Mp3, CODEC_ID_MP3) => "mp3",
            (Self::Adts | Self::Mp4, CODEC_ID_AAC) => "aac",
            (Self::Mp4 | Self::Caf, CODEC_ID_ALAC) => "alac",
            (Self::Flac | Self::Ogg, CODEC_ID_FLAC) => "flac",
            (Self::Ogg, CODEC_ID_VORBIS) => "vorbis",
            (Self::Riff, CODEC_ID_ADPCM_MS) => "adpcm_ms",
            (Self::Riff, CODEC_ID_ADPCM_IMA_WAV) => "adpcm_ima_wav",
            (Self::Riff | Self::Aiff | Self::Caf, codec) => uncompressed(codec)?,
            _ => return None,
        };
        Some(name)
    }
}

/// Samples as they are, as ffprobe names them.
fn uncompressed(codec: AudioCodecId) -> Option<&'static str> {
    Some(match codec {
        CODEC_ID_PCM_U8 => "pcm_u8",
        CODEC_ID_PCM_S8 => "pcm_s8",
        CODEC_ID_PCM_S16LE => "pcm_s16le",
        CODEC_ID_PCM_S16BE => "pcm_s16be",
        CODEC_ID_PCM_S24LE => "pcm_s24le",
        CODEC_ID_PCM_S24BE => "pcm_s24be",
        CODEC_ID_PCM_S32LE => "pcm_s32le",
        CODEC_ID_PCM_S32BE => "pcm_s32be",
        CODEC_ID_PCM_F32LE => "pcm_f32le",
        CODEC_ID_PCM_F32BE => "pcm_f32be",
        CODEC_ID_PCM_F64LE => "pcm_f64le",
        CODEC_ID_PCM_F64BE => "pcm_f64be",
        CODEC_ID_PCM_ALAW => "pcm_alaw",
        CODEC_ID_PCM_MULAW => "pcm_mulaw",
        _ => return None,
    })
}

/// Whether files of a type may be read here.
pub(super) fn is_known(media_type: &MediaType) -> bool {
    media_type.kind() == MediaKind::Audio && Family::of(media_type).is_some()
}

/// An open file.
pub(super) struct Source {
    reader: Box<dyn FormatReader>,
    track: u32,
    params: AudioCodecParameters,
    /// By content.
    pub media_type: MediaType,
    /// As ffprobe names it.
    pub codec: &'static str,
    /// As ffprobe names it; empty where it has none.
    pub profile: &'static str,
    /// Samples per second and channel.
    pub rate: u32,
    /// One or two.
    pub channels: u8,
    /// Samples of each channel before the beginning, which the reader does not leave out itself.
    pub skip: u64,
    /// Bytes of a packet's header, which the reader takes off.
    pub framing: u64,
    /// Samples that the reader counts and leaves out.
    trimmed: u64,
    /// Samples to be heard, as the file tells, and how many more or less there may be.
    told: Option<(u64, u64)>,
    /// What is before the beginning and behind the end is told, and left out by the decoder.
    gapless: bool,
    /// Bytes between the tags of a stream that is nothing but frames.
    stream: Option<u64>,
}

impl Source {
    /// Opens a file and its track.
    pub fn open(input: &Buffer) -> Result<Self, CodecError> {
        let media_type = sniff(input).filter(is_known);
        let (media_type, family) = media_type
            .and_then(|found| Family::of(&found).map(|family| (found, family)))
            .ok_or_else(|| left("no decoder of this process reads its type"))?;
        let mut bytes = input.clone();
        let (mut skip, mut framing) = (0, 0);
        match family {
            Family::Mp3 => bytes = mpeg::without_tags(input),
            Family::Adts => {
                bytes = mpeg::without_tags(input);
                aac::check_stream(&bytes)?;
                framing = aac::ADTS_HEADER;
            }
            _ => {}
        }
        let movie = if family == Family::Mp4 { Some(mp4::look(input)?) } else { None };
        let stream = bytes.len() as u64;
        let reader = reader(family, bytes)?;
        let [track] = reader.tracks() else { return Err(left("it has several tracks")) };
        let track = Some(track).filter(|track| track.track_type() == Some(TrackType::Audio));
        let track = track.cloned().ok_or_else(|| left("there is no audio in it"))?;
        let params = track.codec_params.as_ref().and_then(|params| params.audio()).cloned();
        let params = params.ok_or_else(|| left("its codec is not known here"))?;
        let codec = family.codec(params.codec).ok_or_else(|| left("its codec stays outside"))?;
        let rate = params.sample_rate.filter(|rate| RATES.contains(rate));
        let rate = rate.ok_or_else(|| left("its rate is unusual"))?;
        let channels = params.channels.as_ref().map_or(0, |channels| channels.count());
        let channels = u8::try_from(channels).ok().filter(|n| (1..=2).contains(n));
        let channels = channels.ok_or_else(|| left("it has neither one channel nor two"))?;
        if params.max_frames_per_packet.is_some_and(|frames| frames > MAX_PACKET_FRAMES) {
            return Err(left("its packets are too long"));
        }
        let base = track.time_base.map(|base| (base.numer.get(), base.denom.get()));
        if base != Some((1, rate)) {
            return Err(left("it does not count in samples"));
        }
        let extra = params.extra_data.as_deref().unwrap_or_default();
        let mut profile = "";
        match params.codec {
            CODEC_ID_AAC => {
                profile = "LC";
                if family == Family::Mp4 {
                    aac::check_config(extra)?;
                }
            }
            CODEC_ID_VORBIS => vorbis::check_tables(extra)?,
            _ => {}
        }
        if let Some(movie) = movie {
            skip = movie.priming(rate)?;
        }
        let mp3 = family == Family::Mp3;
        // A length that the reader only guesses is not used to cut the audio.
        let gapless = !mp3 || track.delay.is_some();
        let slack = if mp3 { 0 } else { SLACK };
        let around = track.delay.unwrap_or(0).saturating_add(track.padding.unwrap_or(0));
        Ok(Self {
            track: track.id,
            params,
            media_type,
            codec,
            profile,
            rate,
            channels,
            skip,
            framing,
            trimmed: if mp3 { around.into() } else { 0 },
            told: track.num_frames.filter(|_| gapless).map(|told| (told, slack)),
            gapless,
            stream: mp3.then_some(stream),
            reader,
        })
    }

    /// A decoder for the track.
    pub fn decoder(&self) -> Result<Box<dyn AudioDecoder>, CodecError> {
        let options = AudioDecoderOptions::default().gapless(self.gapless);
        get_codecs().make_audio_decoder(&self.params, &options).map_err(damaged)
    }

    /// The next packet; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Packet>, CodecError> {
        let Some(packet) = self.reader.next_packet().map_err(damaged)? else { return Ok(None) };
        if packet.track_id != self.track || packet.data.is_empty() {
            return Err(left("its packets are not those of one track"));
        }
        Ok(Some(packet))
    }

    /// Whether samples have the form that the header tells.
    pub fn check_form(&self, spec: &AudioSpec) -> Result<(), CodecError> {
        let same =
            spec.rate() == self.rate && spec.channels().count() == usize::from(self.channels);
        if same { Ok(()) } else { Err(left("its form changes on the way")) }
    }

    /// Whether `bytes` in packets are all that is there: readers look for the next frame behind
    /// what they cannot read, and say nothing.
    pub fn check_covered(&self, bytes: u64) -> Result<(), CodecError> {
        // A frame of facts about the audio is not one of its packets.
        let whole = self.stream.is_none_or(|all| bytes + mpeg::MAX_FRAME >= all);
        if whole { Ok(()) } else { Err(left("there is something else between its frames")) }
    }

    /// Samples of each channel to be heard, of packets that last `ticks` together.
    pub fn heard_of(&self, ticks: u64) -> Result<u64, CodecError> {
        let frames = ticks.saturating_sub(self.trimmed);
        if self.told.is_some_and(|(told, slack)| told.abs_diff(frames) > slack) {
            return Err(left("it is not as long as it says"));
        }
        match frames.saturating_sub(self.skip) {
            0 => Err(left("nothing of it is heard")),
            frames => Ok(frames),
        }
    }
}

fn reader(family: Family, bytes: Buffer) -> Result<Box<dyn FormatReader>, CodecError> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let options = FormatOptions::default();
    let reader: Box<dyn FormatReader> = match family {
        Family::Mp3 => Box::new(formats::MpaReader::try_new(stream, options).map_err(damaged)?),
        Family::Adts => Box::new(formats::AdtsReader::try_new(stream, options).map_err(damaged)?),
        Family::Mp4 => Box::new(formats::IsoMp4Reader::try_new(stream, options).map_err(damaged)?),
        Family::Flac => Box::new(formats::FlacReader::try_new(stream, options).map_err(damaged)?),
        Family::Ogg => Box::new(formats::OggReader::try_new(stream, options).map_err(damaged)?),
        Family::Riff => Box::new(formats::WavReader::try_new(stream, options).map_err(damaged)?),
        Family::Aiff => Box::new(formats::AiffReader::try_new(stream, options).map_err(damaged)?),
        Family::Caf => Box::new(formats::CafReader::try_new(stream, options).map_err(damaged)?),
    };
    Ok(reader)
}
