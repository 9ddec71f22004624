//! A session of lines: its parts, and what whoever drives it may do.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chatterbox_app::input::{Composer, Draft};
use chatterbox_app::{App, Crowd, InputMode, Intent, Options, Output, TimeFormatter, spoken};
use chatterbox_proto::Capability;

use super::banner::banner;
use super::keys::Keys;
use super::limits::{ANSWER, Effort, LAST_ANSWERS, MODEL, Now, Pace, RESPITE};
use super::news::News;
use super::screen::{Mode, Screen};

/// A person sees so many messages of what was said before.
pub(super) const NEWEST: u16 = 20;

/// No key is taken while more bytes than this wait for the server or for the terminal.
const UNSENT: usize = 64 * 1024;

/// What a session begins with.
pub(crate) struct Start<'s> {
    /// Who shows what is typed.
    pub(crate) mode: Mode,
    /// Whether the terminal is on this machine.
    pub(crate) is_local: bool,
    /// The name of the chat.
    pub(crate) name: Option<&'s str>,
    /// What the chat says to everybody who comes.
    pub(crate) banner: Option<&'s str>,
    /// A terminal without a key for so long is disconnected.
    pub(crate) idle: Duration,
    /// The time zone of the times.
    pub(crate) time: TimeFormatter,
    pub(crate) now: Now,
}

/// What is seen of the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Commands, and their results.
    Palette,
    /// What is said in the conversation in front.
    Chat,
}

/// The line that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) mode: InputMode,
    pub(super) is_secret: bool,
}

/// A chat line by line.
pub(crate) struct Session {
    pub(super) app: App,
    pub(super) screen: Screen,
    pub(super) keys: Keys,
    pub(super) composer: Composer,
    pub(super) pace: Pace,
    effort: Effort,
    pub(super) news: News,
    pub(super) crowd: Crowd,
    pub(super) time: TimeFormatter,
    pub(super) view: View,
    pub(super) is_local: bool,
    /// Bytes that were typed and not looked at yet.
    pub(super) typed: VecDeque<u8>,
    /// Frames for the server.
    pub(super) frames: BytesMut,
    /// What the next line is for. A secret that somebody may be typing stays one, whatever happens.
    pub(super) asked: Option<Asked>,
    /// What was half typed when a question came.
    pub(super) draft: Option<Draft>,
    /// Whether the line that is typed is too long.
    pub(super) is_too_long: bool,
    /// Whether a complete line waits: it came too fast.
    pub(super) is_complete: bool,
    /// Until then nothing is read.
    pub(super) paused: Option<Duration>,
    /// Since when a line waits for the server.
    pub(super) blocked: Option<Duration>,
    /// Whether messages from before are awaited, to be shown.
    pub(super) is_paging: bool,
    /// Whether the welcome is over.
    pub(super) is_welcomed: bool,
    /// Whether the next notice of the application says what this session does by itself.
    pub(super) skips_note: bool,
    /// Whether the user is no member of the room in front any more, and something else comes to the front.
    pub(super) has_lost_front: bool,
    /// The user has left, and what was said is waited for until then.
    pub(super) leaving: Option<Duration>,
    /// Whether nothing more is typed.
    has_ended: bool,
    idle: Duration,
    /// When the last key came.
    active: Duration,
    is_over: bool,
}

impl Session {
    pub(crate) fn new(start: Start<'_>) -> Self {
        let Start { mode, is_local, name, banner: text, idle, time, now } = start;
        let options = Options {
            echo_own: true,
            interactive: true,
            // There is no disk of the user here.
            offer: spoken().without(Capability::Zstd).without(Capability::Files),
            restricted: true,
            recent: Some(NEWEST),
            // What is shown where is decided here.
            all_rooms: true,
            full_screen: true,
            model: Some(MODEL),
            ..Options::default()
        };
        let mut session = Self {
            app: App::new(options, time.clone()),
            screen: Screen::new(mode),
            keys: Keys::default(),
            composer: Composer::default(),
            pace: Pace::new(now.elapsed),
            effort: Effort::new(now.elapsed),
            news: News::default(),
            crowd: Crowd::default(),
            time,
            view: View::Palette,
            is_local,
            typed: VecDeque::new(),
            frames: BytesMut::new(),
            asked: None,
            draft: None,
            is_too_long: false,
            is_complete: false,
            paused: None,
            blocked: None,
            is_paging: false,
            is_welcomed: false,
            skips_note: false,
            has_lost_front: false,
            leaving: None,
            has_ended: false,
            idle,
            active: now.elapsed,
            is_over: false,
        };
        if mode == Mode::Line {
            session.screen.wipe();
        }
        banner(name, text).iter().for_each(|line| session.screen.print(line));
        let mut effects = session.app.intend(Intent::Seeing(false), now.unix);
        effects.extend(session.app.start());
        session.perform(effects, now);
        session
    }

    /// Who shows what is typed.
    pub(crate) fn set_mode(&mut self, mode: Mode) {
        self.screen.set_mode(mode);
    }

    /// The terminal has so many columns.
    pub(crate) fn set_width(&mut self, width: u16) {
        self.screen.set_width(width);
    }

    /// Takes bytes that were typed.
    pub(crate) fn typed(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.typed.extend(bytes);
    }

    /// A byte came from the terminal.
    pub(crate) fn heard(&mut self, now: Now) {
        self.active = now.elapsed;
        // The row is looked at once for all keys of a read.
        let drawn =
            if self.screen.mode() == Mode::Character { self.composer.text().len() } else { 0 };
        self.spend(drawn, now);
    }

    /// Something was done with a line of so many bytes. Who has done too much is not read for a while, and nothing is lost.
    pub(super) fn spend(&mut self, line: usize, now: Now) {
        if !self.effort.spend(line, now.elapsed) {
            self.paused = self.paused.max(Some(now.elapsed + RESPITE));
        }
    }

    /// Whether more may be read of the terminal.
    pub(crate) fn wants_bytes(&self) -> bool {
        self.typed.is_empty() && !self.is_complete && !self.has_ended && self.takes_keys()
    }

    /// Takes the body of a frame.
    pub(crate) fn received(&mut self, body: &Bytes, now: Now) {
        let effects = self.app.received(body, now.unix);
        self.perform(effects, now);
    }

    /// Whether a part of the last frame is left, for which there is room now.
    pub(crate) fn has_more(&self) -> bool {
        self.app.has_more()
    }

    /// Works off the next part of it.
    pub(crate) fn more(&mut self, now: Now) {
        let effects = self.app.more(now.unix);
        self.perform(effects, now);
    }

    /// The server has closed its end.
    pub(crate) fn server_closed(&mut self) {
        if !self.is_over {
            self.end("-- the connection is closed");
        }
    }

    /// Somebody asks whether the server is there.
    pub(crate) fn are_you_there(&mut self) {
        self.note("yes, the server is here");
    }

    /// Nothing more is typed: what was is worked off, and its answers are waited for.
    pub(crate) fn input_ended(&mut self) {
        self.has_ended = true;
    }

    /// The bytes for the terminal.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        self.screen.out()
    }

    /// The frames for the server.
    pub(crate) fn frames(&mut self) -> &mut BytesMut {
        &mut self.frames
    }

    /// Whether nothing is left to do but to write what is to be written.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Goes on as far as it can: takes what was typed, asks for the next line, and draws it.
    pub(crate) fn work(&mut self, now: Now) {
        self.expire(now);
        while !self.is_over {
            self.ask(now);
            if !self.takes_keys() || !self.take_key(now) {
                break;
            }
        }
        if self.is_over {
            return;
        }
        self.say_news(now);
        if self.has_ended && self.typed.is_empty() && !self.is_complete {
            self.leaving.get_or_insert(now.elapsed + LAST_ANSWERS);
        }
        if self.leaving.is_some() && self.is_done() {
            return self.end("-- good bye");
        }
        self.draw();
    }

    /// When there is something to do although nothing has come.
    pub(crate) fn deadline(&self, now: Now) -> Duration {
        let crowd = self.crowd.held_until().map(|at| {
            now.elapsed + Duration::from_secs(u64::try_from(at - now.unix).unwrap_or_default())
        });
        let idle = self.active + self.idle;
        let blocked = self.blocked.map(|since| since + ANSWER);
        let others = [self.paused, blocked, self.leaving, crowd, self.news.deadline()];
        others.into_iter().flatten().chain([idle]).min().unwrap_or(idle)
    }

    /// Whether keys are taken now. Those that come while the server may still ask for a secret are not even looked at, so nothing
    /// that was typed ahead is shown.
    fn takes_keys(&self) -> bool {
        !self.is_over
            && self.leaving.is_none()
            && self.asked.is_some()
            && self.paused.is_none()
            && self.frames.len() < UNSENT
            && self.screen.unwritten() < UNSENT
    }

    /// Ends the session with these words.
    pub(super) fn end(&mut self, words: &str) {
        let mut last = VecDeque::new();
        self.crowd.flush(0, &mut last);
        self.print_all(&mut last);
        self.screen.print(words);
        self.is_over = true;
    }

    /// Whether everything that was said is answered, or will not be.
    fn is_done(&self) -> bool {
        let waits = matches!(
            self.app.input_mode(),
            InputMode::LoginPending | InputMode::CataloguePending | InputMode::ResultPending
        );
        !waits && self.app.pending_replies() == 0
    }

    fn expire(&mut self, now: Now) {
        let is_over = |at: Option<Duration>| at.is_some_and(|at| at <= now.elapsed);
        if is_over(self.paused) {
            self.paused = None;
        }
        let waits =
            matches!(self.app.input_mode(), InputMode::CataloguePending | InputMode::ResultPending);
        if waits || self.is_paging {
            let since = *self.blocked.get_or_insert(now.elapsed);
            if since + ANSWER <= now.elapsed {
                self.blocked = None;
                self.app.stop_waiting(now.unix);
                if self.is_paging {
                    self.show_newest(now);
                }
            }
        } else {
            self.blocked = None;
        }
        let mut shown = VecDeque::new();
        self.crowd.settle(now.unix, &mut shown);
        self.print_all(&mut shown);
        if is_over(self.leaving) {
            return self.end("-- good bye");
        }
        if is_over(Some(self.active + self.idle)) {
            self.end(&format!("-- nothing was typed for {}: good bye", in_words(self.idle)));
        }
    }

    fn say_news(&mut self, now: Now) {
        let line = self.app.model().and_then(|model| self.news.line(model, now.elapsed));
        if let Some(line) = line {
            self.screen.print(&line);
        }
    }

    /// A notice of this session.
    pub(super) fn note(&mut self, text: &str) {
        self.screen.print(&format!("-- {text}"));
    }

    /// Writes what was held back.
    pub(super) fn print_all(&mut self, outputs: &mut VecDeque<Output>) {
        for output in outputs.drain(..) {
            self.print(output);
        }
    }
}

/// A time in whole minutes, if it is as long.
fn in_words(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs()) {
        (0, 1) => "a second".to_owned(),
        (0, seconds) => format!("{seconds} seconds"),
        (1, _) => "a minute".to_owned(),
        (minutes, _) => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red when keys are not paced: each moves through the whole line, and everybody waits for it.
    #[test]
    fn keys_in_a_long_line_are_not_worked_off_all_at_once() {
        let mut now = Now { unix: 0, elapsed: Duration::from_secs(1) };
        let time = TimeFormatter::new(jiff::tz::TimeZone::UTC);
        let mut session = Session::new(Start {
            mode: Mode::Character,
            is_local: true,
            name: None,
            banner: None,
            idle: Duration::from_secs(1800),
            time,
            now,
        });
        let read = |session: &mut Session, bytes: &[u8], now| {
            session.work(now);
            session.out().clear();
            let wants = session.wants_bytes();
            if wants {
                session.heard(now);
                session.typed(bytes.iter().copied());
                session.work(now);
            }
            wants
        };
        // A paste of a whole line is taken as it comes.
        for _ in 0..7 {
            assert!(read(&mut session, &[b'x'; 1024], now));
        }
        assert!(session.wants_bytes());
        for keys in [&b"\x02\x06"[..], b"\x01\x05", b"\x7fx", b"\x10\x0e", b"\t"] {
            now.elapsed += Duration::from_secs(60);
            let flood = keys.repeat(1024 / keys.len());
            assert!(read(&mut session, &flood, now), "{keys:?}");
            // Neither these nor more are taken at this time.
            assert!(!read(&mut session, &flood, now) && session.typed.len() > 800, "{keys:?}");
            let mut steps = 0;
            while !session.typed.is_empty() {
                let before = session.typed.len();
                now.elapsed += RESPITE;
                session.work(now);
                assert!(before - session.typed.len() < 20, "{keys:?}");
                steps += 1;
            }
            assert!(steps > 40, "nothing is lost, and it takes its time: {keys:?} {steps}");
        }
    }

    #[test]
    fn times_in_words() {
        for (seconds, words) in
            [(1, "a second"), (59, "59 seconds"), (60, "a minute"), (1800, "30 minutes")]
        {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
