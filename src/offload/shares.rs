//! What each client has before and behind a door, by price: who has more than the others is the one who
//! waits less patiently.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Prices of the jobs of each client, those that wait and those at work, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<HashMap<Arc<str>, u64>>);

impl Shares {
    /// A job of a client is there until what is returned is dropped.
    pub fn enter(self: &Arc<Self>, client: &Arc<str>, price: u64) -> Share {
        let mut prices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *prices.entry(Arc::clone(client)).or_default() += price;
        Share { shares: Arc::clone(self), client: Arc::clone(client), price }
    }

    /// Whether a client has its even share of all that is there, or more: alone it has all of it.
    pub fn is_full(&self, client: &str) -> bool {
        let prices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = prices.get(client).copied().unwrap_or_default();
        let others = prices.len() - usize::from(prices.contains_key(client));
        let all: u64 = prices.values().sum();
        own.saturating_mul(others as u64 + 1) >= all
    }
}

/// A job of a client.
#[derive(Debug)]
pub(super) struct Share {
    shares: Arc<Shares>,
    client: Arc<str>,
    price: u64,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut prices = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(price) = prices.get_mut(&self.client) {
            *price = price.saturating_sub(self.price);
            if *price == 0 {
                prices.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_more_than_the_others_is_full() {
        let shares = Arc::new(Shares::default());
        let [a, b, c] = ["a", "b", "c"].map(Arc::<str>::from);
        assert!(shares.is_full(&a), "alone it has all of it");
        let most = shares.enter(&a, 900);
        let _some = shares.enter(&b, 100);
        assert!(shares.is_full(&a) && !shares.is_full(&b) && !shares.is_full(&c));
        drop(most);
        assert!(shares.is_full(&b) && !shares.is_full(&a));
        assert_eq!(shares.0.lock().unwrap().len(), 1);
    }
}
