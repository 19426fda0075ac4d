//! A request without its content, as it travels with a job.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes as Buffer;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Bytes, Effort, SenderType},
    service::request::{AdaptRequest, Content},
};

use super::error::ClusterError;

/// The largest device document that travels: a message of the queue holds 1 MiB.
const LARGEST_DOCUMENT: usize = 512 << 10;

/// All options of a run that shape results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Wanted {
    device_id: Option<String>,
    /// In Base64.
    uaprof_xml: Option<String>,
    uaprof_url: Option<String>,
    user_agent: Option<String>,
    accept: Vec<String>,
    strict: bool,
    carrier: Option<String>,
    sender: Option<String>,
    interface: Option<String>,
    max_bytes: Option<u64>,
    max_image_width: Option<u32>,
    max_image_height: Option<u32>,
    replace_limits: bool,
    effort: String,
}

impl Wanted {
    /// Of a request; its content is ignored.
    ///
    /// # Errors
    /// The device's document is too large.
    pub fn new(request: &AdaptRequest) -> Result<Self, ClusterError> {
        let device = &request.device;
        if device.uaprof_xml.as_ref().is_some_and(|xml| xml.len() > LARGEST_DOCUMENT) {
            let most = Bytes::new(LARGEST_DOCUMENT as u64);
            let why = format!("the device's document is larger than a queue takes ({most})");
            return Err(ClusterError::Layout(why));
        }
        Ok(Self {
            device_id: device.device_id.clone(),
            uaprof_xml: device.uaprof_xml.as_ref().map(|xml| BASE64_STANDARD.encode(xml)),
            uaprof_url: device.uaprof_url.clone(),
            user_agent: device.user_agent.clone(),
            accept: device.accept.accept.clone(),
            strict: device.strict,
            carrier: request.carrier.clone(),
            sender: request.sender.map(|sender| sender.to_string()),
            interface: request.interface.map(|interface| interface.to_string()),
            max_bytes: request.limits.max_message_bytes.map(Bytes::get),
            max_image_width: request.limits.max_image_width,
            max_image_height: request.limits.max_image_height,
            replace_limits: request.limits.replace,
            effort: effort_name(request.effort).to_owned(),
        })
    }

    /// The request again.
    ///
    /// # Errors
    /// In words, of the first value that says nothing.
    pub fn request(&self) -> Result<AdaptRequest, String> {
        let nothing = Content::Bare { data: Buffer::new(), name: String::new() };
        let mut request = AdaptRequest::new(nothing);
        let device = &mut request.device;
        device.device_id = self.device_id.clone();
        let xml = self.uaprof_xml.as_ref().map(|xml| BASE64_STANDARD.decode(xml)).transpose();
        device.uaprof_xml = xml.map_err(|error| format!("the document: {error}"))?.map(Into::into);
        device.uaprof_url = self.uaprof_url.clone();
        device.user_agent = self.user_agent.clone();
        device.accept.accept = self.accept.clone();
        device.strict = self.strict;
        request.carrier = self.carrier.clone();
        let sender = self.sender.as_deref().map(str::parse::<SenderType>).transpose();
        request.sender = sender.map_err(|error| error.to_string())?;
        request.interface = self.interface.as_deref().map(str::parse).transpose()?;
        request.limits.max_message_bytes = self.max_bytes.map(Bytes::new);
        request.limits.max_image_width = self.max_image_width;
        request.limits.max_image_height = self.max_image_height;
        request.limits.image_turns = true;
        request.limits.replace = self.replace_limits;
        request.effort = effort(&self.effort)?;
        Ok(request)
    }
}

fn effort_name(effort: Effort) -> &'static str {
    match effort {
        Effort::Fast => "fast",
        Effort::Balanced => "balanced",
        Effort::Best => "best",
    }
}

fn effort(name: &str) -> Result<Effort, String> {
    [Effort::Fast, Effort::Balanced, Effort::Best]
        .into_iter()
        .find(|effort| effort_name(*effort) == name)
        .ok_or_else(|| format!("`{name}` is no effort"))
}

#[cfg(test)]
mod tests {
    use crate::model::Interface;

    use super::*;

    #[test]
    fn a_request_comes_back_as_it_went() {
        let mut request = Wanted { effort: "best".into(), ..Wanted::default() }.request().unwrap();
        request.device.uaprof_xml = Some(Buffer::from_static(b"<x/>\xff"));
        request.device.accept.accept = vec!["image/gif".into()];
        request.sender = Some(SenderType::TollFree);
        request.interface = Some(Interface::Mm4);
        request.limits.max_message_bytes = Some(Bytes::new(300));
        request.limits.max_image_width = Some(640);
        let text = serde_json::to_string(&Wanted::new(&request).unwrap()).unwrap();
        let back = serde_json::from_str::<Wanted>(&text).unwrap().request().unwrap();
        assert_eq!(format!("{back:?}"), format!("{request:?}"));
    }

    #[test]
    fn what_says_nothing_is_told() {
        let wrong = |wanted: Wanted| wanted.request().unwrap_err();
        let best = || Wanted { effort: "best".into(), ..Wanted::default() };
        assert!(wrong(Wanted { effort: "much".into(), ..best() }).contains("much"));
        assert!(wrong(Wanted { interface: Some("mm2".into()), ..best() }).contains("mm2"));
        assert!(wrong(Wanted { uaprof_xml: Some("!".into()), ..best() }).contains("document"));
    }
}
