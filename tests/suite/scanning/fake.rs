//! A clamd that does what a test wants: it reads INSTREAM by itself and shares no code with the scanner.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, UnixListener},
    task::JoinSet,
};

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    /// By what it was sent: a part that holds the marker is found.
    Honest,
    /// The same, after a while.
    Slow(Duration),
    /// The same, one byte after the other.
    InDribs,
    /// Hears all, says this, closes.
    Says(&'static [u8]),
    /// Takes so many bytes, then says that it was too much and closes.
    Limits(usize),
    /// Approves before it has seen anything.
    ApprovesUnseen,
    /// An answer without an end.
    Endless,
    /// Closes at once.
    Closes,
    /// Hears all and says nothing.
    Silent,
    /// Does not even hear.
    Deaf,
}

#[derive(Default)]
struct State {
    times: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
    /// At work on an answer that takes its time.
    slow: AtomicUsize,
    seen: Mutex<Vec<usize>>,
    /// What else is found.
    marker: Mutex<Option<Vec<u8>>>,
}

/// A running one; ends with the value.
pub struct Clamd {
    /// As the configuration takes it.
    pub address: String,
    state: Arc<State>,
    _serving: JoinSet<()>,
    _dir: tempfile::TempDir,
}

impl Clamd {
    pub async fn start(mood: Mood, unix: bool) -> Self {
        let dir = tempfile::tempdir().expect("a place");
        let (state, mut serving) = (Arc::new(State::default()), JoinSet::new());
        let shared = Arc::clone(&state);
        let address = if unix {
            let path = dir.path().join("clamd.ctl");
            let listener = UnixListener::bind(&path).expect("it binds");
            serving.spawn(async move {
                let mut calls = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    calls.spawn(serve(stream, mood, Arc::clone(&shared)));
                }
            });
            format!("unix:{}", path.display())
        } else {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback binds");
            let address = listener.local_addr().expect("an address").to_string();
            serving.spawn(async move {
                let mut calls = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    calls.spawn(serve(stream, mood, Arc::clone(&shared)));
                }
            });
            address
        };
        Self { address, state, _serving: serving, _dir: dir }
    }

    /// Connections so far.
    pub fn times(&self) -> usize {
        self.state.times.load(Ordering::SeqCst)
    }

    /// Connections now.
    pub fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// The most slow answers at once.
    pub fn most(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }

    /// The sizes of what it was sent.
    pub fn seen(&self) -> Vec<usize> {
        self.state.seen.lock().expect("no panic").clone()
    }

    /// It learns a signature.
    pub fn learn(&self, marker: &[u8]) {
        *self.state.marker.lock().expect("no panic") = Some(marker.to_vec());
    }
}

/// Counts a connection as long as it is there.
struct Open(Arc<State>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, mood: Mood, state: Arc<State>) {
    state.times.fetch_add(1, Ordering::SeqCst);
    state.open.fetch_add(1, Ordering::SeqCst);
    let _open = Open(Arc::clone(&state));
    // Whoever it speaks with may leave at any time.
    let _ = answer(&mut stream, mood, &state).await;
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    mood: Mood,
    state: &State,
) -> std::io::Result<()> {
    match mood {
        Mood::Closes => return Ok(()),
        Mood::Deaf => return std::future::pending().await,
        Mood::ApprovesUnseen => {
            stream.write_all(b"stream: OK\0").await?;
            // What it reads on, quickly enough, might all be sent before its answer is looked at.
            return std::future::pending().await;
        }
        _ => {}
    }
    let mut command = [0; 10];
    stream.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut data = Vec::new();
    loop {
        let length = stream.read_u32().await? as usize;
        if length == 0 {
            break;
        }
        let before = data.len();
        data.resize(before + length, 0);
        stream.read_exact(&mut data[before..]).await?;
        if let Mood::Limits(most) = mood
            && data.len() > most
        {
            return stream.write_all(b"INSTREAM size limit exceeded. ERROR\0").await;
        }
    }
    state.seen.lock().expect("no panic").push(data.len());
    let holds = |marker: &[u8]| data.windows(marker.len()).any(|window| window == marker);
    let learnt = state.marker.lock().expect("no panic").clone();
    let found = holds(super::MARKER) || learnt.is_some_and(|marker| holds(&marker));
    let verdict: &[u8] = if found { b"stream: Test.Marker FOUND\0" } else { b"stream: OK\0" };
    match mood {
        Mood::Says(what) => stream.write_all(what).await,
        Mood::Silent => {
            // Until the other side leaves.
            stream.read_u8().await.map(drop)
        }
        Mood::Endless => loop {
            stream.write_all(&[b'a'; 4_096]).await?;
        },
        Mood::InDribs => {
            for byte in verdict {
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(())
        }
        Mood::Slow(time) => {
            // At work until it answers: who has the answer may ask anew before this connection is seen
            // to be closed.
            let now = state.slow.fetch_add(1, Ordering::SeqCst) + 1;
            state.most.fetch_max(now, Ordering::SeqCst);
            let slept = tokio::select! {
                () = tokio::time::sleep(time) => true,
                _ = stream.read_u8() => false,
            };
            state.slow.fetch_sub(1, Ordering::SeqCst);
            if slept { stream.write_all(verdict).await } else { Ok(()) }
        }
        _ => stream.write_all(verdict).await,
    }
}
