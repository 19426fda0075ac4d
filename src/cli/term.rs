//! The terminal: what goes to stdout and stderr, how wide it is, and whether it is coloured.

use std::io::{self, IsTerminal as _, Write as _};

use super::{Failure, args::ColorChoice};

/// A colour, named by what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Headings.
    Strong,
    /// Asides.
    Faint,
    /// All is well.
    Good,
    /// Something changed.
    Changed,
    /// Something was lost.
    Bad,
}

impl Tone {
    /// ECMA-48 SGR parameters.
    fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Changed => Some("33"),
            Self::Bad => Some("31"),
        }
    }
}

/// The output of a command.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    out_color: bool,
    err_color: bool,
    width: usize,
}

impl Screen {
    /// Looks at the terminal once.
    pub fn new(choice: ColorChoice) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            && std::env::var_os("TERM").is_none_or(|v| v != "dumb");
        let colored = |terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => wanted && terminal,
        };
        let width = terminal_size::terminal_size()
            .map(|(width, _)| usize::from(width.0))
            .or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
            .unwrap_or(100);
        Self {
            out_color: colored(io::stdout().is_terminal()),
            err_color: colored(io::stderr().is_terminal()),
            width: width.clamp(20, 240),
        }
    }

    /// A screen without colour, for tests.
    #[cfg(test)]
    pub fn plain(width: usize) -> Self {
        Self { out_color: false, err_color: false, width }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether what goes to stderr is coloured.
    pub fn err_has_color(&self) -> bool {
        self.err_color
    }

    /// Whether stderr is watched by a person.
    pub fn is_watched(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Colours for text that goes to stdout (`false`: to stderr).
    pub fn paint(&self, stdout: bool) -> Paint {
        Paint(if stdout { self.out_color } else { self.err_color })
    }

    /// Writes to stdout. A reader that went away (`| head`) ends the command without a word.
    pub fn out(&self, text: &str) -> Result<(), Failure> {
        self.out_bytes(text.as_bytes())
    }

    /// Writes bytes to stdout.
    pub fn out_bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::quiet()),
            Err(error) => Err(Failure::write("stdout", &error)),
        }
    }

    /// Writes to stderr; a failure to write is ignored.
    pub fn err(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Tells of a failure: its line on stderr, or its object where the report would have gone.
    pub fn tell_failure(&self, failure: &Failure, as_json: bool, stdout: bool) {
        if failure.is_quiet() {
            return;
        }
        if as_json {
            // If stdout is closed the exit code still tells.
            let _ = self.tell(stdout, &format!("{}\n", failure.to_json()));
        } else {
            let paint = self.paint(false);
            self.err(&format!("{} {}\n", paint.tone(Tone::Bad, "mmsfit:"), failure.line()));
        }
    }

    /// Writes to stdout, or to stderr where stdout is taken.
    pub fn tell(&self, stdout: bool, text: &str) -> Result<(), Failure> {
        if stdout {
            self.out(text)
        } else {
            self.err(text);
            Ok(())
        }
    }
}

/// Colours, or their absence.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// No colours.
    #[cfg(test)]
    pub const NONE: Self = Self(false);

    /// `text` in `tone`.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        match tone.sgr() {
            Some(sgr) if self.0 => format!("\x1b[{sgr}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_only_where_wanted() {
        assert_eq!(Paint(true).tone(Tone::Good, "x"), "\x1b[32mx\x1b[0m");
        assert_eq!(Paint(false).tone(Tone::Good, "x"), "x");
        assert_eq!(Paint(true).tone(Tone::Plain, "x"), "x");
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        use crate::cli::safe::safe;
        assert_eq!(safe("a\x1b[2Jb\r\nc"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
        assert_eq!(safe("gpj\u{202e}exe"), "gpj\u{fffd}exe");
        assert_eq!(safe("写真 é.jpg"), "写真 é.jpg");
    }
}
