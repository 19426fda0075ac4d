//! Documents that requests name by URL, fetched before the job queues: no thread for CPU work waits
//! for the network.

use std::{collections::BTreeMap, time::Instant};

use tokio::task::{JoinSet, spawn_blocking};

use super::Offload;
use crate::{
    config::ConfigError,
    fetch::{Answer, Fetcher, Refusal},
    profile::{DeviceDescription, Fetched, ProfileStore as _, profile_urls},
};

/// URLs that one call may have fetched; a call for many recipients names more of them than that only
/// where somebody made it so.
const MAX_URLS: usize = 256;

impl Offload {
    /// Fetches documents as the configuration says, where it does.
    ///
    /// # Errors
    /// The file of roots cannot be read.
    pub fn with_profile_fetch(self) -> Result<Self, ConfigError> {
        let settings = self.service().config().profile_fetch.clone();
        let fetcher = Fetcher::new(&settings, self.metrics.clone())?;
        Ok(Self { fetcher, ..self })
    }

    /// Fetches the documents that these devices name by URL, and notes with each what came of it.
    /// Takes no longer than the configuration says, nor than half the time to the deadline. A device
    /// whose document is in the request has it already.
    pub async fn fetch_profiles(
        &self,
        devices: impl IntoIterator<Item = &mut DeviceDescription>,
        deadline: Option<Instant>,
    ) {
        let Some(fetcher) = &self.fetcher else { return };
        let mut devices: Vec<(&mut DeviceDescription, Vec<String>)> = devices
            .into_iter()
            .filter(|device| device.uaprof_xml.is_none())
            .filter_map(|device| {
                let urls = profile_urls(device.uaprof_url.as_deref()?);
                (!urls.is_empty()).then_some((device, urls))
            })
            .collect();
        let urls = devices.iter().flat_map(|(_, urls)| urls.iter().cloned());
        let urls = self.not_mirrored(urls.collect()).await;
        if urls.is_empty() {
            return;
        }
        let documents = fetch_all(fetcher, urls, deadline).await;
        for (device, urls) in &mut devices {
            for url in urls {
                // What is not on the list is as if nothing was ever fetched.
                if let Some(document) =
                    documents.get(url).filter(|found| **found != Err(Refusal::NotAllowed))
                {
                    let document = document.clone().map_err(|refusal| refusal.to_string());
                    device.fetched.push(Fetched { url: url.clone(), document });
                }
            }
        }
    }

    /// The URLs whose documents the operator's mirror has not.
    async fn not_mirrored(&self, mut urls: Vec<String>) -> Vec<String> {
        urls.sort();
        urls.dedup();
        let service = self.service();
        if urls.is_empty() || service.config().uaprof_mirror_dir.is_none() {
            return urls;
        }
        let look = move || {
            urls.retain(|url| service.config().store.by_url(url).is_none());
            urls
        };
        spawn_blocking(look).await.unwrap_or_default()
    }
}

async fn fetch_all(
    fetcher: &Fetcher,
    urls: Vec<String>,
    deadline: Option<Instant>,
) -> BTreeMap<String, Answer> {
    let now = Instant::now();
    let patience = fetcher.max_time();
    let patience = deadline
        .map_or(patience, |deadline| patience.min(deadline.saturating_duration_since(now) / 2));
    let mut asked = JoinSet::new();
    let mut answers = BTreeMap::new();
    for (place, url) in urls.into_iter().enumerate() {
        if place >= MAX_URLS {
            answers.insert(url, Err(Refusal::Busy));
            continue;
        }
        let fetcher = fetcher.clone();
        asked.spawn(async move {
            let answer = fetcher.get(&url, now + patience).await;
            (url, answer)
        });
    }
    while let Some(done) = asked.join_next().await {
        if let Ok((url, answer)) = done {
            answers.insert(url, answer);
        }
    }
    answers
}
