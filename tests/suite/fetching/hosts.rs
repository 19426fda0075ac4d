//! Hosts that publish documents, and that misbehave: plain TCP, what they do is in the path.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
    time::sleep,
};

/// A document that allows so many bytes.
pub fn document(bytes: u32) -> String {
    const PRF: &str = "http://www.openmobilealliance.org/tech/profiles/UAPROF/ccppschema-20021212#";
    format!(
        r#"<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:prf="{PRF}"
  xmlns:mms="http://www.openmobilealliance.org/tech/profiles/MMS/ccppschema-20050301-MMS1.2#">
 <rdf:Description rdf:ID="Test">
  <prf:component><rdf:Description rdf:ID="MmsCharacteristics">
   <rdf:type rdf:resource="{PRF}MmsCharacteristics"/>
   <mms:MmsMaxMessageSize>{bytes}</mms:MmsMaxMessageSize>
   <mms:MmsMaxImageResolution>120x90</mms:MmsMaxImageResolution>
   <mms:MmsCcppAccept><rdf:Bag><rdf:li>image/jpeg</rdf:li><rdf:li>text/plain</rdf:li></rdf:Bag></mms:MmsCcppAccept>
  </rdf:Description></prf:component>
 </rdf:Description>
</rdf:RDF>"#
    )
}

/// How often it was asked.
#[derive(Default)]
pub struct Asked {
    pub all: AtomicUsize,
    now: AtomicUsize,
    pub peak: AtomicUsize,
}

impl Asked {
    pub fn times(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }
}

/// A host on the loopback; it ends when it is dropped.
pub struct Host {
    pub addr: SocketAddr,
    pub asked: Arc<Asked>,
    _serving: JoinSet<()>,
}

impl Host {
    pub async fn start() -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("the loopback binds");
        let addr = tcp.local_addr().expect("an address");
        let asked = Arc::new(Asked::default());
        let counted = Arc::clone(&asked);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, _)) = tcp.accept().await {
                let asked = Arc::clone(&counted);
                calls.spawn(async move {
                    asked.all.fetch_add(1, Ordering::Relaxed);
                    let now = asked.now.fetch_add(1, Ordering::Relaxed) + 1;
                    asked.peak.fetch_max(now, Ordering::Relaxed);
                    // The other side may leave at any time.
                    let _ = answer(stream).await;
                    asked.now.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { addr, asked, _serving: serving }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The list that has this host alone.
    pub fn listed(&self) -> String {
        self.addr.to_string()
    }
}

fn ok(body: &[u8], more: &str) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{more}\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn moved(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

async fn drip(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        sleep(Duration::from_millis(40)).await;
    }
    sleep(Duration::from_secs(30)).await;
    Ok(())
}

/// Answers one request as its path says.
pub async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("").to_owned();
    let bytes = match path.as_str() {
        "/slow-answer" => {
            sleep(Duration::from_secs(30)).await;
            return Ok(());
        }
        "/slow-head" => return drip(&mut stream, ok(b"", "").as_slice()).await,
        "/slow-body" => {
            let whole = ok(document(1).as_bytes(), "");
            stream.write_all(&whole[..60]).await?;
            return drip(&mut stream, &whole[60..]).await;
        }
        "/endless-chunks" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            loop {
                stream.write_all(b"400\r\n").await?;
                stream.write_all(&[b'<'; 0x400]).await?;
                stream.write_all(b"\r\n").await?;
            }
        }
        "/endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'<'; 0x400]).await?;
            }
        }
        "/endless-heads" => loop {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        },
        "/endless-headers" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"X: y\r\n").await?;
            }
        }
        "/huge-header" => ok(document(1).as_bytes(), &format!("X: {}\r\n", "y".repeat(1 << 20))),
        "/many-headers" => ok(document(1).as_bytes(), &"X: y\r\n".repeat(500)),
        "/announced" => b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n".to_vec(),
        "/too-large" => ok(&[b' '; 70_000], ""),
        "/short" => {
            format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{}", document(1)).into_bytes()
        }
        "/two-lengths" => {
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef".to_vec()
        }
        "/closes" => return Ok(()),
        "/half-a-head" => b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(),
        "/nonsense" => b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(),
        "/loop" => moved("/loop"),
        "/to-metadata" => moved("http://169.254.169.254/latest/meta-data/"),
        "/to-loopback" => moved("http://localhost/a.xml"),
        "/to-another-port" => moved("http://127.0.0.1:1/a.xml"),
        "/to-a-file" => moved("file:///etc/passwd"),
        "/to-nowhere" => b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/moved" => moved("moved-again"),
        "/moved-again" => moved("/good"),
        "/404" => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/500" => b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/206" => b"HTTP/1.1 206 Part\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/gzip" => ok(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "Content-Encoding: gzip\r\n"),
        "/gzip-transfer" => {
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n\x1f\x8b\r\n0\r\n\r\n"
                .to_vec()
        }
        "/gzip-unsaid" => ok(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0], ""),
        "/garbage" => ok(&(0..=255).cycle().take(9_000).collect::<Vec<u8>>(), ""),
        "/html" => ok(b"<html><body>Not here any more</body></html>", ""),
        "/empty" => ok(b"", ""),
        "/says-nothing" => {
            ok(b"<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"/>", "")
        }
        "/bomb" => {
            let mut xml = String::from("<!DOCTYPE a [<!ENTITY a0 \"aaaaaaaaaa\">");
            for n in 1..30 {
                xml += &format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10));
            }
            ok(format!("{xml}]><a>&a29;</a>").as_bytes(), "")
        }
        slow if slow.starts_with("/after-a-while") => {
            sleep(Duration::from_millis(150)).await;
            ok(document(50_000).as_bytes(), "")
        }
        _ => ok(document(50_000).as_bytes(), "Content-Type: application/xml\r\n"),
    };
    stream.write_all(&bytes).await?;
    stream.shutdown().await
}
