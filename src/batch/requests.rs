//! Requests of items: the run's own, and those of rows that ask for something else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes as Buffer;

use crate::service::request::{AdaptRequest, Content};

use super::{asked::Asked, digest, engine::Engine};

/// A request without its content.
pub struct Prepared {
    pub request: AdaptRequest,
    /// Changes whenever a result could: version, options, documents.
    pub fingerprint: String,
}

/// Requests of items.
pub struct Requests<'a> {
    engine: &'a dyn Engine,
    run: Arc<Prepared>,
    /// Rows that ask for the same share one: to find out what a result depends on means to resolve
    /// device and carrier.
    rows: Mutex<HashMap<Asked, Arc<Prepared>>>,
}

/// So many different ones are remembered; a list may have as many as it has rows.
const REMEMBERED: usize = 1024;

impl<'a> Requests<'a> {
    /// For a run that asks for `request`, whose content is ignored.
    pub fn new(engine: &'a dyn Engine, request: &AdaptRequest) -> Self {
        let run = Arc::new(prepare(engine, request.clone()));
        Self { engine, run, rows: Mutex::default() }
    }

    /// That of a row.
    ///
    /// # Errors
    /// In words, if a cell does not say what it should.
    pub fn of(&self, asked: &Asked) -> Result<Arc<Prepared>, String> {
        if asked.is_empty() {
            return Ok(self.run.clone());
        }
        let rows = || self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = rows().get(asked) {
            return Ok(known.clone());
        }
        let prepared = Arc::new(prepare(self.engine, asked.request(&self.run.request)?));
        let mut rows = rows();
        if rows.len() >= REMEMBERED {
            rows.clear();
        }
        rows.insert(asked.clone(), prepared.clone());
        Ok(prepared)
    }
}

fn prepare(engine: &dyn Engine, mut request: AdaptRequest) -> Prepared {
    request.content = Content::Bare { data: Buffer::new(), name: String::new() };
    request.request_id.clear();
    let circumstances = engine.circumstances(&request);
    let text = format!("{} {request:?} {circumstances}", env!("CARGO_PKG_VERSION"));
    Prepared { request, fingerprint: digest::sha256(text.as_bytes()) }
}
