//! A terminal, line by line: the chat is printed above a prompt, in plain order, and nothing but the prompt is ever drawn again.
//! That is what screen readers and the terminal's own scrollback need.
//!
//! Outputs and the prompt go through one thread ([`Writer`]), so that a terminal that has stopped (Ctrl-S) stops nothing else. What
//! is printed clears the prompt, writes the lines, and draws the prompt again, in one write.
#![allow(clippy::disallowed_methods, reason = "this module owns a terminal, and reads its clock")]

mod looking_up;

use std::collections::VecDeque;
use std::io;

use chatterbox_app::input::Mask;
use chatterbox_app::model::{Alert, Model};
use chatterbox_app::{App, Output};
use crossterm::event::Event;
use tokio::time::Instant;

use super::bell::Bell;
use super::bottom::{Bottom, Content, question, record};
use super::progress::Progress;
use super::recall::Recall;
use super::reflow::reflows;
use super::render::Renderer;
use crate::exit::{Exit, Failure};
use crate::keymap::{Action, Keymap};
use crate::session::{Prompt, PromptKind, Screen, ScreenEvent, Typed, View, Wish};
use crate::terminal::editor::{self, Editing};
pub(crate) use crate::terminal::is_usable;
use crate::terminal::{
    Guard, Keys, Modes, NO_ROOM, Step, Typing, Writer, is_gone, marks_pastes, size,
};

/// Takes so many keys at once, before the prompt is drawn again.
const KEYS: usize = 256;

/// So many outputs are kept while another program has the terminal; then no frame is read.
const HELD: usize = 1000;

/// A terminal with a prompt at the bottom.
pub(crate) struct Lines {
    keys: Keys,
    writer: Writer,
    guard: Guard,
    renderer: Renderer,
    typing: Typing,
    bottom: Bottom,
    bell: Bell,
    /// The arguments of commands that are hidden while they are typed.
    mask: Mask,
    /// The search in earlier lines.
    recall: Option<Recall>,
    /// What is said about what is typed, until the next key.
    hint: String,
    /// How far files are, in a line that is drawn again.
    progress: Progress,
    /// Whether the last key was the one that completes.
    completed: bool,
    /// Whether what was done last was the wish of a key.
    wished: bool,
    /// Whether the prompt is to be drawn again.
    changed: bool,
    /// The editor, while it has the terminal, and what is to be shown behind it.
    editing: Option<Editing>,
    held: VecDeque<Output>,
    /// The conversation whose text the editor has.
    edited_for: u64,
}

/// Takes the terminal over.
///
/// # Errors
/// The terminal has no settings.
pub(crate) fn open(keymap: Keymap) -> Result<Lines, Failure> {
    let writer = Writer::start();
    let modes = Modes { full: false, mouse: false };
    let unusable = |error: io::Error| {
        Failure::new(Exit::InputOutput, format!("the terminal can't be used: {error}"))
            .hint("TERM=dumb keeps it from being used for more than lines")
    };
    let keys = Keys::start().map_err(unusable)?;
    let guard = Guard::enter(modes, &writer).map_err(unusable)?;
    Ok(Lines {
        keys,
        writer,
        guard,
        renderer: Renderer::for_terminal(),
        typing: Typing::new(keymap).guarding_pastes(marks_pastes()),
        bottom: Bottom::new(reflows()),
        bell: Bell::default(),
        mask: Mask::default(),
        recall: None,
        hint: String::new(),
        progress: Progress::default(),
        completed: false,
        wished: false,
        changed: true,
        editing: None,
        held: VecDeque::new(),
        edited_for: 0,
    })
}

impl Lines {
    /// Takes an event of the terminal, and those that are there already.
    fn pressed(&mut self, event: Option<io::Result<Event>>) -> ScreenEvent {
        match event {
            Some(Ok(event)) => self.take(event),
            Some(Err(error)) if is_gone(&error) => return ScreenEvent::HungUp,
            Some(Err(error)) => return ScreenEvent::Typed(Typed::Failed(error)),
            None => return ScreenEvent::HungUp,
        }
        for _ in 0..KEYS {
            if self.typing.is_full() {
                break;
            }
            match self.keys.at_once() {
                Some(event) => self.take(event),
                None => break,
            }
        }
        ScreenEvent::Keys
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Key(_) | Event::Paste(_) => self.typing.push(event),
            Event::Resize(..) => self.changed = true,
            _ => {}
        }
    }

    /// Notes which conversation is in front: what is typed for one does not go to another.
    fn follow(&mut self, view: &View<'_>) {
        let own = std::mem::take(&mut self.wished);
        let front = view.app.model().and_then(Model::in_front);
        self.changed |= front.is_some_and(|front| self.typing.arrive(front.serial(), own));
    }

    /// Carries out what is no editing.
    fn act(&mut self, action: Action, app: &App) {
        match action {
            Action::Complete if self.typing.is_chat() => self.complete(app),
            // Without a prompt the keys behind it wait, and may be an answer.
            Action::SearchEarlier if self.typing.is_chat() && self.typing.prompt().is_some() => {
                self.recall = Some(Recall::default());
            }
            Action::Suspend => self.suspend(),
            Action::Editor if self.typing.is_chat() => self.edit(),
            _ => {}
        }
    }

    /// Gives the terminal to the editor of the user's choice.
    fn edit(&mut self) {
        let erased = self.bottom.erase(size().0.into());
        self.writer.write(erased.into_bytes());
        self.keys.pause();
        self.typing.put_down();
        self.guard.leave(&self.writer);
        self.edited_for = self.typing.text_of();
        match editor::start(self.typing.chat()) {
            Ok(editing) => self.editing = Some(editing),
            Err(error) => self.edited(Err(error)),
        }
    }

    /// Takes the terminal back from it. What came meanwhile is shown as there is room for it.
    fn edited(&mut self, outcome: io::Result<String>) {
        self.editing = None;
        self.resume();
        self.keys.resume();
        match outcome {
            Ok(text) => {
                if !self.typing.edited(self.edited_for, text.trim_end_matches('\n')) {
                    NO_ROOM.clone_into(&mut self.hint);
                }
            }
            Err(error) => self.hint = format!("The editor was of no use: {error}."),
        }
    }

    /// Prints rows of this program above the prompt.
    fn print_rows(&mut self, rows: &[String]) {
        // Behind what is shown in part.
        if self.held.len() < HELD {
            self.held.extend(rows.iter().map(|row| Output::note(row.as_str())));
        }
    }

    /// Prints a line that was typed, where nothing else shows it: a command, an answer, a name.
    fn keep(&mut self, content: &Content<'_>) {
        // The terminal may have another size by now than when the prompt was drawn.
        let columns = usize::from(size().0);
        let mut bytes = self.bottom.erase(columns);
        for row in chatterbox_app::wrap(&record(content), columns) {
            bytes.push_str(row.trim_end_matches('\n'));
            bytes.push_str("\r\n");
        }
        self.writer.write(bytes.into_bytes());
    }

    /// Whether a typed line is shown by itself: as the message that it is.
    fn is_shown(kind: &PromptKind, line: &str, app: &App) -> bool {
        matches!(kind, PromptKind::Chat(_)) && (app.is_message(line) || line.trim().is_empty())
    }

    /// Clears the prompt, prints lines, draws the prompt: in one write.
    fn redraw(&mut self, printed: &str) {
        let (columns, rows) = size();
        let mut bytes = self.bottom.erase(columns.into());
        bytes.push_str(printed);
        if self.guard.is_entered() {
            bytes.push_str(&self.prompt((columns, rows)));
            self.typing.drawn();
        }
        self.writer.write(bytes.into_bytes());
        self.changed = false;
    }

    /// Draws the prompt and what is typed behind it.
    fn prompt(&mut self, size: (u16, u16)) -> String {
        let colours = self.renderer.has_colours();
        let waiting = self.typing.waiting().unwrap_or_default();
        let hints = [self.hint.as_str(), waiting.as_str(), self.progress.words()];
        let hint = hints.into_iter().find(|hint| !hint.is_empty()).unwrap_or_default();
        let Some(kind) = self.typing.prompt() else {
            let content = Content { hint, colours, ..Content::default() };
            return self.bottom.draw(&content, size);
        };
        if let Some(recall) = &self.recall {
            let found = recall.found(self.typing.composer().remembered());
            let prompt = recall.prompt(found.is_some());
            let text = found.unwrap_or_default();
            let content = Content {
                prompt: &prompt,
                text,
                cursor: text.len(),
                secret_from: self.mask.secret_from(text),
                hint,
                colours,
                ..Content::default()
            };
            return self.bottom.draw(&content, size);
        }
        let prompt = kind.text();
        let composer = self.typing.composer();
        let mask = Some(&self.mask).filter(|_| self.typing.is_chat());
        let content = Content {
            hint,
            prompt: &prompt,
            text: composer.text(),
            cursor: composer.cursor(),
            secret_from: mask.and_then(|mask| mask.secret_from(composer.text())),
            is_secret: kind.is_secret(),
            colours,
        };
        self.bottom.draw(&content, size)
    }

    /// What became of a line that was asked for by such a prompt.
    fn entered(&mut self, kind: &PromptKind, wish: &Wish, app: &App) {
        let line = match wish {
            Wish::Typed(Typed::Line(line)) => line.as_str(),
            Wish::Typed(Typed::Cancelled) => "",
            _ => return,
        };
        if Self::is_shown(kind, line, app) {
            return;
        }
        let mask = Some(&self.mask).filter(|_| matches!(kind, PromptKind::Chat(_)));
        let secret_from = mask.and_then(|mask| mask.secret_from(line));
        let prompt = kind.text();
        let is_secret = kind.is_secret();
        self.keep(&Content {
            prompt: &prompt,
            text: line,
            secret_from,
            is_secret,
            ..Content::default()
        });
    }
}

impl Screen for Lines {
    fn is_interactive(&self) -> bool {
        true
    }

    fn asks_anew(&self) -> bool {
        true
    }

    fn is_elsewhere(&self) -> bool {
        self.editing.is_some()
    }

    fn gives_way(&mut self, kind: &PromptKind) -> bool {
        let before = self.typing.waiting();
        let gives_way = self.typing.gives_way(kind, self.recall.is_some());
        self.changed |= before != self.typing.waiting();
        gives_way
    }

    fn ask(&mut self, mut prompt: Prompt) -> bool {
        self.mask.arguments = std::mem::take(&mut prompt.secret_arguments);
        if self.typing.prompt() != Some(&prompt.kind) {
            if !matches!(prompt.kind, PromptKind::Chat(_)) {
                self.recall = None;
            }
            self.changed = true;
        }
        self.typing.ask(prompt);
        true
    }

    fn work(&mut self, view: &View<'_>) -> Option<Wish> {
        self.follow(view);
        while self.editing.is_none()
            && let Some(event) = self.typing.next()
        {
            self.changed = true;
            self.hint.clear();
            let event = match event {
                Event::Key(key) if self.recall.is_some() => match self.search(key) {
                    Some(key) => Event::Key(key),
                    None => continue,
                },
                event => event,
            };
            let completed = std::mem::take(&mut self.completed);
            let kind = self.typing.prompt().cloned();
            let most = view.app.most_of(self.typing.composer().text());
            match self.typing.take(event, most) {
                Step::Edited | Step::Nothing => {}
                Step::Asked(entered) => self.hint = question(&entered),
                Step::NoRoom => NO_ROOM.clone_into(&mut self.hint),
                Step::Elsewhere => {
                    "another conversation is in front now: Enter once more sends this there"
                        .clone_into(&mut self.hint);
                }
                Step::Leaving => "Ctrl-C again leaves.".clone_into(&mut self.hint),
                Step::Wish(wish) => {
                    if let Some(kind) = kind {
                        self.entered(&kind, &wish, view.app);
                    }
                    self.wished = true;
                    return Some(wish);
                }
                Step::Action(action) => {
                    self.completed = completed;
                    self.act(action, view.app);
                    self.completed &= action == Action::Complete;
                }
            }
        }
        None
    }

    fn draw(&mut self, view: &View<'_>) {
        self.follow(view);
        self.changed |= self.progress.follow(&view.app.transfers());
        if self.bell.rings(Instant::now()) && self.writer.has_room() {
            self.writer.write(b"\x07".to_vec());
        }
        // Behind a terminal that is slow only the last state is drawn.
        if self.changed
            && !self.typing.is_ready()
            && self.guard.is_entered()
            && self.writer.is_idle()
        {
            self.redraw("");
        }
    }

    fn alert(&mut self, _alert: &Alert) {
        self.bell.ask();
    }

    async fn event(&mut self, _line: bool, room: bool) -> ScreenEvent {
        if self.editing.is_none() && self.typing.is_ready() {
            return ScreenEvent::Keys;
        }
        let closed = |error: Option<io::Error>, event| match error {
            Some(error) if is_gone(&error) => ScreenEvent::HungUp,
            Some(error) => ScreenEvent::Closed(Err(error)),
            None => event,
        };
        let draws = self.changed && self.guard.is_entered();
        let is_full = self.held.len() >= HELD || self.renderer.has_rest();
        let kept = self.editing.is_some() && is_full;
        tokio::select! {
            outcome = editor::ended(self.editing.as_mut()) => {
                self.edited(outcome);
                ScreenEvent::Draw
            }
            event = self.keys.next(), if !self.typing.is_full() => self.pressed(event),
            error = self.writer.room(), if room && !kept => closed(error, ScreenEvent::Room),
            error = self.writer.idle(), if draws => closed(error, ScreenEvent::Draw),
        }
    }

    fn show(&mut self, outputs: &mut VecDeque<Output>) {
        self.held.append(outputs);
        if self.editing.is_some() {
            return;
        }
        std::mem::swap(&mut self.held, outputs);
        self.renderer.set_columns(size().0);
        if let Some(chunk) = self.renderer.chunk(outputs) {
            self.redraw(&chunk.text);
        }
    }

    fn has_rest(&self) -> bool {
        self.renderer.has_rest() || self.editing.is_none() && !self.held.is_empty()
    }

    async fn finish(&mut self, outputs: &mut VecDeque<Output>) -> io::Result<()> {
        // Nobody waits for the editor.
        self.editing = None;
        self.held.append(outputs);
        std::mem::swap(&mut self.held, outputs);
        let writer = self.writer.clone();
        while self.has_rest() || !outputs.is_empty() {
            match self.keys.unless_interrupted(writer.room_or_stuck()).await {
                Some(error) => return Err(error),
                None if !writer.has_room() => return Ok(()),
                None => self.show(outputs),
            }
        }
        self.keys.unless_interrupted(writer.idle_or_stuck()).await.map_or(Ok(()), Err)
    }

    fn restore(&mut self) {
        // An editor would stay on the shell's terminal.
        self.editing = None;
        if !self.guard.is_entered() {
            return;
        }
        // What is half typed stays to be read; an empty prompt and a question are of no use any more.
        self.recall = None;
        self.hint.clear();
        let is_seen = self.typing.is_chat() && !self.typing.composer().text().is_empty();
        let bytes = if is_seen && self.typing.prompt().is_some() {
            self.redraw("");
            self.bottom.leave()
        } else {
            self.bottom.erase(size().0.into())
        };
        self.writer.write(bytes.into_bytes());
        self.guard.leave(&self.writer);
    }

    fn suspend(&mut self) {
        let erased = self.bottom.erase(size().0.into());
        self.writer.write(erased.into_bytes());
        self.changed = true;
        self.guard.suspend(&self.writer);
    }

    fn resume(&mut self) {
        if self.editing.is_some() {
            return;
        }
        // Others have written to the terminal meanwhile, and may have taken the modes back.
        let _ = self.guard.resume(&self.writer);
        self.bottom.forget();
        self.changed = true;
    }
}
