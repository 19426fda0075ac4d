//! Messages put together at random.

use bytes::Bytes as Buffer;
use mmsfit::message::PartData;

use super::Dice;

/// Our own and such real ones as are quickly decoded.
pub fn images() -> Vec<(String, Buffer)> {
    let mut images = super::own_images();
    images.extend(super::corpus("image").into_iter().filter(|(name, data)| {
        let known = [".jpg", ".png", ".gif", ".webp", ".bmp", ".wbmp"];
        data.len() < 600_000 && known.iter().any(|end| name.ends_with(end))
    }));
    images
}

/// One to five images, some texts, and now and then a presentation of it all.
pub fn message(dice: &mut Dice, images: &[(String, Buffer)]) -> Vec<PartData> {
    let mut parts = Vec::new();
    for n in 0..1 + dice.below(5) {
        let (name, data) = &images[dice.below(images.len())];
        let extension = name.rsplit('.').next().unwrap_or("bin");
        let subtype = match extension {
            "jpg" => "jpeg",
            "wbmp" => "vnd.wap.wbmp",
            other => other,
        };
        parts.push(PartData {
            // Every fourth is declared wrongly.
            content_type: if dice.below(4) == 0 {
                "application/octet-stream".into()
            } else {
                format!("image/{subtype}")
            },
            content_id: format!("part{n}"),
            content_location: format!("{n}-{name}"),
            name: format!("{n}-{name}"),
            data: data.clone(),
        });
    }
    for n in 0..dice.below(3) {
        let text = "Grüße von unterwegs, ünd bis bald! ".repeat(1 + dice.below(20));
        parts.push(PartData {
            content_type: "text/plain; charset=utf-8".into(),
            content_id: format!("text{n}"),
            content_location: format!("text{n}.txt"),
            name: format!("text{n}.txt"),
            data: text.into(),
        });
    }
    if dice.below(2) == 0 {
        let by_id = dice.below(2) == 0;
        let slides: String = parts
            .iter()
            .map(|part| {
                let tag = if part.content_type.starts_with("text") { "text" } else { "img" };
                let src = if by_id {
                    format!("cid:{}", part.content_id)
                } else {
                    part.content_location.clone()
                };
                format!("<par dur=\"5s\"><{tag} src=\"{src}\"/></par>")
            })
            .collect();
        let smil = format!("<smil><head/><body>{slides}</body></smil>");
        let smil = PartData {
            content_type: "application/smil".into(),
            content_id: "smil".into(),
            content_location: "smil.smil".into(),
            name: "smil.smil".into(),
            data: smil.into(),
        };
        parts.insert(0, smil);
    }
    parts
}
