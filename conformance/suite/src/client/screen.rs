//! The output of a client: a terminal emulator, and the stream of everything that was written to it.
//!
//! A terminal emulator knows what stands on the screen now; the stream without its escape
//! sequences knows what has scrolled away or was overwritten. A text counts as shown when either
//! has it. Texts are compared by their letters and digits, since clients wrap, indent and frame
//! what they show, and the texts of the suite can't occur by accident.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anstream::adapter::StripBytes;
use conformance_kit::escape;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// The most bytes of output that are kept; a client that never stops is not kept any further.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// How much of the output is looked through for words.
const LONGEST_END: usize = 64 * 1024;
/// Rows that are kept after they have scrolled away.
const SCROLLBACK: usize = 2_000;

/// A place in the output: what comes later is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScreenMark {
    plain: usize,
    letters: usize,
}

impl ScreenMark {
    /// The beginning.
    pub const START: Self = Self { plain: 0, letters: 0 };
}

/// The output of a client; clones share one screen.
#[derive(Clone)]
pub struct Screen {
    state: Arc<Mutex<State>>,
    news: watch::Sender<u64>,
}

struct State {
    parser: Option<vt100::Parser>,
    strip: StripBytes,
    raw: Vec<u8>,
    /// Without escape sequences.
    plain: String,
    /// Without anything but letters and digits.
    letters: String,
    /// The beginning of a character whose end has not come yet.
    partial: Vec<u8>,
    open_ends: usize,
}

impl Screen {
    /// A terminal of this size, written to by one stream.
    #[must_use]
    pub fn terminal(rows: u16, columns: u16) -> Self {
        Self::new(Some(vt100::Parser::new(rows, columns, SCROLLBACK)), 1)
    }

    /// No terminal, written to by so many streams.
    #[must_use]
    pub fn pipe(streams: usize) -> Self {
        Self::new(None, streams)
    }

    fn new(parser: Option<vt100::Parser>, open_ends: usize) -> Self {
        let state = State {
            parser,
            strip: StripBytes::new(),
            raw: Vec::new(),
            plain: String::new(),
            letters: String::new(),
            partial: Vec::new(),
            open_ends,
        };
        Self { state: Arc::new(Mutex::new(state)), news: watch::Sender::new(0) }
    }

    /// Takes output.
    pub fn feed(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.raw.len() < MOST_BYTES {
            state.take(bytes);
        }
        drop(state);
        self.news.send_modify(|count| *count += 1);
    }

    /// Notes that one of the streams has ended.
    pub fn ended(&self) {
        let mut state = self.lock();
        state.open_ends = state.open_ends.saturating_sub(1);
        drop(state);
        self.news.send_modify(|count| *count += 1);
    }

    /// Whether nothing will come any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.lock().open_ends == 0
    }

    /// The current position in the output.
    #[must_use]
    pub fn mark(&self) -> ScreenMark {
        let state = self.lock();
        ScreenMark { plain: state.plain.len(), letters: state.letters.len() }
    }

    /// Whether a text was shown since a mark. On a full screen that is what stands there, too: such
    /// programs write only what differs from before.
    #[must_use]
    pub fn shows(&self, since: ScreenMark, text: &str) -> bool {
        let wanted = letters(text);
        let mut state = self.lock();
        let new = state.letters.get(since.letters..).unwrap_or_default();
        let all = since == ScreenMark::START || state.is_full_screen();
        new.contains(&wanted) || (all && letters(&state.contents()).contains(&wanted))
    }

    /// Whether a text was written since a mark, wherever it may stand.
    #[must_use]
    pub fn written_holds(&self, since: ScreenMark, text: &str) -> bool {
        let state = self.lock();
        state.letters.get(since.letters..).unwrap_or_default().contains(&letters(text))
    }

    /// Whether all of these stand in one row, or in two that follow each other.
    #[must_use]
    pub fn shows_together(&self, texts: &[&str]) -> bool {
        let wanted: Vec<String> = texts.iter().map(|text| letters(text)).collect();
        let contents = self.lock().contents();
        let rows: Vec<String> = contents.lines().map(letters).collect();
        rows.windows(2).any(|pair| {
            let both = pair.concat();
            wanted.iter().all(|text| both.contains(text))
        })
    }

    /// Whether exactly this was shown, white space and signs included.
    #[must_use]
    pub fn shows_exactly(&self, text: &str) -> bool {
        let mut state = self.lock();
        state.plain.contains(text) || {
            let joined: String = state.contents().lines().map(str::trim_end).collect();
            joined.contains(text)
        }
    }

    /// What was written since a mark, without escape sequences.
    #[must_use]
    pub fn plain_since(&self, mark: ScreenMark) -> String {
        self.lock().plain.get(mark.plain..).unwrap_or_default().to_owned()
    }

    /// Whether a text stands on the screen now; without a terminal, whether it was ever written.
    #[must_use]
    pub fn stands(&self, text: &str) -> bool {
        let wanted = letters(text);
        let state = self.lock();
        match &state.parser {
            Some(parser) => letters(&parser.screen().contents()).contains(&wanted),
            None => state.letters.contains(&wanted),
        }
    }

    /// Whether a program has the whole screen.
    #[must_use]
    pub fn is_full_screen(&self) -> bool {
        self.lock().is_full_screen()
    }

    /// The position at which a text was shown last; `None` when it was not.
    #[must_use]
    pub fn position(&self, text: &str) -> Option<usize> {
        let wanted = letters(text);
        let mut state = self.lock();
        if state.is_full_screen() {
            return letters(&state.contents()).rfind(&wanted);
        }
        state.letters.rfind(&wanted)
    }

    /// How many letters and digits were written since a mark.
    #[must_use]
    pub fn written(&self, since: ScreenMark) -> usize {
        self.lock().letters.len().saturating_sub(since.letters)
    }

    /// How many letters were written since a mark in lines that were not there before. A prompt that is
    /// drawn again tells nothing, and neither does what the user typed, which most terminals show.
    #[must_use]
    pub fn news(&self, since: ScreenMark, typed: &str) -> usize {
        let state = self.lock();
        let (before, after) =
            state.plain.split_at_checked(since.plain).unwrap_or(("", &state.plain));
        let (before, after) = (end(before), end(after));
        // Behind a prompt of before stands what was typed there.
        let old: Vec<String> = words(before, typed).collect();
        let new = words(after, typed).filter(|line| !old.iter().any(|old| old.starts_with(line)));
        new.map(|line| line.chars().count()).sum()
    }

    /// The end of the output without escape sequences, as it came.
    #[must_use]
    pub fn plain_end(&self) -> String {
        end(&self.lock().plain).to_owned()
    }

    /// Whether these bytes were written, escape sequences included.
    #[must_use]
    pub fn holds_bytes(&self, wanted: &[u8]) -> bool {
        self.lock().raw.windows(wanted.len().max(1)).any(|window| window == wanted)
    }

    /// The output since a mark, cut and escaped, for reports.
    #[must_use]
    pub fn tail(&self, since: ScreenMark, limit: usize) -> String {
        let state = self.lock();
        let new = state.plain.get(since.plain..).unwrap_or_default().trim();
        let skip = new.chars().count().saturating_sub(limit);
        let end: String = new.chars().skip(skip).collect();
        escape::visible(&end.lines().map(str::trim_end).collect::<Vec<_>>().join(" | "))
    }

    /// Waits until something holds; false when it did not in time, or when nothing more can come.
    pub async fn wait(&self, patience: Duration, mut holds: impl FnMut(&Self) -> bool) -> bool {
        let mut news = self.news.subscribe();
        let waiting = async {
            loop {
                news.mark_unchanged();
                if holds(self) {
                    return true;
                }
                if self.is_over() || news.changed().await.is_err() {
                    return holds(self);
                }
            }
        };
        match timeout(patience, waiting).await {
            Ok(held) => held,
            Err(_) => holds(self),
        }
    }

    /// Waits until nothing was written for a while, at most so long.
    pub async fn quiet(&self, a_while: Duration, at_most: Duration) {
        let mut news = self.news.subscribe();
        let waiting = async {
            loop {
                news.mark_unchanged();
                tokio::select! {
                    changed = news.changed() => if changed.is_err() { return },
                    () = sleep(a_while) => return,
                }
            }
        };
        let _ = timeout(at_most, waiting).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        let stripped: Vec<u8> = self.strip.strip_next(bytes).flatten().copied().collect();
        self.partial.extend(stripped);
        let whole = match std::str::from_utf8(&self.partial) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.partial.len(),
        };
        let rest = self.partial.split_off(whole);
        let text = String::from_utf8_lossy(&self.partial).into_owned();
        self.partial = rest;
        self.letters.push_str(&letters(&text));
        self.plain.push_str(&text);
        // The emulator is given whatever a stranger writes: if it breaks, the stream is left.
        if let Some(mut parser) = self.parser.take() {
            let processed = catch_unwind(AssertUnwindSafe(|| {
                parser.process(bytes);
                parser
            }));
            self.parser = processed.ok();
        }
    }

    fn is_full_screen(&self) -> bool {
        self.parser.as_ref().is_some_and(|parser| parser.screen().alternate_screen())
    }

    /// Everything that the terminal still knows, what has scrolled away included.
    fn contents(&mut self) -> String {
        let Some(parser) = &mut self.parser else { return self.plain.clone() };
        let screen = parser.screen_mut();
        let rows = usize::from(screen.size().0).max(1);
        screen.set_scrollback(usize::MAX);
        let mut offset = screen.scrollback();
        let mut text = String::new();
        while offset > 0 {
            screen.set_scrollback(offset);
            let page: Vec<String> = screen.rows(0, screen.size().1).take(offset).collect();
            text.push_str(&page.join("\n"));
            text.push('\n');
            offset = offset.saturating_sub(rows);
        }
        screen.set_scrollback(0);
        text.push_str(&screen.rows(0, screen.size().1).collect::<Vec<_>>().join("\n"));
        text
    }
}

/// The end of a text that may be long.
fn end(text: &str) -> &str {
    let from = text.len().saturating_sub(LONGEST_END);
    (from..text.len()).find_map(|at| text.get(at..)).unwrap_or_default()
}

/// The letters and digits of a text: what is left of it when a client wraps and decorates it.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The lines of a text without anything but letters: a clock or a counter in a prompt makes it no
/// other prompt.
fn words<'a>(text: &'a str, typed: &'a str) -> impl Iterator<Item = String> + 'a {
    let lines = text.split(['\n', '\r']);
    let spelled = lines.map(move |line| match typed {
        "" => line.to_owned(),
        typed => line.replace(typed, ""),
    });
    spelled
        .map(|line| line.chars().filter(|c| c.is_alphabetic()).collect::<String>())
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_wrapped_or_scrolled_away_was_shown() {
        let screen = Screen::terminal(5, 20);
        screen.feed(b"a nonce that is longer than the row: abcdefghijkl\r\n");
        let mark = screen.mark();
        for line in 0..50 {
            screen.feed(format!("\x1b[3{}mline {line}\x1b[0m\r\n", line % 8).as_bytes());
        }
        assert!(screen.shows(ScreenMark::START, "abcdefghijkl"));
        assert!(!screen.shows(mark, "abcdefghijkl") && screen.shows(mark, "line 7"));
        assert!(screen.position("line 3").unwrap() < screen.position("line 40").unwrap());
        assert!(!screen.stands("line 3") && screen.stands("line 49"));
    }

    #[test]
    fn a_full_screen_is_read_as_it_stands() {
        let screen = Screen::terminal(10, 40);
        screen.feed(b"\x1b[?1049h\x1b[2J\x1b[3;5H| bob: x |\x1b[3;12Hyz");
        assert!(screen.is_full_screen());
        assert!(screen.shows(screen.mark(), "bob: yz") && screen.shows_together(&["bob", "yz"]));
    }

    #[test]
    fn raw_bytes_are_kept_and_reports_are_harmless() {
        let screen = Screen::pipe(2);
        screen.feed(b"\x1b]0;title\x07 caf\xc3\xa9 \"q\"");
        assert!(screen.holds_bytes(b"\x1b]0;title") && !screen.holds_bytes(b"\x1b[0m"));
        assert!(screen.shows_exactly("caf\u{e9} \"q\""));
        assert!(!screen.tail(ScreenMark::START, 99).contains('\u{1b}'));
    }

    #[test]
    fn a_prompt_that_is_drawn_again_is_no_news() {
        let screen = Screen::terminal(10, 40);
        screen.feed(b"Hello\r\n[12:01] name: ann7\r\n");
        let mark = screen.mark();
        screen.feed(b"[12:02] name: ");
        assert_eq!(screen.news(mark, "ann7"), 0);
        screen.feed(b"ann7\r\n\x1b[1mHello\x1b[0m\r\n[12:03] name: ");
        assert_eq!(screen.news(mark, "ann7"), 0);
        screen.feed(b"No\r\n");
        assert_eq!(screen.news(mark, "ann7"), "nameNo".len());
    }

    #[tokio::test]
    async fn waiting_ends_with_the_output() {
        let screen = Screen::pipe(1);
        let other = screen.clone();
        let waiting = screen.wait(Duration::from_secs(60), |s| s.shows(ScreenMark::START, "here"));
        let feeding = async {
            other.feed(b"not yet");
            other.feed(b" ... here");
        };
        assert!(tokio::join!(waiting, feeding).0);
        screen.ended();
        assert!(
            !screen.wait(Duration::from_secs(60), |s| s.shows(ScreenMark::START, "absent")).await
        );
    }
}
