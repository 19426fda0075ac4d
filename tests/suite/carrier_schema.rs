//! The published form of carrier files says what the reader reads, no more and no less.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use mmsfit::{
    policy::{Language, PolicySettings},
    profile::carrier::Carrier,
};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file in which everything is stated.
const FULL: &str = include_str!("../data/carrier-full.toml");

fn schema() -> Value {
    let text = fs::read_to_string(Path::new(ROOT).join("profiles/carrier.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn keys(at: &str, schema: &Value, into: &mut BTreeSet<String>) {
    let Some(properties) = schema["properties"].as_object() else {
        into.insert(at.to_owned());
        return;
    };
    assert_eq!(schema["additionalProperties"], false, "{at}");
    for (name, inner) in properties {
        let key = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        keys(&key, inner, into);
    }
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let mut told = BTreeSet::new();
    keys("", &schema()["properties"]["policy"], &mut told);
    let sentences = Language::ALL.iter().map(|(_, code, _)| format!("notices.{code}"));
    let read: BTreeSet<String> =
        PolicySettings::KEYS.iter().map(|key| (*key).to_owned()).chain(sentences).collect();
    assert_eq!(told, read);
}

#[test]
fn a_file_that_states_everything_is_read() {
    let carrier = Carrier::parse("xx-full", FULL).unwrap();
    let stated: BTreeSet<&str> = carrier.settings.stated.keys().map(String::as_str).collect();
    let missing: Vec<_> =
        PolicySettings::KEYS.iter().filter(|key| !stated.contains(**key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(carrier.limits.iter().any(|row| row.from.is_some() && row.until.is_some()));
}

/// Wrong in one place each: neither the reader nor the schema takes it.
const WRONG: [(&str, &str); 12] = [
    ("title = ", "titel = "),
    ("country = \"xx\"", "country = \"XX\""),
    ("kind = \"gateway\"", "kind = \"network\""),
    ("bytes = \"300k\"", "bytes = 300"),
    ("until = \"2027-12-31\"", "until = \"soon\""),
    ("margin = \"1k\"", "margin = true"),
    ("adaptation = \"major\"", "adaptation = \"all\""),
    ("video = [\"format\"", "video = [\"fomat\""),
    ("image_side = 64", "image_side = 0"),
    ("image = 1.5", "image = 99"),
    ("allow = [\"image/*\"", "allow = [\"image\""),
    ("de = \"", "xx = \""),
];

#[test]
fn wrong_files_are_refused_by_reader_and_schema() {
    let dir = tempfile::tempdir().unwrap();
    for (at, (right, wrong)) in WRONG.iter().enumerate() {
        let text = FULL.replacen(right, wrong, 1);
        assert_ne!(text, FULL, "{right}");
        assert!(Carrier::parse("xx-full", &text).is_err(), "{wrong}");
        fs::write(dir.path().join(format!("{at}.toml")), text).unwrap();
    }
    let script = Path::new(ROOT).join("tests/python/run.sh");
    let run = Command::new("sh").arg(script).args(["schema.py", ROOT]).arg(dir.path()).output();
    let output = run.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.code() == Some(77) {
        return crate::support::need::missing("python", String::from_utf8_lossy(&output.stderr));
    }
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("12 wrong files"), "{said}");
}
