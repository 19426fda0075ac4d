//! Notices: a line of text that replaces a part that is left out, in the recipient's language
//! and the device's charset.

use super::Draft;
use crate::{
    message::Edit,
    model::{Action, Bytes, MediaInfo, MediaKind, MediaType, PartId, WireLimit},
    pipeline::job::{Job, PipelineError},
    plan::{self, Cause, Missing, PartPlan},
    policy::{Fallback, Language},
    text::{self, Charset},
};

/// Words of one language: what is missing, by its kind, and the sentence around it.
struct Words {
    image: &'static str,
    audio: &'static str,
    video: &'static str,
    file: &'static str,
    /// `{type}`, `{name}` and `{size}` are filled in; a cause follows.
    missing: &'static str,
    /// This phone cannot show it.
    not_shown: &'static str,
    too_large: &'static str,
    not_converted: &'static str,
}

fn words(language: Language) -> Words {
    let all = |[image, audio, video, file]: [&'static str; 4],
               missing,
               [not_shown, too_large, not_converted]: [&'static str; 3]| Words {
        image,
        audio,
        video,
        file,
        missing,
        not_shown,
        too_large,
        not_converted,
    };
    match language {
        Language::English => all(
            ["picture", "sound", "video", "file"],
            "[A {type} ({name}, {size}) was left out: ",
            ["this phone cannot show it.]", "it is too large.]", "it could not be converted.]"],
        ),
        Language::German => all(
            ["Bild", "Ton", "Video", "Datei"],
            "[{type} ({name}, {size}) fehlt: ",
            [
                "dieses Telefon kann den Inhalt nicht zeigen.]",
                "zu groß.]",
                "der Inhalt konnte nicht umgewandelt werden.]",
            ],
        ),
        Language::French => all(
            ["Image", "Son", "Vidéo", "Fichier"],
            "[{type} ({name}, {size}) : contenu retiré, ",
            [
                "ce téléphone ne peut pas l'afficher.]",
                "trop volumineux.]",
                "conversion impossible.]",
            ],
        ),
        Language::Spanish => all(
            ["Imagen", "Sonido", "Vídeo", "Archivo"],
            "[{type} ({name}, {size}): no se incluye, ",
            [
                "este teléfono no puede mostrarlo.]",
                "es demasiado grande.]",
                "no se pudo convertir.]",
            ],
        ),
        Language::Italian => all(
            ["Immagine", "Audio", "Video", "File"],
            "[{type} ({name}, {size}): omesso, ",
            [
                "questo telefono non può mostrarlo.]",
                "è troppo grande.]",
                "non è stato possibile convertirlo.]",
            ],
        ),
        Language::Portuguese => all(
            ["Imagem", "Som", "Vídeo", "Ficheiro"],
            "[{type} ({name}, {size}): omitido, ",
            [
                "este telefone não o pode mostrar.]",
                "é demasiado grande.]",
                "não foi possível convertê-lo.]",
            ],
        ),
        Language::Dutch => all(
            ["Afbeelding", "Geluid", "Video", "Bestand"],
            "[{type} ({name}, {size}) weggelaten: ",
            ["deze telefoon kan dit niet tonen.]", "te groot.]", "kon niet worden omgezet.]"],
        ),
        Language::Polish => all(
            ["Obraz", "Dźwięk", "Wideo", "Plik"],
            "[{type} ({name}, {size}): pominięto, ",
            [
                "ten telefon nie może tego pokazać.]",
                "za duży rozmiar.]",
                "nie udało się przekonwertować.]",
            ],
        ),
        Language::Russian => all(
            ["Изображение", "Звук", "Видео", "Файл"],
            "[{type} ({name}, {size}): пропущено, ",
            [
                "этот телефон не может это показать.]",
                "слишком большой размер.]",
                "не удалось преобразовать.]",
            ],
        ),
        Language::Turkish => all(
            ["Resim", "Ses", "Video", "Dosya"],
            "[{type} ({name}, {size}) çıkarıldı: ",
            ["bu telefon bunu gösteremiyor.]", "çok büyük.]", "dönüştürülemedi.]"],
        ),
        Language::Japanese => all(
            ["画像", "音声", "動画", "ファイル"],
            "[{type}({name}、{size})は、",
            [
                "この電話で表示できないため削除されました。]",
                "サイズが大きすぎるため削除されました。]",
                "変換できなかったため削除されました。]",
            ],
        ),
        Language::Chinese => all(
            ["图片", "声音", "视频", "文件"],
            "[{type}({name},{size})已省略:",
            ["此手机无法显示。]", "文件太大。]", "无法转换。]"],
        ),
    }
}

/// Names are cut to this many characters: a notice is one line.
const MAX_NAME: usize = 40;

/// `own`: the policy's sentence, where it has one.
fn sentence(language: Language, own: Option<&str>, missing: &Missing, name: &str) -> String {
    let words = words(language);
    let noun = match missing.kind {
        MediaKind::Image => words.image,
        MediaKind::Audio => words.audio,
        MediaKind::Video => words.video,
        _ => words.file,
    };
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let name = if name.trim().is_empty() { missing.media_type.as_str().to_owned() } else { name };
    let cause = match missing.cause {
        Cause::NotShown => words.not_shown,
        Cause::TooLarge => words.too_large,
        Cause::NotConverted => words.not_converted,
    };
    let ours = || format!("{}{cause}", words.missing);
    own.map_or_else(ours, str::to_owned)
        .replace("{type}", noun)
        .replace("{size}", &missing.bytes.to_string())
        .replace("{name}", &name)
}

/// The notice's bytes and charset: one of the device's that can write it, UTF-8 if possible.
fn written(job: &Job, part: &PartPlan, missing: &Missing) -> (Vec<u8>, Charset) {
    let name = job.message.parts()[part.id.index()].name.clone().unwrap_or_default();
    let text = sentence(job.policy.language, job.policy.sentence.as_deref(), missing, &name);
    let listed = job.capabilities.charsets.value.iter();
    let accepted: Vec<Charset> = listed.filter_map(|name| Charset::for_label(name)).collect();
    // Where nothing is stated, UTF-8.
    let best = if accepted.is_empty() { Charset::UTF_8 } else { text::best(&text, &accepted) };
    (text::write(&text, best).data, best)
}

/// The edit of a part that a notice may replace.
pub(super) fn edit(job: &Job, part: &PartPlan) -> Edit {
    let Some(missing) = &part.notice else { return Edit::Drop };
    let (data, charset) = written(job, part, missing);
    let content_type = format!("text/plain; charset={}", charset.name());
    Edit::Replace { content_type, data: data.into() }
}

/// What the notice of a part is.
pub(super) fn after(job: &Job, part: &PartPlan) -> Option<MediaInfo> {
    let size = Bytes::of(&written(job, part, part.notice.as_ref()?).0);
    Some(MediaInfo::opaque(MediaType::TEXT, size))
}

impl Draft<'_> {
    /// Puts notices where parts were dropped, as far as there is room: other parts are not shrunk
    /// for them. Where nothing would be shown at all, one notice is required. `sizes` are those of
    /// the parts that were encoded.
    ///
    /// # Errors
    /// The policy wants a notice, or something to be shown, and there is no room.
    pub fn place_notices(&mut self, sizes: &[(PartId, Bytes)]) -> Result<(), PipelineError> {
        let (policy, facts) = (&self.job.policy, &self.examined.facts);
        for (index, facts) in facts.iter().enumerate() {
            if self.parts[index].action != Action::Drop || self.parts[index].is_spare_version() {
                continue;
            }
            self.parts[index].fall_back(facts, policy)?;
            if self.parts[index].action == Action::Drop {
                continue;
            }
            match self.measured_over(sizes) {
                None => {}
                Some(_) if policy.allows(facts.info.kind, Fallback::Drop) => {
                    self.parts[index].drop_without_notice();
                    self.measure();
                }
                Some((smallest, limit)) => {
                    return Err(PipelineError::CannotFit { part: facts.id, smallest, limit });
                }
            }
        }
        if !plan::shows_nothing(&self.parts, facts) {
            return Ok(());
        }
        plan::replace_all_with_notices(&mut self.parts, facts, policy)?;
        while let Some((smallest, limit)) = self.measured_over(sizes) {
            if !plan::drop_last_notice(&mut self.parts, facts, policy) {
                let part = self.parts[0].id;
                return Err(PipelineError::CannotFit { part, smallest, limit });
            }
        }
        Ok(())
    }

    /// Measures the message again; where it is over a limit, returns its size and the limit.
    fn measured_over(&mut self, sizes: &[(PartId, Bytes)]) -> Option<(Bytes, WireLimit)> {
        self.measure();
        let over = self.constraints.iter().find(|c| c.wire(sizes) > c.limit.bytes);
        over.map(|c| (c.wire(sizes), c.limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_what_is_missing_in_one_line() {
        let media_type = MediaType::fold("video/3gpp");
        let info = Missing {
            kind: media_type.kind(),
            media_type,
            bytes: Bytes::new(90_000),
            cause: Cause::NotShown,
        };
        for (language, code, _) in Language::ALL {
            let causes = [Cause::NotShown, Cause::TooLarge, Cause::NotConverted];
            let texts = causes.map(|cause| {
                sentence(language, None, &Missing { cause, ..info.clone() }, "clip.3gp")
            });
            for text in &texts {
                assert!(text.contains("clip.3gp") && text.contains("90.0 kB"), "{code}: {text}");
                assert!(!text.contains(['{', '}', '\n']), "{code}: {text}");
                assert!(text.starts_with('[') && text.ends_with(']'), "{code}: {text}");
            }
            assert!(texts[0] != texts[1] && texts[1] != texts[2], "{code}: {texts:?}");
        }
        let text =
            sentence(Language::English, None, &info, &format!("\u{7}{}\r\n", "n".repeat(99)));
        assert!(text.len() < 130 && !text.contains(char::is_control), "{text}");
        assert!(sentence(Language::German, None, &info, " ").contains("video/3gpp"));
        // A name that looks like a placeholder stays a name.
        assert!(
            sentence(Language::English, None, &info, "{size}{type}").contains("({size}{type},")
        );
    }
}
