//! The full screen as text: real frames go into the application, and the cells that are drawn are looked at.

mod files;
mod hints;
mod hostile;
mod properties;
mod screens;
mod scrolling;
mod styles;

use std::time::Duration;

use chatterbox_app::model::Limits;
use chatterbox_app::{App, Effect, InputMode, Options, Question, TimeFormatter};
use chatterbox_proto::{Capability, ScreenText};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, CellWidth as _};
use tokio::time::Instant;

use super::draw::{Drawn, Scene, draw};
use super::ui::{Overlay, Scroll, Ui};
use crate::cli::Theme;
use crate::keymap::Keymap;
use crate::session::{LinkState, Prompt, PromptKind, Security};
use crate::terminal::Typing;

/// 2023-11-14 22:13:20 UTC.
const NOW: i64 = 1_700_000_000;

const WELCOME: &str = r##"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "cyd", "ann"], "CAPABILITIES":
    "accounts/1 commands/1 ids/1 notices/1 ping/1 presence/1 recent/1 rename/1 rooms/1 utf8/1", "RESUME": "session",
    "MESSAGES": [["bob", "ALL", 1699890000, "yesterday's news"], ["cyd", "ALL", 1699999000, "morning"]], "IDS": [1, 2], "MORE": true,
    "ROOMS": [{"ROOM": "#games", "NUMBER": 12, "TOPIC": "chess at eight", "ROSTER": true, "COUNT": 2, "USERS": ["ann", "bob"], "LAST": 0},
              {"ROOM": "#rust", "NUMBER": 13, "TOPIC": "borrowed, not owned", "ROSTER": false, "COUNT": 700, "LAST": 0}]}"##;

const COMMANDS: &str = r#"{"PREFIX": "/", "COMMANDS": [
    {"NAME": "register", "ALIASES": [], "ARGUMENTS": [{"NAME": "password", "TYPE": "secret", "OPTIONAL": true, "REST": false}],
     "HELP": "Makes your name yours.", "EXAMPLE": "register", "LEVEL": 0}]}"#;

/// All that a scene needs.
struct World {
    app: App,
    link: LinkState,
    ui: Ui,
    theme: Theme,
    time: TimeFormatter,
    instant: Instant,
    /// The number of the last message.
    id: u64,
}

impl World {
    /// Connected; no name is accepted yet.
    fn connected() -> Self {
        Self::with(Limits::USUAL, Capability::EVERY)
    }

    #[allow(clippy::disallowed_methods, reason = "a moment to count from")]
    fn with(limits: Limits, offer: &[Capability]) -> Self {
        let options = Options {
            username: Some("ann".to_owned()),
            interactive: true,
            echo_own: true,
            all_rooms: true,
            model: Some(limits),
            offer: offer.iter().copied().collect(),
            reconnect: Some(chatterbox_app::ReconnectPolicy::for_at_most(Duration::from_secs(60))),
            ..Options::default()
        };
        let time = TimeFormatter::new(TimeZone::UTC);
        let link = LinkState {
            server: "chat.example:5000".to_owned(),
            security: Security::Tls,
            latency: Some(Duration::from_millis(12)),
            lost: None,
        };
        let mut world = Self {
            app: App::new(options, time.clone()),
            link,
            ui: ui(),
            theme: Theme::Mono,
            time,
            instant: Instant::now(),
            id: 100,
        };
        let effects = world.app.start();
        world.take(effects);
        world
    }

    /// In the lobby with bob and cyd, and in two rooms.
    fn joined() -> Self {
        let mut world = Self::connected();
        world.gets(WELCOME);
        world.gets(COMMANDS);
        world.asks(PromptKind::Chat(ScreenText::new("ann")));
        world
    }

    /// The same, with things unread in the rooms and a private message.
    fn busy() -> Self {
        let mut world = Self::joined();
        world.says("bob", "ALL", "hello everybody");
        world.says("cyd", "ALL", "hi bob, is ann here?");
        for n in 0..4 {
            world.says("bob", "#games", &format!("move {n}"));
        }
        for n in 0..12 {
            world.says("cyd", "#rust", if n == 5 { "ann: look" } else { "unsafe" });
        }
        world.says("bob", "ann", "psst");
        world.gets(r#"{"USERS_JOINED": ["dan", "eve"]}"#);
        world.gets(r#"{"USERS_LEFT": ["eve"]}"#);
        world
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Show(output) = effect {
                self.app.shown(&output, NOW);
            }
        }
    }

    fn gets(&mut self, frame: &str) {
        let mut effects = self.app.received(&frame.to_owned().into(), NOW);
        loop {
            self.take(effects);
            if !self.app.has_more() {
                return;
            }
            effects = self.app.more(NOW);
        }
    }

    /// A message comes.
    fn says(&mut self, from: &str, to: &str, text: &str) {
        self.id += 1;
        let time = NOW + i64::try_from(self.id).unwrap();
        let frame = serde_json::json!({"MESSAGES": [[from, to, time, text]], "IDS": [self.id]});
        self.gets(&frame.to_string());
    }

    /// The user types a line for the chat.
    fn types(&mut self, line: &str) {
        let effects = self.app.typed(line, InputMode::Chat, NOW);
        self.take(effects);
    }

    fn does(&mut self, intent: chatterbox_app::Intent) {
        let effects = self.app.intend(intent, NOW);
        self.take(effects);
    }

    fn asks(&mut self, kind: PromptKind) {
        self.ui.typing.ask(Prompt { kind, remember: None, secret_arguments: Vec::new() });
    }

    fn asks_for(&mut self, text: &str, secret: bool) {
        self.asks(PromptKind::Reply(Question { text: ScreenText::new(text), secret }));
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            app: &self.app,
            link: &self.link,
            ui: &self.ui,
            theme: &self.theme,
            time: &self.time,
            now: NOW,
            instant: self.instant,
        }
    }

    /// Draws it, and looks at every cell.
    fn draw(&self, width: u16, height: u16) -> (Buffer, Drawn, Option<(u16, u16)>) {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut drawn = Drawn::default();
        let shown = terminal.draw(|frame| drawn = draw(frame, &self.scene())).unwrap();
        let buffer = shown.buffer.clone();
        check(&buffer);
        let cursor = terminal.get_cursor_position().unwrap();
        let in_area = buffer.area.contains(cursor);
        assert!(in_area || buffer.area.is_empty(), "{cursor} {:?}", buffer.area);
        (buffer, drawn, in_area.then_some((cursor.x, cursor.y)))
    }

    /// The screen as text, between its edges.
    fn screen(&self, width: u16, height: u16) -> String {
        let (buffer, _, cursor) = self.draw(width, height);
        format!("{}\ncursor {cursor:?}", rows(&buffer).join("\n"))
    }
}

fn ui() -> Ui {
    Ui::new(Typing::new(Keymap::default()))
}

/// The rows of a buffer, between its edges.
fn rows(buffer: &Buffer) -> Vec<String> {
    let mut rows = Vec::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut row = String::from("|");
        let mut x = buffer.area.left();
        while x < buffer.area.right() {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += symbol.cell_width();
        }
        rows.push(row + "|");
    }
    rows
}

/// Looks at every cell: none acts on the terminal, reorders or hides, and no wide character is cut.
fn check(buffer: &Buffer) {
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut x = buffer.area.left();
        while x < buffer.area.right() {
            let symbol = buffer[(x, y)].symbol();
            assert_eq!(ScreenText::new(symbol).as_str(), symbol, "at {x}, {y}");
            let width = symbol.cell_width();
            assert!(width > 0, "{symbol:?} at {x}, {y}");
            assert!(x + width <= buffer.area.right(), "{symbol:?} is cut at {x}, {y}");
            for hidden in x + 1..x + width {
                assert_eq!(buffer[(hidden, y)].symbol(), " ", "behind {symbol:?} at {x}, {y}");
            }
            x += width;
        }
    }
}
