//! What is told while calls are under way: a line that changes, where a person watches; else one every
//! ten seconds.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

use crate::{
    capacity::load::{Watch, timeline::Second},
    cli::term::Screen,
};

/// Seconds between lines that stay.
const EVERY: u64 = 10;

enum News {
    Begins(String),
    Second(Second, Option<f64>),
    Ends(String),
}

/// Tells from a thread of its own: a terminal that is stopped does not stop the calls.
pub struct Live {
    news: Option<Sender<News>>,
    teller: Option<JoinHandle<()>>,
}

impl Live {
    /// Begins.
    pub fn new(screen: Screen) -> Self {
        let (news, heard) = channel();
        let teller = thread::spawn(move || tell(&heard, screen));
        Self { news: Some(news), teller: Some(teller) }
    }

    fn say(&self, news: News) {
        if let Some(teller) = &self.news {
            // A teller that is gone leaves the figures.
            let _ = teller.send(news);
        }
    }

    /// For the generator.
    pub fn watch(&self) -> Watch {
        let news = self.news.clone();
        Arc::new(move |second, p99| {
            if let Some(news) = &news {
                let _ = news.send(News::Second(second.clone(), p99));
            }
        })
    }

    /// A step of this name begins.
    pub fn begins(&self, what: &str) {
        self.say(News::Begins(what.to_owned()));
    }

    /// A step ends; the line stays.
    pub fn ends(&self, line: String) {
        self.say(News::Ends(line));
    }

    /// Waits until all is told. What the generator watches with is to be dropped before.
    pub fn finish(mut self) {
        self.news = None;
        if let Some(teller) = self.teller.take() {
            let _ = teller.join();
        }
    }
}

fn tell(heard: &Receiver<News>, screen: Screen) {
    let is_watched = screen.is_watched();
    let mut what = String::new();
    for news in heard {
        match news {
            News::Begins(name) => what = name,
            News::Second(second, p99) => {
                let line = line(&what, &second, p99);
                if is_watched {
                    // What is longer than a line would not be taken back.
                    let line: String = line.chars().take(screen.width() - 1).collect();
                    screen.err(&format!("\r\x1b[K{line}"));
                } else if (second.at as u64 + 1).is_multiple_of(EVERY) {
                    screen.err(&format!("{line}\n"));
                }
            }
            News::Ends(line) if is_watched => screen.err(&format!("\r\x1b[K{line}\n")),
            News::Ends(_) => {}
        }
    }
}

fn line(what: &str, second: &Second, p99: Option<f64>) -> String {
    let mut line = format!(
        "{what}: {:.0} s, {}/s sent, {}/s answered, p99 so far {} ms",
        second.at + second.seconds,
        second.sent,
        second.answered,
        super::ms(p99)
    );
    for (count, word) in [(second.refused, "refused"), (second.bad, "bad")] {
        if count > 0 {
            line.push_str(&format!(", {count}/s {word}"));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_told() {
        let second = Second { at: 9.0, seconds: 1.0, sent: 20, answered: 18, ..Second::default() };
        let told = line("20/s", &second, Some(41.0));
        assert_eq!(told, "20/s: 10 s, 20/s sent, 18/s answered, p99 so far 41 ms");
        let told = line("20/s", &Second { refused: 2, bad: 1, ..second }, None);
        assert!(told.ends_with("p99 so far – ms, 2/s refused, 1/s bad"), "{told}");
    }
}
