//! What a row of a manifest asks for itself.

use serde::{Deserialize, Serialize};

use crate::{
    model::{Bytes, Dimensions, SenderType},
    service::request::AdaptRequest,
};

/// What a row states, as it is written there. What it does not state is as for the whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Asked {
    /// A device's name, or the URL its document is published at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// A carrier's name, or MCC-MNC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Maximum bytes on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<String>,
    /// Maximum dimensions of images, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_image: Option<String>,
    /// The device's User-Agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// What the message is sent from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
}

impl Asked {
    /// Whether all is as for the whole run.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Different for rows that ask for different things; empty for those that ask for nothing.
    pub fn key(&self) -> String {
        if self.is_empty() {
            String::new()
        } else {
            serde_json::to_string(self).unwrap_or_default()
        }
    }

    /// The request of a row: the run's, but for what the row states.
    ///
    /// # Errors
    /// In words, if a cell does not say what it should.
    pub fn request(&self, run: &AdaptRequest) -> Result<AdaptRequest, String> {
        let mut request = run.clone();
        if let Some(device) = &self.device {
            request.device.uaprof_xml = None;
            let url = device.contains("://");
            request.device.uaprof_url = url.then(|| device.clone());
            request.device.device_id = (!url).then(|| device.clone());
        }
        if let Some(agent) = &self.user_agent {
            request.device.user_agent = Some(agent.clone());
        }
        if let Some(carrier) = &self.carrier {
            request.carrier = Some(carrier.clone());
        }
        if let Some(sender) = &self.sender {
            let sender = sender.parse::<SenderType>();
            request.sender = Some(sender.map_err(|error| format!("sender: {error}"))?);
        }
        if let Some(size) = &self.max_bytes {
            let size = size.parse::<Bytes>().map_err(|error| format!("max_bytes: {error}"))?;
            request.limits.max_message_bytes = Some(size);
        }
        if let Some(bounds) = &self.max_image {
            let bounds = bounds.parse::<Dimensions>();
            let bounds = bounds.map_err(|error| format!("max_image: {error}"))?;
            request.limits.max_image_width = Some(bounds.width());
            request.limits.max_image_height = Some(bounds.height());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use crate::service::request::Content;

    use super::*;

    fn run() -> AdaptRequest {
        let mut run = AdaptRequest::new(Content::MmsPdu(bytes::Bytes::new()));
        run.device.device_id = Some("nokia-6230".into());
        run.limits.max_message_bytes = Some(Bytes::new(1));
        run
    }

    #[test]
    fn what_is_stated_replaces_and_the_rest_stays() {
        let asked = Asked {
            device: Some("http://x/y.xml".into()),
            max_image: Some("640x480".into()),
            sender: Some("toll-free".into()),
            ..Asked::default()
        };
        let request = asked.request(&run()).unwrap();
        assert_eq!(request.device.device_id, None);
        assert_eq!(request.device.uaprof_url.as_deref(), Some("http://x/y.xml"));
        assert_eq!(request.limits.max_image_width, Some(640));
        assert_eq!(request.limits.max_message_bytes, Some(Bytes::new(1)));
        assert_eq!(request.sender, Some(SenderType::TollFree));
        assert_eq!(
            format!("{:?}", Asked::default().request(&run()).unwrap()),
            format!("{:?}", run())
        );
    }

    #[test]
    fn a_cell_that_says_nothing_is_named() {
        for (asked, name) in [
            (Asked { max_bytes: Some("lots".into()), ..Asked::default() }, "max_bytes"),
            (Asked { max_image: Some("0".into()), ..Asked::default() }, "max_image"),
            (Asked { sender: Some("me".into()), ..Asked::default() }, "sender"),
        ] {
            let error = asked.request(&run()).unwrap_err();
            assert!(error.starts_with(name), "{error}");
            assert!(!asked.key().is_empty());
        }
    }
}
