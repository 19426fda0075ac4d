//! The INSTREAM command of clamd (clamd(8)): chunks with their lengths in four bytes, the most
//! significant first, then a length of zero; one answer, which ends with a zero byte as the command did.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::{Trouble, Verdict, answer};
use crate::config::ScanAddress;

/// The command.
const INSTREAM: &[u8] = b"zINSTREAM\0";
/// Bytes of a chunk.
const CHUNK: usize = 128 << 10;

/// Has some bytes scanned.
///
/// # Errors
/// There is no verdict.
pub(super) async fn scan(
    address: &ScanAddress,
    connect_time: Duration,
    data: &[u8],
) -> Result<Verdict, Trouble> {
    match address {
        ScanAddress::Unix(path) => {
            let stream = connected(connect_time, UnixStream::connect(path)).await?;
            talk(stream, data).await
        }
        ScanAddress::Tcp(address) => {
            let stream = connected(connect_time, TcpStream::connect(address.as_str())).await?;
            // Small writes follow each other, and nobody waits for one of them.
            let _ = stream.set_nodelay(true);
            talk(stream, data).await
        }
    }
}

async fn connected<S>(
    time: Duration,
    connecting: impl Future<Output = io::Result<S>>,
) -> Result<S, Trouble> {
    let connected = timeout(time, connecting).await.map_err(|_| Trouble::Unreachable)?;
    connected.map_err(|_| Trouble::Unreachable)
}

/// Sends and hears at once: clamd answers, and closes, as soon as it has had too much.
async fn talk<S>(stream: S, data: &[u8]) -> Result<Verdict, Trouble>
where
    S: AsyncRead + AsyncWrite,
{
    let (reader, writer) = split(stream);
    let hearing = hear(reader);
    tokio::pin!(hearing);
    let early = tokio::select! {
        biased;
        sent = send(writer, data) => {
            let heard = hearing.await;
            // What was not sent to its end is not clean, whatever they say.
            return match (sent, heard) {
                (Err(_), Ok(Verdict::Clean)) => Err(Trouble::Broken),
                (_, heard) => heard,
            };
        }
        early = &mut hearing => early,
    };
    if early == Ok(Verdict::Clean) { Err(Trouble::Nonsense) } else { early }
}

async fn send(mut writer: impl AsyncWrite + Unpin, data: &[u8]) -> io::Result<()> {
    writer.write_all(INSTREAM).await?;
    for chunk in data.chunks(CHUNK) {
        // No chunk is as long as that.
        let length = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        writer.write_all(&length.to_be_bytes()).await?;
        writer.write_all(chunk).await?;
    }
    writer.write_all(&0_u32.to_be_bytes()).await?;
    writer.flush().await
}

async fn hear(mut reader: impl AsyncRead + Unpin) -> Result<Verdict, Trouble> {
    let (mut heard, mut buffer) = (Vec::new(), [0; 256]);
    while heard.len() <= answer::MAX {
        let length = reader.read(&mut buffer).await.map_err(|_| Trouble::Broken)?;
        if length == 0 {
            // An answer without its end may be half of another.
            return Err(if heard.is_empty() { Trouble::Broken } else { Trouble::Nonsense });
        }
        let come = &buffer[..length];
        if let Some(end) = come.iter().position(|byte| *byte == 0) {
            heard.extend_from_slice(&come[..end]);
            return answer::read(&heard);
        }
        heard.extend_from_slice(come);
    }
    Err(Trouble::Nonsense)
}
