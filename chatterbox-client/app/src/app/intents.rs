//! Intents: what a screen that is more than lines asks for, and what it reads of the model.

use chatterbox_proto::{Capability, WireText};

use super::App;
use crate::effect::{Effect, note};
use crate::history::SCROLLED;
use crate::intent::Intent;
use crate::model::{Alert, Key, Model};
use crate::output::Output;
use crate::target::Target;

impl App {
    /// Carries out what the user wants; `now` is in seconds since 1970.
    pub fn intend(&mut self, intent: Intent, now: i64) -> Vec<Effect> {
        match intent {
            Intent::Open(target) => self.open(&target, now),
            Intent::Close(target) => self.close(&target, now),
            Intent::Older(target) => self.older(&target, None, now),
            Intent::Fill(target, hole) => self.older(&target, Some(hole), now),
            Intent::Attend(target, attention) => {
                if let Some(model) = &mut self.model {
                    model.attend(&target, attention);
                }
                Vec::new()
            }
            Intent::Seeing(seeing) => {
                if let Some(model) = &mut self.model {
                    model.see(seeing);
                }
                Vec::new()
            }
            Intent::Quit => vec![Effect::Leave],
        }
    }

    /// Whether a program reads the outputs.
    pub fn is_for_program(&self) -> bool {
        self.json
    }

    /// The model, where the options ask for one.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }

    /// Takes the next alert of the model.
    pub fn take_alert(&mut self) -> Option<Alert> {
        self.model.as_mut()?.take_alert()
    }

    /// Notes an output that is shown, those of the session's driver as well. The driver calls it for each, in their order.
    pub fn shown(&mut self, output: &Output, now: i64) {
        if let Some(model) = &mut self.model {
            model.apply(output, self.session.me().unwrap_or_default(), now);
        }
    }

    /// The users who are at a target, in the order of the server, and whether they are away; `None` where that is not known.
    pub fn people(&self, target: &Target) -> Option<Vec<(WireText<'_>, bool)>> {
        let away = |user: &WireText<'_>| self.session.is_away(user.as_wire());
        match target {
            Target::Lobby => {
                Some(self.session.users().map(|user| (user.clone(), away(&user))).collect())
            }
            Target::Room(name) => {
                let users = self.session.room(name)?.users()?;
                Some(users.map(|user| (user.clone(), away(&user))).collect())
            }
            Target::User(_) => None,
        }
    }

    /// How many users are at a target; `None` where that is not known.
    pub fn people_count(&self, target: &Target) -> Option<usize> {
        match target {
            Target::Lobby => Some(self.session.user_count()),
            Target::Room(name) => {
                let room = self.session.room(name)?;
                Some(usize::try_from(room.count()).unwrap_or(usize::MAX))
            }
            Target::User(_) => None,
        }
    }

    /// The first of the users who are at a target, at most so many: a list of thousands is not made for the few that a screen has
    /// room for.
    pub fn first_people(&self, target: &Target, most: usize) -> Option<Vec<(WireText<'_>, bool)>> {
        let users: Vec<_> = match target {
            Target::Lobby => self.session.users().take(most).collect(),
            Target::Room(name) => self.session.room(name)?.users()?.take(most).collect(),
            Target::User(_) => return None,
        };
        let away = |user: &WireText<'_>| self.session.is_away(user.as_wire());
        Some(users.into_iter().map(|user| (user.clone(), away(&user))).collect())
    }

    /// The model follows what is in front.
    pub(super) fn model_follows(&mut self) {
        if let Some(model) = &mut self.model {
            model.bring(&self.front.at().target());
        }
    }

    pub(super) fn close(&mut self, target: &Target, now: i64) -> Vec<Effect> {
        if !matches!(target, Target::User(_)) {
            return note("Only a conversation with one user is closed; /leave leaves a room.");
        }
        let in_front = self.front.at().target().is(target);
        let effects = if in_front { self.open(&Target::Lobby, now) } else { Vec::new() };
        if let Some(model) = &mut self.model {
            model.close(target);
        }
        effects
    }

    /// Asks for the page before the oldest message of a conversation, or for one that is missing at a hole.
    fn older(&mut self, target: &Target, hole: Option<Key>, now: i64) -> Vec<Effect> {
        let Some(model) = &mut self.model else { return Vec::new() };
        if !model.may_ask(target, hole, usize::from(SCROLLED), now)
            || !self.session.is_joined()
            || !self.session.agreed().has(Capability::Ids)
        {
            return Vec::new();
        }
        let before = model.asks_before(target, hole);
        // The conversation has the target in its own spelling.
        let target = model.conversation(target).map_or(target, |known| &known.target).clone();
        let request = self.pages.request_scrolled(target.wire(), before);
        if request.is_some() {
            model.asked(&target, hole, now);
        }
        request.into_iter().collect()
    }

    /// A page that was asked for by scrolling begins. Says whether the conversation is still there.
    pub(super) fn page_comes(&mut self, with: &WireText<'_>) -> bool {
        let target = Target::parse(with.as_wire(), true);
        let Some(model) = &mut self.model else { return false };
        model.page_comes(&target);
        model.conversation(&target).is_some()
    }

    /// The conversation with a number, as they are counted from 1 on.
    pub(super) fn numbered(&self, digits: &str) -> Option<Target> {
        let number: usize = digits.parse().ok()?;
        let place = number.checked_sub(1)?;
        Some(self.model.as_ref()?.conversations().get(place)?.target.clone())
    }
}
