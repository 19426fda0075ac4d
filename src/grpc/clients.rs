//! Who calls: clients with a bearer token, from a file that can be exchanged while the service runs.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tonic::{Request, Status, codegen::http};

use super::status::{denied, refused, too_large, unauthenticated};
use crate::{
    config::{self, ClientEntry, ConfigError},
    model::Bytes,
    service::request::AdaptRequest,
};

/// What a client with too many calls is told to wait.
const RETRY: Duration = Duration::from_millis(500);
/// Needs no token: what probes ask.
const OPEN: &str = "/grpc.health.v1.Health/";

/// Who a call is from. In the request's extensions.
#[derive(Debug)]
pub(super) struct Client {
    pub name: String,
    carriers: Vec<String>,
    max_calls: usize,
    max_message_bytes: Option<Bytes>,
    max_request_bytes: Option<Bytes>,
    calls: AtomicUsize,
}

impl Client {
    /// # Errors
    /// It may not act for this carrier.
    pub fn check_carrier(&self, carrier: Option<&str>) -> Result<(), Status> {
        match carrier {
            Some(carrier) if !self.carriers.is_empty() => {
                let own = self.carriers.iter().any(|own| own.eq_ignore_ascii_case(carrier));
                if own { Ok(()) } else { Err(denied(carrier)) }
            }
            // Without a carrier no carrier's limits are used.
            _ => Ok(()),
        }
    }
}

/// Who a call is from; `None` where nobody is asked.
pub(super) fn client<T>(request: &Request<T>) -> Option<Arc<Client>> {
    request.extensions().get::<Arc<Client>>().cloned()
}

/// A request of a client, in its name.
///
/// # Errors
/// The client may not act for the carrier that it names, or send as much.
pub(super) fn asked(
    mut request: AdaptRequest,
    client: Option<Arc<Client>>,
) -> Result<AdaptRequest, Status> {
    let Some(client) = client else { return Ok(request) };
    client.check_carrier(request.carrier.as_deref())?;
    match client.max_request_bytes {
        Some(most) if request.content.bytes() > most => return Err(too_large(most)),
        _ => {}
    }
    request.limits.client_max_bytes = client.max_message_bytes;
    request.client.clone_from(&client.name);
    Ok(request)
}

/// One call of a client, given back when dropped.
#[derive(Debug)]
pub(super) struct Call(Arc<Client>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

type Known = HashMap<[u8; 32], Arc<Client>>;

/// The clients in force. Clones share them.
#[derive(Clone, Debug)]
pub struct Clients {
    file: PathBuf,
    known: Arc<RwLock<Arc<Known>>>,
}

impl Clients {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or an entry is wrong.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let known = Arc::new(RwLock::new(Arc::new(known(config::clients(file)?))));
        Ok(Self { file: file.to_owned(), known })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.known.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Reads the file again. Calls at work go on.
    ///
    /// # Errors
    /// As [`Clients::load`]; the old ones stay in force.
    pub fn reload(&self) -> Result<(), ConfigError> {
        let new = Arc::new(known(config::clients(&self.file)?));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Finds out who calls, and notes it in the request.
    ///
    /// # Errors
    /// No token, an unknown one, or too many calls at once.
    pub(super) fn admit<B>(&self, request: &mut http::Request<B>) -> Result<Option<Call>, Status> {
        if request.uri().path().starts_with(OPEN) {
            return Ok(None);
        }
        let header = request.headers().get(http::header::AUTHORIZATION);
        let text = header.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some((scheme, token)) = text.split_once(' ') else {
            return Err(unauthenticated("NO_TOKEN"));
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unauthenticated("NO_TOKEN"));
        }
        // Looked up by its hash: how long that takes tells nothing about a token.
        let hash: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        let client = known.get(&hash).ok_or_else(|| unauthenticated("UNKNOWN_TOKEN"))?;
        let call = Call(Arc::clone(client));
        if client.calls.fetch_add(1, Ordering::Relaxed) >= client.max_calls {
            return Err(refused("CLIENT_LIMIT", RETRY));
        }
        request.extensions_mut().insert(Arc::clone(client));
        Ok(Some(call))
    }
}

/// By the hash of their tokens.
fn known(entries: Vec<ClientEntry>) -> Known {
    let clients = entries.into_iter().map(|entry| {
        let client = Client {
            name: entry.name,
            carriers: entry.carriers,
            max_calls: entry.max_calls,
            max_message_bytes: entry.max_message_bytes,
            max_request_bytes: entry.max_request_bytes,
            calls: AtomicUsize::new(0),
        };
        (entry.token_sha256, Arc::new(client))
    });
    clients.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::request::Content;

    fn clients(of: &[(&str, &[&str], usize)]) -> Clients {
        let entry = |&(token, carriers, max_calls): &(&str, &[&str], usize)| ClientEntry {
            name: format!("mmsc-{token}"),
            token_sha256: Sha256::digest(token.as_bytes()).into(),
            carriers: carriers.iter().map(|&carrier| carrier.to_owned()).collect(),
            max_calls,
            max_message_bytes: Some(Bytes::new(300_000)),
            max_request_bytes: Some(Bytes::new(1_000)),
        };
        let known = known(of.iter().map(entry).collect());
        Clients { file: PathBuf::new(), known: Arc::new(RwLock::new(Arc::new(known))) }
    }

    fn asked(authorization: Option<&str>, path: &str) -> http::Request<()> {
        let request = http::Request::builder().uri(format!("http://host{path}"));
        let request = match authorization {
            Some(text) => request.header("authorization", text),
            None => request,
        };
        request.body(()).expect("a request")
    }

    #[test]
    fn a_token_says_who_calls() {
        let clients = clients(&[("a", &[], 1), ("b", &[], 9)]);
        let path = "/mmsfit.v1.AdaptationService/Adapt";
        for (authorization, code) in [
            (None, tonic::Code::Unauthenticated),
            (Some("Basic a"), tonic::Code::Unauthenticated),
            (Some("Bearer c"), tonic::Code::Unauthenticated),
        ] {
            let refused = clients.admit(&mut asked(authorization, path)).expect_err("no token");
            assert_eq!(refused.code(), code);
        }
        let mut request = asked(Some("bearer a"), path);
        let call = clients.admit(&mut request).expect("it is known");
        assert_eq!(request.extensions().get::<Arc<Client>>().expect("noted").name, "mmsc-a");
        let second = clients.admit(&mut asked(Some("Bearer a"), path)).expect_err("one too many");
        assert_eq!(second.code(), tonic::Code::ResourceExhausted);
        drop(call);
        assert!(clients.admit(&mut asked(Some("Bearer a"), path)).is_ok(), "its place is free");
        // Probes have no token.
        assert!(clients.admit(&mut asked(None, "/grpc.health.v1.Health/Check")).is_ok());
    }

    #[test]
    fn a_client_acts_for_its_own_carriers() {
        let clients = clients(&[("a", &["us-att"], 9)]);
        let mut request = asked(Some("Bearer a"), "/x");
        let _call = clients.admit(&mut request).expect("it is known");
        let client = request.extensions().get::<Arc<Client>>().expect("noted");
        assert!(client.check_carrier(Some("US-ATT")).is_ok() && client.check_carrier(None).is_ok());
        let denied = client.check_carrier(Some("us-verizon")).expect_err("another's");
        assert_eq!(denied.code(), tonic::Code::PermissionDenied);
    }

    #[test]
    fn a_client_sends_and_gets_what_it_may() {
        let clients = clients(&[("a", &[], 9)]);
        let mut request = self::asked(Some("Bearer a"), "/x");
        let _call = clients.admit(&mut request).expect("it is known");
        let client = request.extensions().get::<Arc<Client>>().cloned();
        let of = |bytes| AdaptRequest::new(Content::MmsPdu(vec![0; bytes].into()));
        let request = super::asked(of(1_000), client.clone()).expect("no more than it may");
        assert_eq!(request.limits.client_max_bytes, Some(Bytes::new(300_000)));
        assert_eq!(request.client, "mmsc-a");
        let refused = super::asked(of(1_001), client).expect_err("more than it may");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    }
}
