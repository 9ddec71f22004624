//! A transfer as it is told: to people in a line and in a bar, to programs as an object.

use chatterbox_proto::ScreenText;

use super::rate::left;
use super::size::in_words;

/// The cells of a bar.
const BAR: u64 = 10;

/// A name in a bar has at most so many characters.
const NAME: usize = 32;

/// What is told of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferTold {
    /// Its number, by which it is given up.
    pub id: u64,
    /// The name of the file, safe to show.
    pub name: ScreenText,
    /// Whether this user sends it; they fetch it otherwise.
    pub sends: bool,
    /// The size of the file; `None` while that is found out.
    pub size: Option<u64>,
    /// How many bytes of it are over.
    pub done: u64,
    /// How it is.
    pub state: TransferState,
}

/// How a transfer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferState {
    /// It begins, or waits for its turn or for the connection.
    Waiting,
    /// It goes on, at so many bytes in a second where that is known.
    Moving {
        /// Bytes in a second.
        rate: Option<u64>,
    },
    /// It has ended well: what is fetched is under this path.
    Done {
        /// The path, safe to show; `None` of what was sent.
        path: Option<ScreenText>,
    },
    /// It has failed, or was given up, for this reason.
    Failed {
        /// The reason, safe to show.
        why: ScreenText,
    },
}

impl TransferTold {
    /// How many seconds are left.
    pub fn left(&self) -> Option<u64> {
        match self.state {
            TransferState::Moving { rate } => left(rate, self.size?.saturating_sub(self.done)),
            _ => None,
        }
    }

    /// How much of it is over, in hundredths.
    pub fn percent(&self) -> u64 {
        match self.size {
            None => 0,
            Some(0) => 100,
            Some(size) => {
                let percent = u128::from(self.done.min(size)) * 100 / u128::from(size);
                u64::try_from(percent).unwrap_or(100)
            }
        }
    }

    /// `sending notes.pdf [####......] 40 % of 471 KiB, 1.2 MiB/s, 3 s left`: one line, safe to show.
    pub fn bar(&self) -> String {
        let name = ScreenText::shortened(self.name.as_str(), NAME);
        let what = if self.sends { "sending" } else { "fetching" };
        let Some(size) = self.size else { return format!("{what} {name}: reading it") };
        let filled = self.percent() * BAR / 100;
        let bar: String = (0..BAR).map(|cell| if cell < filled { '#' } else { '.' }).collect();
        let mut words = format!("{what} {name} [{bar}] {} % of {}", self.percent(), in_words(size));
        match &self.state {
            TransferState::Moving { rate: Some(rate) } => {
                words.push_str(&format!(", {}/s", in_words(*rate)));
                if let Some(left) = self.left() {
                    words.push_str(&format!(", {} left", time_in_words(left)));
                }
            }
            TransferState::Waiting => words.push_str(", waiting"),
            _ => {}
        }
        words
    }

    /// The same in few cells: `notes.pdf 40 % 3 s`.
    pub fn short(&self) -> String {
        let name = ScreenText::shortened(self.name.as_str(), NAME / 2);
        let arrow = if self.sends { '\u{2912}' } else { '\u{2913}' };
        let left = self.left().map(|left| format!(" {}", time_in_words(left))).unwrap_or_default();
        format!("{arrow} {name} {} %{left}", self.percent())
    }

    /// What a person is told in a line of its own; `None` where the chat shows it, or nothing has happened.
    pub(crate) fn sentence(&self) -> Option<String> {
        let name = &self.name;
        match &self.state {
            TransferState::Done { path: Some(path) } => {
                Some(format!("{name} is saved as {path}; it is what was announced"))
            }
            TransferState::Failed { why } if self.sends => {
                Some(format!("{name} was not sent: {why}"))
            }
            TransferState::Failed { why } => Some(format!("{name} was not fetched: {why}")),
            TransferState::Done { path: None }
            | TransferState::Waiting
            | TransferState::Moving { .. } => None,
        }
    }
}

/// `40 s`, `3 min`, `2 h 5 min`.
fn time_in_words(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(size: Option<u64>, done: u64, state: TransferState) -> TransferTold {
        TransferTold { id: 1, name: ScreenText::new("notes.pdf"), sends: true, size, done, state }
    }

    #[test]
    fn a_bar_says_how_far_how_fast_and_how_long() {
        let moving = |rate| TransferState::Moving { rate };
        for (told, bar, short) in [
            (
                told(Some(482_113), 200_000, moving(Some(100_000))),
                "sending notes.pdf [####......] 41 % of 471 KiB, 98 KiB/s, 3 s left",
                "\u{2912} notes.pdf 41 % 3 s",
            ),
            (
                told(Some(1 << 30), 0, moving(Some(100_000))),
                "sending notes.pdf [..........] 0 % of 1.0 GiB, 98 KiB/s, 2 h 58 min left",
                "\u{2912} notes.pdf 0 % 2 h 58 min",
            ),
            (
                told(Some(0), 0, TransferState::Waiting),
                "sending notes.pdf [##########] 100 % of 0 bytes, waiting",
                "\u{2912} notes.pdf 100 %",
            ),
            (
                told(None, 0, TransferState::Waiting),
                "sending notes.pdf: reading it",
                "\u{2912} notes.pdf 0 %",
            ),
            (
                told(Some(10), 20, moving(None)),
                "sending notes.pdf [##########] 100 % of 10 bytes",
                "\u{2912} notes.pdf 100 %",
            ),
        ] {
            assert_eq!((told.bar().as_str(), told.short().as_str()), (bar, short));
        }
    }

    #[test]
    fn times_are_said_in_a_unit_that_fits() {
        let words = [0, 99, 100, 5999, 7500].map(time_in_words);
        assert_eq!(words, ["0 s", "99 s", "2 min", "100 min", "2 h 5 min"]);
    }
}
