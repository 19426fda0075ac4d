//! What was decoded of one message, kept from one device to the next: each part is decoded once,
//! however many devices it goes to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    codec::{OpenHint, Session},
    fit::Task,
    model::{MediaKind, PartId},
    plan::PartFacts,
};

/// What is known of one message's parts, and sessions by part and by what they write. Cheap to
/// clone: all clones share them.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<Store>>);

#[derive(Default)]
struct Store {
    facts: HashMap<PartId, PartFacts>,
    sessions: HashMap<(usize, MediaKind), Kept>,
}

struct Kept {
    /// What it was opened for.
    hint: OpenHint,
    /// None while it is lent.
    session: Option<Box<dyn Session>>,
}

impl Sessions {
    fn with<T>(&self, f: impl FnOnce(&mut Store) -> T) -> T {
        // Nothing panics in between that could leave it half changed.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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
            // Decoded larger is good for smaller.
            let enough =
                hint.largest.within(kept.hint.largest) && kept.hint.animation == hint.animation;
            if enough { kept.session.take() } else { None }
        })
    }

    /// One was opened anew, and will come back.
    pub(super) fn opened(&self, index: usize, kind: MediaKind, hint: OpenHint) {
        self.with(|all| all.sessions.insert((index, kind), Kept { hint, session: None }));
    }

    /// It comes back.
    pub(super) fn give_back(&self, index: usize, task: &Task, session: Box<dyn Session>) {
        let kind = match task {
            Task::Image(_) => MediaKind::Image,
            Task::Audio(_) => MediaKind::Audio,
            Task::Video(_) => MediaKind::Video,
        };
        self.with(|all| {
            if let Some(kept) = all.sessions.get_mut(&(index, kind)) {
                kept.session = Some(session);
            }
        });
    }
}
