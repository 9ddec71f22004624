//! Control: what events of the terminal do to the screen, and what of it is for others: the session, the terminal.
//!
//! It does no I/O. Lists and the popup have files of their own, and so have the actions.

use std::collections::VecDeque;
use std::time::Duration;

use chatterbox_app::input::Entered;
use chatterbox_app::model::{Alert, Body, Hole, Key, Model};
use chatterbox_app::{Intent, Target, TimeFormatter};
use chatterbox_proto::ScreenText;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind};
use tokio::time::Instant;

use super::lists::{Source, Times};
use super::notify::Notifier;
use super::scene::{Drawn, Scene};
use super::timeline::showing;
use super::ui::{Overlay, Scroll, Ui};
use crate::cli::Theme;
use crate::keymap::{Action, Keymap, Meaning};
use crate::session::{PromptKind, View, Wish};
use crate::terminal::{NO_ROOM, Step, too_long};

/// So many conversations are known in which one does not read at the end.
const PLACES: usize = 200;

/// What is missing is asked for again after this time.
const AGAIN: Duration = Duration::from_secs(5);

/// A hint goes after this time: it covers what stands in its row.
const HINT: Duration = Duration::from_secs(15);

/// The screen, and what is known beside it.
pub(super) struct Control {
    pub(super) ui: Ui,
    pub(super) keymap: Keymap,
    pub(super) theme: Theme,
    pub(super) time: TimeFormatter,
    pub(super) notifier: Notifier,
    /// What opens links.
    pub(super) open: Vec<String>,
    pub(super) in_tmux: bool,
    /// What was drawn last.
    pub(super) drawn: Drawn,
    /// Columns and rows.
    pub(super) size: (u16, u16),
    /// What fills the list that is open.
    pub(super) source: Source,
    /// The conversation in front, as the screen knows it.
    front: Target,
    /// Whether what was done last was the wish of a key, which may bring another conversation to the front.
    pub(super) wished: bool,
    /// Where one reads in other conversations.
    places: Vec<(Target, Scroll)>,
    /// The message to go to when its conversation is in front.
    jump: Option<(Target, Key)>,
    /// Whether the popup was closed for the word that is typed.
    pub(super) dismissed: bool,
    /// What the user wants by the way.
    wishes: VecDeque<Wish>,
    /// Whether the end of the conversation in front is seen, as the application knows it.
    seeing: bool,
    /// The oldest item when older ones were asked for last.
    asked_above: Option<Key>,
    /// The holes that were asked for, and when.
    asked_holes: Vec<(Key, Instant)>,
    pub(super) instant: Instant,
    /// When the hint goes; a question stays until a key answers it.
    hint_ends: Option<Instant>,
    /// The conversation in which what the hint tells is unread.
    hint_about: Option<Target>,
}

/// Something that others have to do.
#[derive(Debug)]
pub(super) enum Demand {
    Wish(Wish),
    /// Write these bytes to the terminal.
    Write(Vec<u8>),
    /// Take the mouse, or leave it.
    Mouse,
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Run the editor.
    Edit,
    /// Open a link.
    Browse(String),
}

impl Control {
    pub(super) fn new(
        ui: Ui,
        keymap: Keymap,
        theme: Theme,
        time: TimeFormatter,
        notifier: Notifier,
        instant: Instant,
    ) -> Self {
        Self {
            ui,
            keymap,
            theme,
            time,
            notifier,
            open: Vec::new(),
            in_tmux: false,
            drawn: Drawn::default(),
            size: (80, 24),
            source: Source::default(),
            front: Target::Lobby,
            wished: false,
            places: Vec::new(),
            jump: None,
            dismissed: false,
            wishes: VecDeque::new(),
            seeing: true,
            asked_above: None,
            asked_holes: Vec::new(),
            instant,
            hint_ends: None,
            hint_about: None,
        }
    }

    /// What is drawn.
    pub(super) fn scene<'s>(&'s self, view: &View<'s>) -> Scene<'s> {
        Scene {
            app: view.app,
            link: view.link,
            ui: &self.ui,
            theme: &self.theme,
            time: &self.time,
            now: view.now,
            instant: self.instant,
        }
    }

    pub(super) fn times<'s>(&'s self, view: &View<'_>) -> Times<'s> {
        Times { format: &self.time, now: view.now }
    }

    /// What the user wants by the way.
    pub(super) fn wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    pub(super) fn has_wish(&self) -> bool {
        !self.wishes.is_empty()
    }

    pub(super) fn wants(&mut self, intent: Intent) {
        self.wishes.push_back(Wish::Intent(intent));
    }

    pub(super) fn hint(&mut self, text: impl Into<String>) {
        self.ui.hint = Some(text.into());
        self.hint_ends = Some(self.instant + HINT);
        self.hint_about = None;
    }

    /// Says what the next key does, which stays until there is one.
    fn question(&mut self, text: impl Into<String>) {
        self.ui.hint = Some(text.into());
        self.hint_ends = None;
        self.hint_about = None;
    }

    /// When the hint goes by itself.
    pub(super) fn hint_ends(&self) -> Option<Instant> {
        self.hint_ends.filter(|_| self.ui.hint.is_some())
    }

    /// Drops the hint when its time is over, or when nothing is unread where it leads: it was read on another device.
    pub(super) fn expire_hint(&mut self, model: Option<&Model>) {
        let is_read = |target: &Target| {
            let conversation = model.and_then(|model| model.conversation(target));
            conversation.is_none_or(|conversation| conversation.unread == 0)
        };
        let is_over = self.hint_ends().is_some_and(|end| end <= self.instant);
        if is_over || self.hint_about.as_ref().is_some_and(is_read) {
            self.drop_hint();
        }
    }

    fn drop_hint(&mut self) {
        self.ui.hint = None;
        self.hint_about = None;
    }

    /// Shows the beginning of a message that comes where the user does not look.
    pub(super) fn tell(&mut self, alert: &Alert) {
        let place = match &alert.target {
            Target::User(_) => String::new(),
            target => format!(" in {}", target.in_words()),
        };
        // In one row, since others would hide the end of the timeline.
        let text = format!("{}{place}: {}", alert.from, alert.text);
        let keys = self.keymap.keys(Action::NextUnread).join(", ");
        let room = usize::from(self.size.0).saturating_sub(keys.chars().count() + 8);
        self.hint(format!("{}  ({keys})", ScreenText::shortened(&text, room)));
        self.hint_about = Some(alert.target.clone());
    }

    /// Shows what was said last in each conversation with a user, which would be behind the lobby otherwise.
    pub(super) fn greet(&mut self, view: &View<'_>) {
        let Some(model) = view.app.model() else { return };
        let users = model
            .conversations()
            .iter()
            .filter(|one| matches!(one.target, Target::User(_)) && !one.is_at(model.front()));
        let last = users.filter_map(|one| {
            let newest = one.timeline.iter().rev().find_map(|item| match &item.body {
                Body::Speech(speech) => Some(speech),
                _ => None,
            })?;
            let line = newest.lines.first().map_or("", ScreenText::as_str);
            (!newest.own).then(|| format!("{}: {}", newest.from, ScreenText::shortened(line, 80)))
        });
        let told: Vec<_> = last.take(3).collect();
        if !told.is_empty() {
            let text = format!("Earlier, to you alone: {}", told.join(" · "));
            let room = usize::from(self.size.0).saturating_sub(4);
            self.hint(ScreenText::shortened(&text, room).to_string());
        }
    }

    /// Goes to a message, in whatever conversation it is.
    pub(super) fn jump(&mut self, target: Target, key: Key, view: &View<'_>) -> Option<Demand> {
        self.jump = Some((target.clone(), key));
        self.ui.found = Some(key);
        if target == self.front {
            self.follow(view);
            return None;
        }
        Some(Demand::Wish(Wish::Intent(Intent::Open(target))))
    }

    /// Follows what is in front: each conversation has a place where one reads, and a text that is typed for it.
    pub(super) fn follow(&mut self, view: &View<'_>) {
        let Some(model) = view.app.model() else { return };
        let own = std::mem::take(&mut self.wished);
        if let Some(front) = model.in_front()
            && self.ui.typing.arrive(front.serial(), own)
        {
            let all = model.conversations();
            let is_there = |serial| all.iter().any(|one| one.serial() == serial);
            self.settle();
            if self.ui.typing.prune(is_there, |text| view.app.is_message(text)) {
                let keys = self.keymap.keys(Action::Earlier).join(", ");
                self.hint(format!("What you typed there is among the earlier lines ({keys})."));
            }
        }
        self.settle();
        if model.front() != &self.front {
            let left = std::mem::replace(&mut self.front, model.front().clone());
            self.places
                .retain(|(target, _)| *target != left && model.conversation(target).is_some());
            if self.ui.scroll != Scroll::End && self.places.len() < PLACES {
                self.places.push((left, self.ui.scroll));
            }
            let place = self.places.iter().find(|(target, _)| *target == self.front);
            self.ui.scroll = place.map_or(Scroll::End, |(_, scroll)| *scroll);
            self.asked_above = None;
        }
        if let Some((_, key)) = self.jump.take_if(|(target, _)| *target == self.front) {
            let Drawn { timeline, .. } = &self.drawn;
            self.ui.scroll = showing(&self.scene(view), timeline.width, timeline.height, key);
        }
        // A question of the server is answered before anything else.
        if !self.ui.typing.is_chat() {
            self.ui.overlay = None;
        }
    }

    /// The text is that of the conversation in front. What completes a word does not outlive its text.
    pub(super) fn settle(&mut self) {
        let is_other = self.ui.typing.settle();
        if is_other && matches!(self.ui.overlay, Some(Overlay::Completion { .. })) {
            self.ui.overlay = None;
        }
    }

    /// Takes what was drawn: whether the end is seen, and whether there is more above.
    pub(super) fn took(&mut self, drawn: Drawn, model: Option<&Model>) {
        self.drawn = drawn;
        self.ui.typing.drawn();
        // Both are drawn over the whole timeline.
        let covered = matches!(self.ui.overlay, Some(Overlay::Help { .. } | Overlay::List(_)));
        self.see(self.ui.focused && self.drawn.end_seen && !covered);
        let conversation = model.and_then(|model| model.in_front());
        let oldest = conversation.and_then(|one| Some(one.timeline.item(0)?.key));
        if self.drawn.above && self.ui.scroll != Scroll::End && oldest != self.asked_above {
            self.asked_above = oldest;
            self.wants(Intent::Older(self.front.clone()));
        }
        let holes = conversation.into_iter().flat_map(|one| {
            let items = self.drawn.visible.iter().filter_map(|key| one.timeline.place(*key));
            items.filter_map(|place| one.timeline.item(place))
        });
        let open = holes.filter(|item| item.body == Body::Hole(Hole::Open)).map(|item| item.key);
        let open: Vec<_> = open.collect();
        // What can't be asked for now stays open, and would be asked for with each frame.
        let now = self.instant;
        self.asked_holes.retain(|(_, asked)| now < *asked + AGAIN);
        for key in open {
            if self.asked_holes.iter().all(|(asked, _)| *asked != key) {
                self.asked_holes.push((key, now));
                self.wants(Intent::Fill(self.front.clone(), key));
            }
        }
    }

    /// The user sees the end of the conversation in front from now on, or does not.
    pub(super) fn see(&mut self, seeing: bool) {
        if seeing != std::mem::replace(&mut self.seeing, seeing) {
            self.wants(Intent::Seeing(seeing));
        }
    }

    /// Whether the user sees what comes at a target.
    pub(super) fn sees(&self, target: &Target) -> bool {
        self.seeing && *target == self.front
    }

    /// Works off an event.
    pub(super) fn event(&mut self, event: Event, view: &View<'_>) -> Option<Demand> {
        match event {
            Event::FocusGained => self.ui.focused = true,
            Event::FocusLost => self.ui.focused = false,
            Event::Resize(..) => return Some(Demand::Redraw),
            Event::Mouse(mouse) => return self.mouse(mouse, view),
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => {
                self.drop_hint();
                self.ui.found = None;
                return match &self.ui.overlay {
                    Some(Overlay::List(_)) => self.list_key(key, view),
                    Some(Overlay::Help { .. }) => self.help_key(key, view),
                    Some(Overlay::Completion { .. }) | None => self.key(key, view),
                };
            }
            Event::Paste(text) => {
                self.drop_hint();
                if let Some(Overlay::List(_)) = self.ui.overlay {
                    let line = text.lines().next().unwrap_or_default().to_owned();
                    self.type_query(&line, view);
                    return None;
                }
                let step = self.ui.typing.take(Event::Paste(text), None);
                return self.step(step, view);
            }
        }
        None
    }

    fn key(&mut self, key: KeyEvent, view: &View<'_>) -> Option<Demand> {
        if key.code == KeyCode::Esc && key.modifiers.is_empty() {
            self.dismissed |= self.ui.overlay.take().is_some();
            return None;
        }
        match self.ui.typing.meaning(key) {
            Meaning::Types(_) => {
                let step = self.ui.typing.take(Event::Key(key), None);
                self.step(step, view)
            }
            Meaning::Does(action) => self.act(action, view),
            Meaning::Begins | Meaning::Nothing => None,
        }
    }

    /// Carries out an action.
    pub(super) fn act(&mut self, action: Action, view: &View<'_>) -> Option<Demand> {
        if self.popup_key(action, view) || self.moves_in_rows(action) {
            return None;
        }
        let most = match action {
            Action::Send => view.app.most_of(self.ui.typing.composer().text()),
            _ => None,
        };
        let step = self.ui.typing.act(action, most);
        self.step(step, view)
    }

    fn step(&mut self, step: Step, view: &View<'_>) -> Option<Demand> {
        match step {
            Step::Edited => self.edited(view),
            Step::Asked(Entered::Ask { lines, characters }) => {
                let editor = match self.keymap.keys(Action::Editor).join(", ") {
                    keys if keys.is_empty() => keys,
                    keys => format!(" {keys} edits them,"),
                };
                self.question(format!(
                    "{lines} lines, {characters} characters: Enter sends them as one message,{editor} Ctrl-C drops them"
                ));
            }
            Step::Asked(Entered::TooLong(over)) => {
                self.question(too_long(over));
            }
            Step::Asked(_) | Step::Nothing => {}
            Step::NoRoom => self.hint(NO_ROOM),
            Step::Elsewhere => self.hint(elsewhere(view, self.ui.typing.text_of())),
            Step::Leaving => self.question("Once more leaves the chat."),
            Step::Wish(wish) => {
                self.ui.overlay = None;
                self.dismissed = false;
                self.ui.scroll = Scroll::End;
                return Some(Demand::Wish(wish));
            }
            Step::Action(action) => return self.on_screen(action, view),
        }
        None
    }

    /// Up and Down go through the rows of a text, as they are drawn, before they go through those that were sent.
    fn moves_in_rows(&mut self, action: Action) -> bool {
        let rows = match action {
            Action::Earlier => -1,
            Action::Later => 1,
            _ => return false,
        };
        // Nobody sees where the cursor is in a secret.
        let is_secret = self.ui.typing.prompt().is_some_and(PromptKind::is_secret);
        let width = self.drawn.input_room.max(1);
        !is_secret && self.ui.typing.composer_mut().move_row(rows, width)
    }
}

/// Says that nothing was sent, since another conversation has come to the front.
fn elsewhere(view: &View<'_>, typed_for: u64) -> String {
    let Some(model) = view.app.model() else { return String::new() };
    let mut all = model.conversations().iter();
    let place = all.find(|one| one.serial() == typed_for).map(|one| one.target.in_words());
    let front = model.front().in_words();
    match place {
        Some(place) => {
            format!("Nothing was sent: {front} is in front now. What you typed waits in {place}.")
        }
        None => format!("Nothing was sent: {front} is in front now."),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn control() -> Control {
        let keymap = Keymap::default();
        let ui = Ui::new(crate::terminal::Typing::new(keymap.clone()));
        let notifier = Notifier::new(&crate::config::Config::default(), &|_| None);
        let time = TimeFormatter::new(TimeZone::UTC);
        #[allow(clippy::disallowed_methods, reason = "a moment to count from")]
        let now = Instant::now();
        Control::new(ui, keymap, Theme::Mono, time, notifier, now)
    }

    #[test]
    fn a_hint_goes_by_itself_and_a_question_stays() {
        let mut control = control();
        control.hint("fay: hello");
        let end = control.hint_ends().unwrap();
        assert_eq!(end, control.instant + HINT);
        control.instant = end - Duration::from_millis(1);
        control.expire_hint(None);
        assert_eq!(control.ui.hint.as_deref(), Some("fay: hello"));
        control.instant = end;
        control.expire_hint(None);
        // Nothing wakes the program up any more.
        assert_eq!((control.ui.hint.as_deref(), control.hint_ends()), (None, None));
        control.hint("fay: hello");
        control.question("3 lines: Enter sends them");
        control.instant = end + HINT * 100;
        control.expire_hint(None);
        assert!(control.ui.hint.is_some() && control.hint_ends().is_none());
    }
}
