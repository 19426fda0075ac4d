use super::*;
use crate::config::{ClientEntry, clients};

fn read(text: &str) -> Result<Vec<ClientEntry>, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("clients.toml");
    std::fs::write(&file, text).expect("it is written");
    clients(&file)
}

fn entry(name: &str, digit: char, more: &str) -> String {
    let hash = String::from(digit).repeat(64);
    format!("[clients.{name}]\ntoken_sha256 = \"{hash}\"\n{more}\n")
}

#[test]
fn clients_are_read_by_name() {
    let more = "carriers = [\"us-att\"]\nmax_calls = 3\nmax_message_bytes = \"300k\"\nmax_request_bytes = 5000";
    let text = entry("b", 'F', more) + &entry("a", '0', "");
    let entry = |name: &str, byte, carriers: &[&str], max_calls| ClientEntry {
        name: name.into(),
        token_sha256: [byte; 32],
        carriers: carriers.iter().map(|&carrier| carrier.to_owned()).collect(),
        max_calls,
        max_message_bytes: None,
        max_request_bytes: None,
    };
    let b = ClientEntry {
        max_message_bytes: Some(Bytes::new(300_000)),
        max_request_bytes: Some(Bytes::new(5_000)),
        ..entry("b", 0xff, &["us-att"], 3)
    };
    assert_eq!(read(&text), Ok(vec![entry("a", 0, &[], 1_024), b]));
}

#[test]
fn mistakes_in_the_file_are_told() {
    for (text, told) in [
        ("[clients.x]\ntoken_sha256 = \"12\"\n".to_owned(), "clients.x.token_sha256"),
        ("[clients.x]\ntoken = \"12\"\n".to_owned(), "token"),
        (entry("a", 'g', ""), "hexadecimal"),
        (entry("a", '1', "max_message_bytes = \"many\""), "clients.a.max_message_bytes"),
        (entry("a", '1', "max_request_bytes = 0"), "clients.a.max_request_bytes"),
        (entry("a", '1', "") + &entry("b", '1', ""), "clients.b has the token of a"),
    ] {
        let error = read(&text).expect_err(&text).to_string();
        assert!(error.contains(told) && error.contains("clients.toml"), "{error}");
    }
}
