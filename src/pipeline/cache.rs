//! What was decoded of one message, kept from one device to the next: each part is decoded once,
//! however many devices it goes to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes as Buffer;

use crate::{
    codec::{OpenHint, Session},
    message::{Message, Part},
    model::{MediaKind, PartId},
    plan::PartFacts,
};

/// What is known of one message's parts, and sessions by part and by what they write: of that
/// message and of no other. Cheap to clone: all clones share them.
#[derive(Clone)]
pub struct Sessions {
    /// The bytes of the message's parts. Held, so that no other bytes come to lie where they lie.
    of: Arc<[Buffer]>,
    store: Arc<Mutex<Store>>,
}

#[derive(Default)]
struct Store {
    facts: HashMap<PartId, PartFacts>,
    sessions: HashMap<(usize, MediaKind), Kept>,
}

struct Kept {
    /// What it was opened for.
    hint: OpenHint,
    /// `None` while it is lent.
    session: Option<Box<dyn Session>>,
}

impl Sessions {
    /// For a message, in whichever clone.
    pub fn of(message: &Message) -> Self {
        let parts = message.parts().iter().map(|part| part.data.clone());
        Self { of: parts.collect(), store: Arc::default() }
    }

    /// Whether they are for this message.
    pub(super) fn are_of(&self, message: &Message) -> bool {
        let same = |(own, part): (&Buffer, &Part)| {
            (own.as_ptr(), own.len()) == (part.data.as_ptr(), part.data.len())
        };
        let parts = message.parts();
        self.of.len() == parts.len() && self.of.iter().zip(parts).all(same)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Store) -> T) -> T {
        // Nothing panics in between that could leave it half changed.
        f(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The facts of a part, probed once.
    pub(super) fn facts<E>(
        &self,
        id: PartId,
        probe: impl FnOnce() -> Result<PartFacts, E>,
    ) -> Result<PartFacts, E> {
        if let Some(known) = self.with(|all| all.facts.get(&id).cloned()) {
            return Ok(known);
        }
        let facts = probe()?;
        self.with(|all| all.facts.insert(id, facts.clone()));
        Ok(facts)
    }

    /// A session that was opened for as much as `hint` asks, if one is here.
    pub(super) fn take(
        &self,
        index: usize,
        kind: MediaKind,
        hint: OpenHint,
    ) -> Option<Box<dyn Session>> {
        self.with(|all| {
            let kept = all.sessions.get_mut(&(index, kind))?;
            // One decoded larger serves for smaller.
            let enough = hint.largest.within(kept.hint.largest)
                && kept.hint.animation == hint.animation
                && kept.hint.effort >= hint.effort;
            if enough { kept.session.take() } else { None }
        })
    }

    /// A new one was opened, and will come back.
    pub(super) fn opened(&self, index: usize, kind: MediaKind, hint: OpenHint) {
        self.with(|all| all.sessions.insert((index, kind), Kept { hint, session: None }));
    }

    /// It comes back.
    pub(super) fn give_back(&self, index: usize, kind: MediaKind, session: Box<dyn Session>) {
        self.with(|all| {
            if let Some(kept) = all.sessions.get_mut(&(index, kind)) {
                kept.session = Some(session);
            }
        });
    }
}
