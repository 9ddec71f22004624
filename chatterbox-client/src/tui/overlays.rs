//! Keys while a list is open.

use chatterbox_app::Intent;
use chatterbox_app::model::Model;
use crossterm::event::{KeyCode, KeyEvent};

use super::control::{Control, Demand};
use super::links::copying;
use super::lists::{self, Choice};
use super::ui::{ListKind, Overlay};
use crate::keymap::{Action, Meaning};
use crate::session::{View, Wish};

/// Of what is typed to narrow a list down so many characters are kept.
const QUERY: usize = 200;

/// Page Up and Page Down go by so many rows.
const PAGE: isize = 8;

impl Control {
    /// A key while a list is open.
    pub(super) fn list_key(&mut self, key: KeyEvent, view: &View<'_>) -> Option<Demand> {
        let Some(Overlay::List(list)) = &mut self.ui.overlay else { return None };
        if key.code == KeyCode::Esc {
            self.ui.overlay = None;
            return None;
        }
        let kind = list.kind;
        match self.ui.typing.meaning(key) {
            Meaning::Types(c) => self.type_query(c.encode_utf8(&mut [0; 4]), view),
            Meaning::Does(Action::Backspace) => {
                list.query.pop();
                self.queried(view);
            }
            Meaning::Does(Action::KillToStart | Action::WordBackspace) => {
                list.query.clear();
                self.queried(view);
            }
            Meaning::Does(Action::Earlier | Action::CompleteBack) => self.choose(-1),
            Meaning::Does(Action::Later | Action::Complete) => self.choose(1),
            Meaning::Does(Action::PageUp) => self.choose(-PAGE),
            Meaning::Does(Action::PageDown) => self.choose(PAGE),
            Meaning::Does(Action::Search) if kind == ListKind::Search => self.choose(1),
            Meaning::Does(Action::SearchEarlier) if kind == ListKind::Earlier => self.choose(1),
            Meaning::Does(Action::Send) => return self.chosen(view),
            Meaning::Does(Action::NewLine) if kind == ListKind::Links => self.show_link(),
            Meaning::Does(Action::Clear | Action::EndInput) => self.ui.overlay = None,
            Meaning::Does(
                action @ (Action::Suspend | Action::Redraw | Action::Mouse | Action::Times),
            ) => return self.on_screen(action, view),
            Meaning::Does(action) if opens(action) == Some(kind) => self.ui.overlay = None,
            Meaning::Does(action) if opens(action).is_some() || action == Action::Help => {
                return self.on_screen(action, view);
            }
            Meaning::Does(_) | Meaning::Begins | Meaning::Nothing => {}
        }
        None
    }

    /// Types into what narrows the list down.
    pub(super) fn type_query(&mut self, text: &str, view: &View<'_>) {
        let Some(Overlay::List(list)) = &mut self.ui.overlay else { return };
        let room = QUERY.saturating_sub(list.query.chars().count());
        list.query.extend(text.chars().filter(|c| !c.is_control()).take(room));
        self.queried(view);
    }

    fn queried(&mut self, view: &View<'_>) {
        let mut source = std::mem::take(&mut self.source);
        let found = match &self.ui.overlay {
            Some(Overlay::List(list)) if list.kind == ListKind::Search => {
                let times = self.times(view);
                let search =
                    |model: &Model| lists::search(model, model.front(), &list.query, &times);
                Some(view.app.model().map(search))
            }
            _ => None,
        };
        if let Some(Overlay::List(list)) = &mut self.ui.overlay {
            match found {
                Some(entries) => source.refill(list, entries.unwrap_or_default()),
                None => source.narrow(list),
            }
        }
        self.source = source;
    }

    fn choose(&mut self, by: isize) {
        if let Some(Overlay::List(list)) = &mut self.ui.overlay {
            let last = list.rows.len().saturating_sub(1);
            list.chosen = list.chosen.saturating_add_signed(by).min(last);
        }
    }

    fn choice(&self) -> Option<Choice> {
        match &self.ui.overlay {
            Some(Overlay::List(list)) => self.source.chosen(list).cloned(),
            _ => None,
        }
    }

    fn chosen(&mut self, view: &View<'_>) -> Option<Demand> {
        let choice = self.choice()?;
        self.ui.overlay = None;
        match choice {
            Choice::Act(action) => self.act(action, view),
            Choice::Open(target) => Some(Demand::Wish(Wish::Intent(Intent::Open(target)))),
            Choice::Message(target, key) => self.jump(target, key, view),
            Choice::Copy(link) => {
                self.hint("The terminal was asked to copy the link.");
                Some(Demand::Write(copying(&link, self.in_tmux)))
            }
            Choice::Browse(link) => Some(Demand::Browse(link)),
            Choice::Line(line) => {
                self.ui.typing.composer_mut().set(&line);
                None
            }
        }
    }

    /// Shows the whole link that is chosen, before it is opened.
    fn show_link(&mut self) {
        let Some(Choice::Copy(link)) = self.choice() else { return };
        if self.open.is_empty() {
            self.hint("Nothing opens links: `open` in the configuration names a program.");
            return;
        }
        let width = usize::from(self.drawn.timeline.width).saturating_sub(8);
        let rows = lists::whole_link(&link, width);
        let (source, list) = lists::Source::open(ListKind::Links, "Enter opens this link", rows);
        self.source = source;
        self.ui.overlay = Some(Overlay::List(list));
    }
}

/// The list that an action opens.
fn opens(action: Action) -> Option<ListKind> {
    match action {
        Action::Palette => Some(ListKind::Palette),
        Action::GoTo => Some(ListKind::GoTo),
        Action::Mentions => Some(ListKind::Mentions),
        Action::Links => Some(ListKind::Links),
        Action::Search => Some(ListKind::Search),
        Action::SearchEarlier => Some(ListKind::Earlier),
        Action::People => Some(ListKind::People),
        _ => None,
    }
}
