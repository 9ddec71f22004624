//! A full screen for the bench `benches/screen.rs`, which can't see what is private: an application with as many messages as
//! wanted, drawn as it is on a terminal, whose bytes go nowhere. The program itself has no use for it.

use std::io::{Sink, sink};
use std::time::Duration;

use chatterbox_app::model::Limits;
use chatterbox_app::{App, Effect, Options, TimeFormatter};
use chatterbox_proto::{Capability, ScreenText};
use jiff::tz::TimeZone;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use tokio::time::Instant;

use super::draw::{Drawn, Scene, draw};
use super::timeline::scrolled;
use super::ui::{Scroll, Ui};
use crate::cli::Theme;
use crate::keymap::Keymap;
use crate::session::{LinkState, Prompt, PromptKind, Security};
use crate::terminal::Typing;

/// 2023-11-14 22:13:20 UTC.
const NOW: i64 = 1_700_000_000;

const WELCOME: &str = r##"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "cyd", "ann"], "CAPABILITIES": "ids/1 rooms/1", "MESSAGES": [],
    "ROOMS": [{"ROOM": "#games", "NUMBER": 12, "TOPIC": "chess at eight", "ROSTER": true, "COUNT": 2, "USERS": ["ann", "bob"], "LAST": 0}]}"##;

/// What is said: short and long, in Latin letters and others, with emoji and links.
const TEXTS: [&str; 8] = [
    "yes",
    "I think so too",
    "the test that fails is the one about resuming; it needs both ends to agree on what was seen, and they do not always",
    "see https://example.org/a/long/path/that/has/no/blank/in/it/and/is/longer/than/a/narrow/screen?with=arguments&and=more",
    "世界中の人々がこの部屋で話しています。今日は天気がいいですね。",
    "👍🏽👩\u{200d}💻 nice",
    "ann: have you seen this?",
    "ok",
];

/// A full screen that shows a conversation.
#[doc(hidden)]
pub struct Screen {
    app: App,
    link: LinkState,
    ui: Ui,
    time: TimeFormatter,
    instant: Instant,
    terminal: Option<Terminal<CrosstermBackend<Sink>>>,
    drawn: Drawn,
    said: u64,
}

impl Screen {
    /// A screen of this size, in whose conversation so much was said.
    pub fn new(messages: u64, (width, height): (u16, u16), instant: Instant) -> Self {
        let items = usize::try_from(messages).unwrap_or(usize::MAX).saturating_mul(4);
        let limits = Limits { items, all_items: items, bytes: 1 << 30, ..Limits::USUAL };
        let options = Options {
            username: Some("ann".to_owned()),
            interactive: true,
            all_rooms: true,
            full_screen: true,
            model: Some(limits),
            offer: Capability::EVERY.iter().copied().collect(),
            ..Options::default()
        };
        let time = TimeFormatter::new(TimeZone::UTC);
        let mut typing = Typing::new(Keymap::default());
        typing.ask(Prompt {
            kind: PromptKind::Chat(ScreenText::new("ann")),
            remember: None,
            secret_arguments: Vec::new(),
        });
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let backend = CrosstermBackend::new(sink());
        let mut screen = Self {
            app: App::new(options, time.clone()),
            link: LinkState {
                server: "localhost:5000".to_owned(),
                security: Security::Tls,
                latency: Some(Duration::from_millis(12)),
                lost: None,
            },
            ui: Ui::new(typing),
            time,
            instant,
            terminal: Terminal::with_options(backend, TerminalOptions { viewport }).ok(),
            drawn: Drawn::default(),
            said: 0,
        };
        let effects = screen.app.start();
        screen.take(effects);
        screen.receive(WELCOME.to_owned());
        for _ in 0..messages {
            screen.message();
        }
        screen.frame();
        screen
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Show(output) = effect {
                self.app.shown(&output, NOW);
            }
        }
    }

    fn receive(&mut self, frame: String) {
        let mut effects = self.app.received(&frame.into(), NOW);
        loop {
            self.take(effects);
            if !self.app.has_more() {
                return;
            }
            effects = self.app.more(NOW);
        }
    }

    /// A message comes.
    pub fn message(&mut self) {
        self.said += 1;
        let said = self.said;
        let text = TEXTS.iter().cycle().nth(usize::try_from(said % 8).unwrap_or_default());
        let (time, from) = (NOW.saturating_add_unsigned(said * 7), said % 40);
        let text = text.copied().unwrap_or_default();
        self.receive(format!(
            r#"{{"MESSAGES": [["user{from}", "ALL", {time}, "{text}"]], "IDS": [{said}]}}"#
        ));
    }

    /// A key is typed; from time to time the line is emptied.
    pub fn key(&mut self) {
        self.said += 1;
        let composer = self.ui.typing.composer_mut();
        if self.said.is_multiple_of(60) {
            composer.set("");
        } else {
            composer.insert("x");
        }
    }

    /// A page up; behind the oldest message comes the newest again.
    pub fn page_up(&mut self) {
        let Rect { width, height, .. } = self.drawn.timeline;
        let rows = isize::try_from(height).unwrap_or_default();
        let scroll = scrolled(&self.scene(), width, height, self.ui.scroll, rows);
        self.ui.scroll = if scroll == self.ui.scroll { Scroll::End } else { scroll };
    }

    /// Goes to the middle of what was said.
    pub fn to_the_middle(&mut self) {
        let timeline = self.app.model().and_then(|model| model.in_front()).map(|one| &one.timeline);
        let middle = timeline.and_then(|timeline| timeline.item(timeline.len() / 2));
        self.ui.scroll = middle.map_or(Scroll::End, |item| Scroll::At { key: item.key, hidden: 0 });
    }

    /// Draws a frame. Gives how many messages are on it.
    pub fn frame(&mut self) -> usize {
        let Some(mut terminal) = self.terminal.take() else { return 0 };
        let mut drawn = Drawn::default();
        let _ = terminal.draw(|frame| drawn = draw(frame, &self.scene()));
        self.terminal = Some(terminal);
        self.drawn = drawn;
        self.drawn.visible.len()
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            app: &self.app,
            link: &self.link,
            ui: &self.ui,
            theme: &Theme::Default,
            time: &self.time,
            now: NOW,
            instant: self.instant,
        }
    }
}
