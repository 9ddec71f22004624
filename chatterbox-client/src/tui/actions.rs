//! Actions of the screen: what each of them changes, and what it asks for.

use chatterbox_app::model::{Conversation, Model};
use chatterbox_app::{Intent, Target};
use crossterm::event::{KeyCode, KeyEvent};

use super::control::{Control, Demand};
use super::layout::{has_room_for_people, shows_conversations, shows_people, shows_times};
use super::lists;
use super::timeline::{scrolled, showing};
use super::ui::{ListKind, Overlay, Scroll};
use crate::keymap::{Action, Meaning};
use crate::session::{View, Wish};

impl Control {
    /// Carries out an action that does nothing to the text.
    pub(super) fn on_screen(&mut self, action: Action, view: &View<'_>) -> Option<Demand> {
        if !self.keymap.has(action) {
            return None;
        }
        let model = view.app.model()?;
        let page = isize::from(i16::try_from(self.drawn.timeline.height).unwrap_or(10)).max(2) - 1;
        match action {
            Action::PageUp => self.scroll(page, view),
            Action::PageDown => self.scroll(-page, view),
            Action::Newest => self.ui.scroll = Scroll::End,
            Action::Oldest => self.show_oldest(view),
            Action::ToMarker => self.show_marker(view),
            Action::PreviousConversation => return beside(model, -1),
            Action::NextConversation => return beside(model, 1),
            Action::NextUnread => return self.next_unread(model),
            Action::Conversation(number) => {
                let place = usize::from(number).checked_sub(1)?;
                return Some(open(model.conversations().get(place)?.target.clone()));
            }
            Action::Close => return Some(wish(Intent::Close(model.front().clone()))),
            Action::Notify => {
                let front = model.front();
                let next = model.attention(front).next();
                self.hint(format!("Of {} you are told {}.", front.in_words(), next.words()));
                return Some(wish(Intent::Attend(front.clone(), next)));
            }
            Action::Conversations => {
                self.ui.conversations = Some(!shows_conversations(self.size.0, &self.ui));
            }
            Action::Times => {
                self.ui.times = Some(!shows_times(self.drawn.timeline.width, &self.ui));
            }
            Action::People if has_room_for_people(self.size.0) => {
                self.ui.people = Some(!shows_people(self.size.0, &self.ui));
            }
            Action::Help => self.ui.overlay = Some(Overlay::Help { scroll: 0 }),
            Action::People
            | Action::Palette
            | Action::GoTo
            | Action::Mentions
            | Action::Links
            | Action::Search
            | Action::SearchEarlier => self.open_list(action, view),
            Action::Mouse => return Some(Demand::Mouse),
            Action::Suspend => return Some(Demand::Suspend),
            Action::Redraw => return Some(Demand::Redraw),
            Action::Editor if self.ui.typing.is_chat() => return Some(Demand::Edit),
            _ => {}
        }
        None
    }

    fn open_list(&mut self, action: Action, view: &View<'_>) {
        let Some(model) = view.app.model() else { return };
        let times = self.times(view);
        let (kind, title, entries) = match action {
            Action::Palette => {
                (ListKind::Palette, "actions", lists::actions(view.app, &self.keymap))
            }
            Action::GoTo => {
                let is_typed = |one: &Conversation| self.ui.typing.has_draft(one.serial());
                (ListKind::GoTo, "go to", lists::conversations(view.app, model, is_typed))
            }
            Action::People => (ListKind::People, "here", lists::people(view.app, model.front())),
            Action::Mentions => {
                (ListKind::Mentions, "messages that name you", lists::mentions(model, &times))
            }
            Action::Links => {
                let title = if self.open.is_empty() {
                    "links in what is loaded: Enter copies"
                } else {
                    "links in what is loaded: Enter copies, Alt-Enter opens"
                };
                (ListKind::Links, title, lists::links_of(model, model.front()))
            }
            Action::SearchEarlier => {
                let lines = self.ui.typing.composer().remembered();
                (ListKind::Earlier, "lines that were sent", lists::earlier(lines))
            }
            _ => (ListKind::Search, "search in what is loaded", Vec::new()),
        };
        let (source, list) = lists::Source::open(kind, title, entries);
        self.source = source;
        self.ui.overlay = Some(Overlay::List(list));
    }

    /// Scrolls by so many rows; up, if they are positive.
    pub(super) fn scroll(&mut self, rows: isize, view: &View<'_>) {
        let timeline = self.drawn.timeline;
        let from = self.ui.scroll;
        if rows > 0
            && self.drawn.above
            && let Some(model) = view.app.model()
        {
            self.wants(Intent::Older(model.front().clone()));
        }
        self.ui.scroll = scrolled(&self.scene(view), timeline.width, timeline.height, from, rows);
    }

    fn show_oldest(&mut self, view: &View<'_>) {
        let Some(conversation) = view.app.model().and_then(Model::in_front) else { return };
        if let Some(oldest) = conversation.timeline.item(0) {
            let timeline = self.drawn.timeline;
            self.ui.scroll =
                showing(&self.scene(view), timeline.width, timeline.height, oldest.key);
        }
        self.wants(Intent::Older(conversation.target.clone()));
    }

    fn show_marker(&mut self, view: &View<'_>) {
        let marker = view.app.model().and_then(Model::in_front).and_then(|one| one.marker);
        match marker {
            Some(key) => {
                let timeline = self.drawn.timeline;
                self.ui.scroll = showing(&self.scene(view), timeline.width, timeline.height, key);
            }
            None => self.hint("Nothing is new here."),
        }
    }

    fn next_unread(&mut self, model: &Model) -> Option<Demand> {
        match model.next_unread() {
            Some(target) => Some(open(target.clone())),
            None => {
                self.hint("Nothing is unread.");
                None
            }
        }
    }

    /// A key while the help is open.
    pub(super) fn help_key(&mut self, key: KeyEvent, view: &View<'_>) -> Option<Demand> {
        let Some(Overlay::Help { scroll }) = &mut self.ui.overlay else { return None };
        if key.code == KeyCode::Esc {
            self.ui.overlay = None;
            return None;
        }
        let most = self.drawn.help_most;
        match self.ui.typing.meaning(key) {
            Meaning::Does(Action::Earlier) => *scroll = scroll.saturating_sub(1),
            Meaning::Does(Action::Later) => *scroll = (*scroll + 1).min(most),
            Meaning::Does(Action::PageUp) => *scroll = scroll.saturating_sub(10),
            Meaning::Does(Action::PageDown) | Meaning::Types(' ') => {
                *scroll = (*scroll + 10).min(most);
            }
            Meaning::Does(Action::Help | Action::Send | Action::Clear) | Meaning::Types('q') => {
                self.ui.overlay = None;
            }
            Meaning::Does(action) => {
                self.ui.overlay = None;
                return self.act(action, view);
            }
            Meaning::Types(_) | Meaning::Begins | Meaning::Nothing => {}
        }
        None
    }
}

fn wish(intent: Intent) -> Demand {
    Demand::Wish(Wish::Intent(intent))
}

fn open(target: Target) -> Demand {
    wish(Intent::Open(target))
}

/// The conversation above or below the one in front; behind the last one comes the first.
fn beside(model: &Model, by: isize) -> Option<Demand> {
    let conversations = model.conversations();
    let here = conversations.iter().position(|one| one.is_at(model.front()))?;
    let there = here.checked_add_signed(by).unwrap_or(conversations.len().checked_sub(1)?);
    let next = conversations.get(there).or_else(|| conversations.first())?;
    Some(open(next.target.clone()))
}
