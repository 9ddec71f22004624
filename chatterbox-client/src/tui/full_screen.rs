//! The full screen: waits for keys, draws what has changed, and leaves the terminal as it was.
//!
//! A frame is drawn when something has changed, when the last one is written, and at most every 16 ms: a flood of messages
//! costs a frame each time, a slow terminal gets fewer, and silence costs nothing.
#![allow(clippy::disallowed_methods, reason = "this module owns a terminal, and reads its clock")]

use std::collections::VecDeque;
use std::future::pending;
use std::io::{self, Write as _};
use std::time::Duration;

use chatterbox_app::model::{Alert, Body, Model};
use chatterbox_app::{Output, TimeFormatter};
use chatterbox_proto::{SERVER, ScreenText};
use tokio::time::{Instant, sleep_until};

use super::control::{Control, Demand};
use super::links::browse;
use super::notify::Notifier;
use super::painter::Painter;
use super::ui::Ui;
use crate::cli::Theme;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::keymap::Keymap;
use crate::session::{Prompt, PromptKind, Screen, ScreenEvent, View, Wish};
use crate::terminal::editor::{self, Editing};
use crate::terminal::{Guard, Keys, Modes, NO_ROOM, Typing, Writer, is_gone, marks_pastes, size};

/// The shortest time from one frame to the next.
const FRAME: Duration = Duration::from_millis(16);

/// How often the time to the next try is drawn while the connection is lost.
const SECOND: Duration = Duration::from_secs(1);

/// So many of the last words are left on the terminal when the session has failed.
const LAST_WORDS: usize = 5;

/// A terminal with the full screen.
pub(crate) struct FullScreen {
    control: Control,
    painter: Painter,
    guard: Guard,
    writer: Writer,
    keys: Keys,
    /// The editor, while it has the terminal.
    editing: Option<Editing>,
    /// The conversation whose text it has.
    edited_for: u64,
    /// Whether something has changed since the last frame.
    changed: bool,
    /// Whether it was woken up to draw, so that nothing has changed since.
    woken: bool,
    /// The time of the last frame.
    drawn_at: Instant,
    /// Whether lines of chat are taken, and whether the user was told then what waits for them.
    begun: bool,
    greeted: bool,
    /// Whether the connection is lost.
    lost: bool,
    /// What is left on the terminal in the end.
    last_words: Vec<String>,
}

/// Takes the terminal over.
///
/// # Errors
/// The terminal has no settings.
pub(crate) fn open(
    config: &Config,
    keymap: Keymap,
    theme: Option<Theme>,
    time: TimeFormatter,
) -> Result<FullScreen, Failure> {
    let unusable = |error: io::Error| {
        Failure::new(Exit::InputOutput, format!("the terminal can't be used: {error}"))
            .hint("try it with --plain")
    };
    let variable = |name: &str| std::env::var(name).ok();
    let no_color = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let screen = &config.screen;
    let theme = if no_color { Theme::Mono } else { theme.unwrap_or(screen.theme) };
    let typing = Typing::new(keymap.clone()).with_drafts().guarding_pastes(marks_pastes());
    let ui = Ui {
        conversations: screen.conversations.wish(),
        people: screen.people.wish(),
        times: screen.times.wish(),
        ..Ui::new(typing)
    };
    let now = Instant::now();
    let notifier = Notifier::new(config, &variable);
    let mut control = Control::new(ui, keymap, theme, time, notifier, now);
    control.open.clone_from(&screen.open);
    control.in_tmux = variable("TMUX").is_some_and(|tmux| !tmux.is_empty());
    control.size = size();
    let writer = Writer::start();
    let painter = Painter::new(control.size).map_err(unusable)?;
    let keys = Keys::start().map_err(unusable)?;
    let guard =
        Guard::enter(Modes { full: true, mouse: screen.mouse }, &writer).map_err(unusable)?;
    Ok(FullScreen {
        control,
        painter,
        guard,
        writer,
        keys,
        editing: None,
        edited_for: 0,
        changed: true,
        woken: false,
        drawn_at: now - FRAME,
        begun: false,
        greeted: false,
        lost: false,
        last_words: Vec::new(),
    })
}

impl FullScreen {
    /// Does what the terminal is for. What the session is for is given back.
    fn meet(&mut self, demand: Demand) -> Option<Wish> {
        match demand {
            Demand::Wish(wish) => return Some(wish),
            Demand::Write(bytes) => self.writer.write(bytes),
            Demand::Mouse => {
                let taken = !self.guard.has_mouse();
                self.guard.set_mouse(taken, &self.writer);
                self.control.hint(match taken {
                    true => "The mouse is taken; text is selected with Shift.",
                    false => "The mouse is left to the terminal.",
                });
            }
            Demand::Suspend => self.guard.suspend(&self.writer),
            Demand::Redraw => self.redraw(),
            Demand::Edit => self.edit(),
            Demand::Browse(link) => self.control.hint(match browse(&self.control.open, &link) {
                Ok(()) => "The link is being opened.".to_owned(),
                Err(error) => format!("The link can't be opened: {error}."),
            }),
        }
        None
    }

    fn redraw(&mut self) {
        self.control.size = size();
        self.changed = true;
        // The painter writes to memory.
        let _ = self.painter.resize(self.control.size);
    }

    /// Gives the terminal to the editor.
    fn edit(&mut self) {
        self.keys.pause();
        self.control.ui.typing.put_down();
        // What completes a word does not outlive its text.
        self.control.ui.overlay = None;
        self.guard.leave(&self.writer);
        // The next frame takes it back.
        self.control.see(false);
        self.edited_for = self.control.ui.typing.text_of();
        match editor::start(self.control.ui.typing.chat()) {
            Ok(editing) => self.editing = Some(editing),
            Err(error) => self.edited(Err(error)),
        }
    }

    /// Takes the terminal back from the editor.
    fn edited(&mut self, outcome: io::Result<String>) {
        self.editing = None;
        self.control.instant = Instant::now();
        let _ = self.guard.resume(&self.writer);
        self.keys.resume();
        self.redraw();
        match outcome {
            Ok(text) => {
                let text = text.trim_end_matches('\n');
                if !self.control.ui.typing.edited(self.edited_for, text) {
                    self.control.hint(NO_ROOM);
                }
            }
            Err(error) => self.control.hint(format!("The editor was of no use: {error}.")),
        }
    }

    fn paint(&mut self, view: &View<'_>) {
        self.changed = false;
        if self.control.ui.hint.is_none() {
            self.control.ui.hint = self.control.ui.typing.waiting();
        }
        self.drawn_at = self.control.instant;
        let painted = self.painter.paint(&self.control.scene(view));
        if let Ok((bytes, drawn)) = painted {
            self.writer.write(bytes);
            self.control.took(drawn, view.app.model());
        }
    }

    /// A panic on purpose, so that a test can see what becomes of the terminal.
    #[cfg(debug_assertions)]
    #[allow(clippy::panic, reason = "it is what the test wants")]
    fn panic_on_purpose(&self) {
        let typed = self.control.ui.typing.composer().text();
        if std::env::var("CHATTERBOX_PANIC_AT").is_ok_and(|text| !text.is_empty() && text == typed)
        {
            panic!("on purpose");
        }
    }
}

impl Screen for FullScreen {
    fn is_interactive(&self) -> bool {
        true
    }

    fn wants_outputs(&self) -> bool {
        false
    }

    fn asks_anew(&self) -> bool {
        true
    }

    fn is_elsewhere(&self) -> bool {
        self.editing.is_some()
    }

    fn work(&mut self, view: &View<'_>) -> Option<Wish> {
        self.control.instant = Instant::now();
        self.changed = true;
        loop {
            self.control.follow(view);
            if let Some(wish) = self.control.wish() {
                return Some(wish);
            }
            self.control.ui.settle_typing();
            if self.editing.is_some() {
                return None;
            }
            let Some(event) = self.control.ui.typing.next() else {
                self.control.settle();
                return None;
            };
            let demand = self.control.event(event, view);
            self.control.ui.settle_typing();
            #[cfg(debug_assertions)]
            self.panic_on_purpose();
            if let Some(wish) = demand.and_then(|demand| self.meet(demand)) {
                self.control.wished = true;
                return Some(wish);
            }
        }
    }

    fn draw(&mut self, view: &View<'_>) {
        self.changed |= !std::mem::take(&mut self.woken);
        self.lost = view.link.lost.is_some();
        self.control.instant = Instant::now();
        self.control.expire_hint(view.app.model());
        self.control.follow(view);
        if self.begun && !view.app.has_more() && !std::mem::replace(&mut self.greeted, true) {
            self.control.greet(view);
        }
        if !self.guard.is_entered() {
            return;
        }
        let is_time = self.control.instant >= self.drawn_at + FRAME;
        if self.changed && is_time && self.writer.is_idle() {
            self.paint(view);
        }
    }

    fn alert(&mut self, alert: &Alert) {
        if self.guard.is_entered() && !self.control.sees(&alert.target) {
            self.control.instant = Instant::now();
            self.control.tell(alert);
            let looks = self.control.ui.focused;
            let bytes = self.control.notifier.alert(alert, looks, Instant::now());
            self.writer.offer(bytes);
        }
    }

    fn gives_way(&mut self, kind: &PromptKind) -> bool {
        let before = self.control.ui.typing.waiting();
        let is_busy = self.control.ui.is_list_open();
        let gives_way = self.control.ui.typing.gives_way(kind, is_busy);
        self.changed |= before != self.control.ui.typing.waiting();
        gives_way
    }

    fn ask(&mut self, prompt: Prompt) -> bool {
        self.changed = true;
        self.begun |= matches!(prompt.kind, PromptKind::Chat(_));
        self.control.ui.typing.ask(prompt);
        true
    }

    async fn event(&mut self, _line: bool, _room: bool) -> ScreenEvent {
        let is_ready = self.editing.is_none() && self.control.ui.typing.is_ready();
        if self.control.has_wish() || is_ready {
            return ScreenEvent::Keys;
        }
        let draws = self.changed && self.guard.is_entered();
        let writer = self.writer.clone();
        let until_drawn = until_drawn(&writer, self.drawn_at + FRAME);
        let reads = !self.control.ui.typing.is_full();
        tokio::select! {
            event = self.keys.next(), if reads => match event {
                Some(Ok(event)) => {
                    let typing = &mut self.control.ui.typing;
                    typing.push(event);
                    // What is pasted is known by what is there at once.
                    while !typing.is_full()
                        && let Some(event) = self.keys.at_once()
                    {
                        typing.push(event);
                    }
                    ScreenEvent::Keys
                }
                Some(Err(error)) if is_gone(&error) => ScreenEvent::HungUp,
                Some(Err(error)) => ScreenEvent::Closed(Err(error)),
                None => ScreenEvent::HungUp,
            },
            failed = until_drawn, if draws => match failed {
                Some(error) if is_gone(&error) => ScreenEvent::HungUp,
                Some(error) => ScreenEvent::Closed(Err(error)),
                None => {
                    self.woken = true;
                    ScreenEvent::Draw
                }
            },
            () = sleep_until(self.drawn_at + SECOND), if self.lost && !draws => {
                self.changed = true;
                ScreenEvent::Draw
            }
            () = at(self.control.hint_ends()), if !draws => {
                self.changed = true;
                ScreenEvent::Draw
            }
            outcome = editor::ended(self.editing.as_mut()) => {
                self.edited(outcome);
                ScreenEvent::Keys
            }
        }
    }

    fn show(&mut self, outputs: &mut VecDeque<Output>) {
        outputs.clear();
    }

    fn has_rest(&self) -> bool {
        false
    }

    fn last_look(&mut self, view: &View<'_>) {
        let Some(conversation) = view.app.model().and_then(Model::in_front) else { return };
        let mut items = conversation.timeline.iter().rev().take(50);
        let mut words: Vec<String> = Vec::new();
        while words.len() < LAST_WORDS
            && let Some(item) = items.next()
        {
            match &item.body {
                Body::Notice(_, lines) => {
                    words.extend(lines.iter().rev().map(ScreenText::to_string));
                }
                Body::Speech(speech) if speech.from.as_str() == SERVER => {
                    words.extend(speech.lines.iter().map(|line| format!("{SERVER}: {line}")));
                }
                Body::Speech(_) | Body::Moves(_) | Body::Hole(_) => {}
            }
        }
        words.truncate(LAST_WORDS);
        self.last_words = words.into_iter().rev().collect();
    }

    async fn finish(&mut self, outputs: &mut VecDeque<Output>) -> io::Result<()> {
        for output in outputs.drain(..) {
            if let Output::Note(text) = output {
                self.last_words.push(said(&ScreenText::new(&text)));
            }
        }
        let written = self.writer.idle_or_stuck();
        self.keys.unless_interrupted(written).await.map_or(Ok(()), Err)
    }

    fn restore(&mut self) {
        // An editor would stay on the shell's terminal.
        self.editing = None;
        self.guard.leave(&self.writer);
        let mut output = io::stderr();
        for line in &self.last_words {
            let _ = writeln!(output, "{line}");
        }
    }

    fn suspend(&mut self) {
        self.guard.suspend(&self.writer);
    }

    fn resume(&mut self) {
        // The editor has the terminal.
        if self.editing.is_none() {
            let _ = self.guard.resume(&self.writer);
            self.redraw();
        }
    }
}

/// Waits until the last frame is written and it is time for the next one, or writing has failed. Cancelling it loses nothing:
/// a failure, which the writer gives once, is returned before anything else is awaited.
async fn until_drawn(writer: &Writer, frame: Instant) -> Option<io::Error> {
    if let Some(error) = writer.idle().await {
        return Some(error);
    }
    sleep_until(frame).await;
    None
}

fn said(text: &ScreenText) -> String {
    format!("-- {text}")
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// A key, or anything else, may come while the time of the next frame is awaited.
    #[tokio::test]
    async fn a_failure_to_write_is_told_at_once_and_not_lost() {
        let writer = Writer::stopped();
        writer.fail();
        let later = Instant::now() + Duration::from_secs(3600);
        let told = timeout(Duration::ZERO, until_drawn(&writer, later)).await;
        assert!(matches!(told, Ok(Some(_))), "{told:?}");
    }
}
