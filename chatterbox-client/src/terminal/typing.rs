//! Typing: what keys do to the text that is being typed, whatever shows it; and the line that the session asks for.
//!
//! A question of the server takes the place of the chat's text, which is kept: keys go to the answer until it is given. What is
//! typed while no line is asked for waits in its order: it may be the answer to a question that is on its way, so it must not be seen
//! as a line of chat.
//!
//! Each key belongs to the conversation that was drawn when it was pressed. If another one has come to the front since, Enter sends
//! nothing; and where there are drafts, the text stays with its conversation.
#![allow(clippy::disallowed_methods, reason = "what is pasted is known by the time of its keys")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chatterbox_app::input::{Composer, Draft, Edit, Entered, PasteGuard};
use crossterm::event::{Event, KeyEvent, KeyEventKind};

use super::drafts::Drafts;
use super::step::Step;
use super::waiting::{self, Waiting};
use crate::keymap::{Action, Keymap, Meaning, Scope, row_of};
use crate::session::{Prompt, PromptKind, Typed, Wish};

/// No event is read from the terminal while more than this wait.
const EVENTS: usize = 1024;

/// The line that leaves from everywhere.
const QUIT: &str = "/quit";

/// The text that is typed, and what it is typed for.
pub(crate) struct Typing {
    keymap: Keymap,
    /// What was pressed.
    events: VecDeque<Pressed>,
    /// Knows what is pasted, where the terminal does not mark it; whether the last key is a line end of such a text; and the time
    /// from which its keys are counted.
    guard: Option<PasteGuard>,
    is_line_end: bool,
    start: Instant,
    /// The conversation in front, that which was drawn last, and that for which the last key was pressed; 0 before there is one.
    front: u64,
    drawn: u64,
    pressed: u64,
    /// The conversation of the text, and the texts of the others; without drafts there is one text for all of them.
    text_of: u64,
    drafts: Option<Drafts>,
    /// The text for the chat, and the lines that were sent.
    chat: Composer,
    /// The answer to a question, or a name; never kept.
    answer: Composer,
    /// What the session asks for.
    prompt: Option<PromptKind>,
    /// The question that waits for the end of the line that is half typed.
    waiting: Waiting,
    /// Whether the last key was Ctrl-C on an empty line.
    leaving: bool,
    /// Whether what is typed is for a list; and how many of the events wait that were pressed before it was opened.
    is_for_list: bool,
    before_list: usize,
    /// The place of the event that was worked off last, among those that wait.
    last_place: usize,
}

/// Something that was pressed.
#[derive(Debug)]
struct Pressed {
    event: Event,
    /// The conversation that was drawn then.
    drawn: u64,
    when: Duration,
}

impl Typing {
    pub(crate) fn new(keymap: Keymap) -> Self {
        Self {
            keymap,
            events: VecDeque::new(),
            guard: None,
            is_line_end: false,
            start: Instant::now(),
            front: 0,
            drawn: 0,
            pressed: 0,
            text_of: 0,
            drafts: None,
            chat: Composer::default(),
            answer: Composer::default(),
            prompt: None,
            waiting: Waiting::default(),
            leaving: false,
            is_for_list: false,
            before_list: 0,
            last_place: 0,
        }
    }

    /// The same, with a text for each conversation.
    pub(crate) fn with_drafts(self) -> Self {
        Self { drafts: Some(Drafts::default()), ..self }
    }

    /// The same for a terminal that does not mark what is pasted (`marks`): it is known by the time of its keys.
    pub(crate) fn guarding_pastes(self, marks: bool) -> Self {
        Self { guard: (!marks).then(PasteGuard::default), ..self }
    }

    /// This conversation is in front. `own` says that the user wanted it by the last key, so that the keys behind it are for this
    /// one. Says whether it is another one than before.
    pub(crate) fn arrive(&mut self, front: u64, own: bool) -> bool {
        if front == self.front {
            return false;
        }
        if own || self.front == 0 {
            self.events.iter_mut().for_each(|pressed| pressed.drawn = front);
            self.drawn = front;
        }
        if self.front == 0 {
            (self.pressed, self.text_of) = (front, front);
        }
        self.front = front;
        true
    }

    /// The conversation in front is drawn: keys are pressed for it from now on.
    pub(crate) fn drawn(&mut self) {
        self.drawn = self.front;
    }

    /// The text is that of the conversation in front again. Says whether it was another one.
    pub(crate) fn settle(&mut self) -> bool {
        self.bring(self.front)
    }

    /// Brings the text of a conversation. While a question for a secret is open it stays, since it may be that secret.
    fn bring(&mut self, conversation: u64) -> bool {
        let is_secret =
            self.prompt.as_ref().is_some_and(PromptKind::is_secret) || self.waiting.is_secret();
        let stays = is_secret || conversation == self.text_of;
        let Some(drafts) = self.drafts.as_mut().filter(|_| !stays) else { return false };
        let left = self.chat.exchange(drafts.take(conversation));
        drafts.put(self.text_of, left);
        self.text_of = conversation;
        true
    }

    /// The conversation of the text.
    pub(crate) fn text_of(&self) -> u64 {
        self.text_of
    }

    /// Takes the text for the chat that an editor has left, for a conversation that may not be in front any more. Whatever is asked
    /// meanwhile, it is no answer. Says whether there was room for it; if not, the text from before stays.
    pub(crate) fn edited(&mut self, conversation: u64, text: &str) -> bool {
        if conversation == self.text_of || self.drafts.is_none() {
            let has_room = self.chat.set(text);
            // Who has written it in an editor did not mean a question that came meanwhile.
            if has_room {
                self.waiting.forgets(self.chat.text());
            }
            return has_room;
        }
        let mut other = Composer::default();
        let has_room = other.set(text);
        if let Some(drafts) = self.drafts.as_mut().filter(|_| has_room) {
            drafts.put(conversation, other.exchange(Draft::default()));
        }
        has_room
    }

    /// The text for the chat, whatever is asked.
    pub(crate) fn chat(&self) -> &str {
        self.chat.text()
    }

    /// Another program has the terminal from now on: what was pressed for it does nothing here.
    pub(crate) fn put_down(&mut self) {
        self.events.clear();
        (self.before_list, self.last_place) = (0, 0);
    }

    /// Whether something is typed for a conversation that is not in front.
    pub(crate) fn has_draft(&self, conversation: u64) -> bool {
        self.drafts.as_ref().is_some_and(|drafts| drafts.has(conversation))
    }

    /// Forgets the drafts of conversations that there are no more. A text that `is_kept` is found among the earlier lines; says
    /// whether one is.
    pub(crate) fn prune(
        &mut self,
        is_there: impl Fn(u64) -> bool,
        is_kept: impl Fn(&str) -> bool,
    ) -> bool {
        let gone = self.drafts.as_mut().map(|drafts| drafts.prune(is_there)).unwrap_or_default();
        let mut kept = gone.into_iter().filter(|text| is_kept(text)).peekable();
        let any = kept.peek().is_some();
        kept.for_each(|text| self.chat.remember(&text));
        any
    }

    /// Whether what is typed is for a list that is shown, and not for a line, so that it need not wait for one. What was pressed
    /// before the key that opened the list is not for it: it may be a secret.
    pub(crate) fn set_for_list(&mut self, is: bool) {
        if !is {
            self.before_list = 0;
        } else if !self.is_for_list {
            self.before_list = self.last_place;
        }
        self.is_for_list = is;
    }

    /// Takes an event of the terminal; it waits for [`Typing::next`].
    pub(crate) fn push(&mut self, event: Event) {
        self.push_at(event, self.start.elapsed());
    }

    fn push_at(&mut self, event: Event, when: Duration) {
        if !matches!(&event, Event::Key(key) if key.kind == KeyEventKind::Release) {
            self.events.push_back(Pressed { event, drawn: self.drawn, when });
        }
    }

    /// Whether the terminal is not to be read now.
    pub(crate) fn is_full(&self) -> bool {
        self.events.len() >= EVENTS
    }

    /// Whether there is an event that can be worked off.
    pub(crate) fn is_ready(&self) -> bool {
        self.place().is_some()
    }

    /// The next event; the text is that of the conversation for which it is.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let place = self.place()?;
        let Pressed { event, drawn, when } = self.events.remove(place)?;
        self.last_place = place;
        self.pressed = drawn;
        self.bring(drawn);
        self.is_line_end = false;
        if let (Some(guard), Event::Key(key)) = (&mut self.guard, &event) {
            let is_enter = self.keymap.alone(*key) == Some(Action::Send);
            let is_key = |pressed: &Pressed| matches!(pressed.event, Event::Key(_));
            let more = self.events.get(place).is_some_and(is_key);
            self.is_line_end = guard.key(when, is_enter, more);
        }
        Some(event)
    }

    /// The place of the next event that can be worked off. While no line is asked for, what is typed waits, and everything else
    /// goes past it.
    fn place(&self) -> Option<usize> {
        match self.prompt {
            None if !self.is_for_list => {
                self.events.iter().position(|pressed| !self.waits(&pressed.event))
            }
            _ => (self.before_list < self.events.len()).then_some(self.before_list),
        }
    }

    fn waits(&self, event: &Event) -> bool {
        let key = match event {
            Event::Key(key) => *key,
            Event::Paste(_) => return true,
            _ => return false,
        };
        match self.keymap.alone(key) {
            Some(Action::Clear | Action::Suspend | Action::Redraw) => false,
            Some(action) => row_of(action).is_none_or(|row| row.scope == Scope::Typing),
            None => true,
        }
    }

    /// The session asks for a line; what it asked before is over.
    pub(crate) fn ask(&mut self, prompt: Prompt) {
        if let Some(line) = prompt.remember {
            self.chat.remember(&line);
        }
        if self.prompt.as_ref() != Some(&prompt.kind) {
            self.answer = Composer::default();
        }
        self.prompt = Some(prompt.kind);
    }

    /// Whether a line of this kind can be asked for now. A question waits while a line of chat is half typed, or something else is
    /// (`is_busy`).
    pub(crate) fn gives_way(&mut self, kind: &PromptKind, is_busy: bool) -> bool {
        if matches!(kind, PromptKind::Chat(_)) {
            self.waiting.is_over();
            return true;
        }
        let is_chat = matches!(self.prompt, Some(PromptKind::Chat(_)));
        let waits = is_busy || is_chat && !self.chat.text().is_empty();
        if waits {
            self.waiting.comes(kind, self.chat.text());
        } else {
            self.waiting.ends();
        }
        !waits
    }

    /// Tells of the question that waits.
    pub(crate) fn waiting(&self) -> Option<String> {
        self.waiting.words()
    }

    /// What the session asks for.
    pub(crate) fn prompt(&self) -> Option<&PromptKind> {
        self.prompt.as_ref()
    }

    /// Whether what is typed is for the chat.
    pub(crate) fn is_chat(&self) -> bool {
        matches!(self.prompt, None | Some(PromptKind::Chat(_)))
    }

    /// The text that keys change.
    pub(crate) fn composer(&self) -> &Composer {
        if self.is_chat() { &self.chat } else { &self.answer }
    }

    /// The text that keys change.
    pub(crate) fn composer_mut(&mut self) -> &mut Composer {
        if self.is_chat() { &mut self.chat } else { &mut self.answer }
    }

    /// Which keys do what.
    pub(crate) fn keymap(&self) -> &Keymap {
        &self.keymap
    }

    /// The meaning of a key.
    pub(crate) fn meaning(&mut self, key: KeyEvent) -> Meaning {
        self.keymap.meaning(key)
    }

    /// Works off an event. `most` is the number of characters that a message may have.
    pub(crate) fn take(&mut self, event: Event, most: Option<usize>) -> Step {
        match event {
            Event::Paste(text) => {
                if self.composer_mut().paste(&text) {
                    Step::Edited
                } else {
                    Step::NoRoom
                }
            }
            Event::Key(key) => match self.meaning(key) {
                Meaning::Types(character) => {
                    self.leaving = false;
                    let has_room = self.composer_mut().insert(character.encode_utf8(&mut [0; 4]));
                    if has_room { Step::Edited } else { Step::NoRoom }
                }
                Meaning::Does(action) => self.act(action, most),
                Meaning::Begins | Meaning::Nothing => Step::Nothing,
            },
            _ => Step::Nothing,
        }
    }

    /// Carries out an action.
    pub(crate) fn act(&mut self, action: Action, most: Option<usize>) -> Step {
        let leaving = std::mem::take(&mut self.leaving);
        let edit = match action {
            Action::Send => return self.enter(most),
            Action::NewLine if self.is_chat() => {
                return if self.chat.insert("\n") { Step::Edited } else { Step::NoRoom };
            }
            Action::Clear => return self.clear(leaving),
            Action::EndInput if self.composer().text().is_empty() => {
                if matches!(self.prompt, Some(PromptKind::Reply(_))) {
                    self.end_answer("");
                    return Step::Wish(Wish::Typed(Typed::Cancelled));
                }
                return Step::Wish(Wish::Typed(Typed::End));
            }
            Action::Earlier if self.is_chat() => {
                self.chat.earlier();
                return Step::Edited;
            }
            Action::Later if self.is_chat() => {
                self.chat.later();
                return Step::Edited;
            }
            Action::Left => Edit::Left,
            Action::Right => Edit::Right,
            Action::WordLeft => Edit::WordLeft,
            Action::WordRight => Edit::WordRight,
            Action::Home => Edit::Home,
            Action::End => Edit::End,
            Action::Backspace => Edit::Backspace,
            Action::Delete | Action::EndInput => Edit::Delete,
            Action::WordBackspace => Edit::WordBackspace,
            Action::WordDelete => Edit::WordDelete,
            Action::KillToStart => Edit::KillToStart,
            Action::KillToEnd => Edit::KillToEnd,
            Action::Yank => Edit::Yank,
            other => return Step::Action(other),
        };
        self.composer_mut().edit(edit);
        Step::Edited
    }

    fn enter(&mut self, most: Option<usize>) -> Step {
        let Some(prompt) = &self.prompt else { return Step::Nothing };
        if !matches!(prompt, PromptKind::Chat(_)) {
            let line = self.answer.text().to_owned();
            self.end_answer(&line);
            return Step::Wish(Wish::Typed(Typed::Line(line)));
        }
        if self.pressed != self.front {
            return Step::Elsewhere;
        }
        if std::mem::take(&mut self.is_line_end) {
            return if self.chat.paste_line_end() { Step::Edited } else { Step::NoRoom };
        }
        if let Some(step) = self.give_way() {
            return step;
        }
        // The text of another one has stayed, since it might have been a secret.
        if self.drafts.is_some() && self.text_of != self.front {
            return Step::Elsewhere;
        }
        let typed = match self.chat.enter(most) {
            Entered::Nothing => return Step::Edited,
            // Several rows are one message, or one call of a command, not as many as there are rows.
            Entered::Line(line) => Typed::Line(line),
            Entered::Text(text) => Typed::Text(text),
            asked @ (Entered::Ask { .. } | Entered::TooLong(_)) => return Step::Asked(asked),
        };
        // Nothing is typed behind it before the session knows what that is for.
        self.prompt = None;
        Step::Wish(Wish::Typed(typed))
    }

    /// Enter while a question waits: it leads to the question, and nothing is sent, unless the user leaves.
    fn give_way(&mut self) -> Option<Step> {
        let text = self.chat.text();
        if text.trim_end() == QUIT {
            return None;
        }
        let dropped = match self.waiting.entered(text) {
            waiting::Entered::Line => return None,
            waiting::Entered::Kept => false,
            waiting::Entered::Dropped => {
                self.chat.set("");
                true
            }
        };
        self.prompt = None;
        Some(Step::Wish(Wish::Typed(Typed::GaveWay { dropped })))
    }

    fn clear(&mut self, leaving: bool) -> Step {
        if self.prompt.is_none() {
            self.events.clear();
        } else if !self.composer().text().is_empty() {
            self.composer_mut().set("");
            // What is typed behind it is for the question.
            return self.give_way().unwrap_or(Step::Edited);
        } else if matches!(self.prompt, Some(PromptKind::Reply(_))) {
            self.end_answer("");
            return Step::Wish(Wish::Typed(Typed::Cancelled));
        }
        if leaving {
            return Step::Wish(Wish::Typed(Typed::Interrupted));
        }
        self.leaving = true;
        Step::Leaving
    }

    /// The answer is given. A line of chat that was typed in part before a question for a secret is not offered again if it may be
    /// that secret: if there is no answer, or one that is like it.
    fn end_answer(&mut self, answer: &str) {
        let secret = self.prompt.take().is_some_and(|kind| kind.is_secret());
        self.answer = Composer::default();
        let answer = answer.trim();
        let alike = |kept: &str| {
            let kept = kept.trim();
            answer.is_empty() || answer.contains(kept) || kept.contains(answer)
        };
        if !secret {
            return;
        }
        if alike(self.chat.text()) {
            self.chat.set("");
        }
        if let Some(drafts) = self.drafts.as_mut().filter(|_| !answer.is_empty()) {
            drafts.drop_like(alike);
        }
    }
}

#[cfg(test)]
mod tests;
