//! What was decoded of one message, kept from one device to the next: each part is decoded once,
//! however many devices it goes to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    codec::{OpenHint, Session},
    fit::Task,
    model::MediaKind,
};

/// Sessions by part and by what they write. Cheap to clone: all clones share them.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<HashMap<(usize, MediaKind), Kept>>>);

struct Kept {
    /// What it was opened for.
    hint: OpenHint,
    /// None while it is lent.
    session: Option<Box<dyn Session>>,
}

impl Sessions {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<(usize, MediaKind), Kept>) -> T) -> T {
        // Nothing panics in between that could leave it half changed.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A session that was opened for as much as `hint` asks, if one is here.
    pub(super) fn take(
        &self,
        index: usize,
        kind: MediaKind,
        hint: OpenHint,
    ) -> Option<Box<dyn Session>> {
        self.with(|all| {
            let kept = all.get_mut(&(index, kind))?;
            // Decoded larger is good for smaller.
            let enough =
                hint.largest.within(kept.hint.largest) && kept.hint.animation == hint.animation;
            if enough { kept.session.take() } else { None }
        })
    }

    /// One was opened anew, and will come back.
    pub(super) fn opened(&self, index: usize, kind: MediaKind, hint: OpenHint) {
        self.with(|all| all.insert((index, kind), Kept { hint, session: None }));
    }

    /// It comes back.
    pub(super) fn give_back(&self, index: usize, task: &Task, session: Box<dyn Session>) {
        let kind = match task {
            Task::Image(_) => MediaKind::Image,
            Task::Audio(_) => MediaKind::Audio,
            Task::Video(_) => MediaKind::Video,
        };
        self.with(|all| {
            if let Some(kept) = all.get_mut(&(index, kind)) {
                kept.session = Some(session);
            }
        });
    }
}
