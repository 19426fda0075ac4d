//! A medium that occurs in a message several times is decoded once, and encoded once for each
//! recipe. Every part still has its own search and its own share of the bytes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes as Buffer;

use crate::{
    codec::{CodecError, ContentFacts, EncodeError, Judged, OpenHint, Reference, Session, within},
    message::Part,
    model::{Bytes, Dimensions, MediaInfo, MediaKind, Recipe, Rgb, Stop},
};

/// What makes two sessions one: the part whose bytes they are, what they write, what for.
type Key = (usize, MediaKind, (Dimensions, bool));

/// The sessions of one message that are opened for more than one part.
#[derive(Default)]
pub(super) struct Duplicates {
    /// For each part the first one with the same bytes, where there are several.
    first: Vec<Option<usize>>,
    open: Mutex<HashMap<Key, Arc<Mutex<Option<Shared>>>>>,
}

impl Duplicates {
    /// Among the parts of a message.
    pub fn among(parts: &[Part]) -> Self {
        let mut first = vec![None; parts.len()];
        // By length first: few are compared byte for byte.
        let mut lengths: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, part) in parts.iter().enumerate() {
            let alike = lengths.entry(part.data.len()).or_default();
            match alike.iter().find(|other| parts[**other].data == part.data) {
                Some(other) => {
                    first[*other] = Some(*other);
                    first[at] = Some(*other);
                }
                None => alike.push(at),
            }
        }
        Self { first, open: Mutex::default() }
    }

    /// A session of a part; what `open` gives is shared, where other parts have the same bytes.
    pub fn session(
        &self,
        index: usize,
        kind: MediaKind,
        hint: OpenHint,
        open: impl FnOnce() -> Result<Box<dyn Session>, CodecError>,
    ) -> Result<Box<dyn Session>, CodecError> {
        let Some(first) = self.first.get(index).copied().flatten() else { return open() };
        let key = (first, kind, (hint.largest, hint.animation));
        let shared = Arc::clone(lock(&self.open).entry(key).or_default());
        // The second caller waits for the first.
        let mut inner = lock(&shared);
        let info = match &*inner {
            Some(shared) => shared.session.info().clone(),
            None => {
                let session = open()?;
                let info = session.info().clone();
                *inner = Some(Shared {
                    session,
                    measured: HashMap::new(),
                    compared: HashMap::new(),
                    judged: HashMap::new(),
                    encoded: Vec::new(),
                });
                info
            }
        };
        drop(inner);
        Ok(Box::new(Duplicate { shared, info }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Its contents are consistent after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Outputs that are kept: duplicates search side by side.
const KEPT: usize = 4;

struct Shared {
    session: Box<dyn Session>,
    measured: HashMap<Recipe, Option<Bytes>>,
    compared: HashMap<Vec<Recipe>, Option<usize>>,
    judged: HashMap<Recipe, Judged>,
    encoded: Vec<(Recipe, Buffer)>,
}

struct Duplicate {
    shared: Arc<Mutex<Option<Shared>>>,
    info: MediaInfo,
}

impl Duplicate {
    fn with<T>(&self, f: impl FnOnce(&mut Shared) -> T) -> Option<T> {
        lock(&self.shared).as_mut().map(f)
    }
}

impl Session for Duplicate {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn facts(&mut self) -> ContentFacts {
        self.with(|shared| shared.session.facts()).unwrap_or_default()
    }

    fn reference(&mut self, largest: Dimensions, background: Rgb) -> Option<Reference> {
        self.with(|shared| shared.session.reference(largest, background)).flatten()
    }

    fn moments(
        &mut self,
        count: u8,
        background: Rgb,
        stop: &Stop,
    ) -> Result<Option<Vec<Reference>>, CodecError> {
        let found = self.with(|shared| shared.session.moments(count, background, stop));
        found.unwrap_or(Ok(None))
    }

    fn measure(&mut self, recipe: &Recipe, stop: &Stop) -> Result<Option<Bytes>, CodecError> {
        let measured = self.with(|shared| {
            if let Some(known) = shared.measured.get(recipe) {
                return Ok(*known);
            }
            let measured = shared.session.measure(recipe, stop)?;
            shared.measured.insert(*recipe, measured);
            Ok(measured)
        });
        measured.unwrap_or(Ok(None))
    }

    fn compare(&mut self, recipes: &[Recipe], stop: &Stop) -> Result<Option<usize>, CodecError> {
        let compared = self.with(|shared| {
            if let Some(known) = shared.compared.get(recipes) {
                return Ok(*known);
            }
            let compared = shared.session.compare(recipes, stop)?;
            shared.compared.insert(recipes.to_vec(), compared);
            Ok(compared)
        });
        compared.unwrap_or(Ok(None))
    }

    fn judge(
        &mut self,
        recipe: &Recipe,
        largest: Dimensions,
        cap: Bytes,
        stop: &Stop,
    ) -> Result<Option<Judged>, EncodeError> {
        let judged = self.with(|shared| {
            let known = shared.judged.get(recipe).copied();
            if let Some(known) = known.filter(|known| known.size <= cap) {
                return Ok(Some(known));
            }
            let judged = shared.session.judge(recipe, largest, cap, stop)?;
            if let Some(judged) = judged {
                shared.judged.insert(*recipe, judged);
            }
            Ok(judged)
        });
        judged.unwrap_or(Ok(None))
    }

    fn encode(&mut self, recipe: &Recipe, cap: Bytes, stop: &Stop) -> Result<Buffer, EncodeError> {
        let encoded = self.with(|shared| {
            if let Some((_, known)) = shared.encoded.iter().find(|(other, _)| other == recipe) {
                return within(known, cap);
            }
            let output = shared.session.encode(recipe, cap, stop)?;
            if shared.encoded.len() == KEPT {
                shared.encoded.remove(0);
            }
            shared.encoded.push((*recipe, output.clone()));
            Ok(output)
        });
        let gone = || CodecError::Internal("a duplicate without a session".into());
        encoded.unwrap_or_else(|| Err(gone().into()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::model::{Chroma, Effort, ImageCoding, ImageRecipe, MediaType, Quality};

    struct Counting(Arc<AtomicU32>, MediaInfo);

    impl Session for Counting {
        fn info(&self) -> &MediaInfo {
            &self.1
        }

        fn facts(&mut self) -> ContentFacts {
            ContentFacts::default()
        }

        fn encode(&mut self, _: &Recipe, _: Bytes, _: &Stop) -> Result<Buffer, EncodeError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(vec![7; 100].into())
        }
    }

    #[test]
    fn the_same_bytes_are_opened_and_encoded_once() {
        let part = |data: &'static [u8]| {
            let message = crate::message::Message::bare(Buffer::from_static(data), None);
            message.parts()[0].clone()
        };
        let parts = [part(b"aa"), part(b"bb"), part(b"aa"), part(b"aa")];
        let duplicates = Duplicates::among(&parts);
        let hint = OpenHint {
            largest: Dimensions::at_least_one(9, 9),
            animation: false,
            effort: Effort::Balanced,
        };
        let (opened, encoded) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
        let open = |index| {
            let made = duplicates.session(index, MediaKind::Image, hint, || {
                opened.fetch_add(1, Ordering::Relaxed);
                let info = MediaInfo::opaque(MediaType::JPEG, Bytes::new(2));
                Ok(Box::new(Counting(Arc::clone(&encoded), info)))
            });
            made.expect("opens")
        };
        let mut sessions: Vec<Box<dyn Session>> = (0..4).map(open).collect();
        assert_eq!(opened.load(Ordering::Relaxed), 2);
        let quality = Quality::new(50);
        let coding = ImageCoding::Jpeg { quality, chroma: Chroma::Quarter, trellis: true };
        let recipe =
            Recipe::Image(ImageRecipe { dimensions: hint.largest, coding, background: [255; 3] });
        for session in &mut sessions {
            let encode = |session: &mut Box<dyn Session>, cap| {
                session.encode(&recipe, Bytes::new(cap), &Stop::never())
            };
            assert_eq!(encode(session, 100).expect("fits").len(), 100);
        }
        assert_eq!(encoded.load(Ordering::Relaxed), 2, "one for each kind of bytes");
        let over = sessions[0].encode(&recipe, Bytes::new(99), &Stop::never());
        assert!(matches!(over, Err(EncodeError::OverCap { at_least }) if at_least.get() == 100));
        assert_eq!(encoded.load(Ordering::Relaxed), 2);
    }
}
