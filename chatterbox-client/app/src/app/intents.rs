//! Intents: what a screen that is more than lines asks for, and what it reads of the model.

use chatterbox_proto::{Capability, WireText};

use super::App;
use crate::complete::Vocabulary;
use crate::effect::{Effect, note};
use crate::input_mode::InputMode;
use crate::intent::Intent;
use crate::model::{Alert, Model, Older};
use crate::output::Output;
use crate::target::Target;

impl App {
    /// Carries out what the user wants; `now` is in seconds since 1970.
    pub fn intend(&mut self, intent: Intent, now: i64) -> Vec<Effect> {
        match intent {
            Intent::Line(text) => self.typed(&text, InputMode::Chat, now),
            Intent::Say(text) => self.say_text(&text, now),
            Intent::Open(target) => {
                let name = match &target {
                    Target::User(name) => format!("@{name}"),
                    other => other.wire().to_owned(),
                };
                self.bring_to_front(Some(&name), now)
            }
            Intent::Close(target) => self.close(&target, now),
            Intent::Older(target) => self.older(&target),
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

    /// The names and commands by which words are completed now.
    pub fn vocabulary(&self) -> Vocabulary {
        let users = self.session.users().map(|user| user.as_wire().to_owned()).collect();
        let rooms = self.session.rooms().map(|room| room.name.as_wire().to_owned()).collect();
        Vocabulary { users, rooms }
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

    /// The model follows what is in front.
    pub(super) fn model_follows(&mut self) {
        if let Some(model) = &mut self.model {
            model.bring(&self.front.at().target());
        }
    }

    fn close(&mut self, target: &Target, now: i64) -> Vec<Effect> {
        if !matches!(target, Target::User(_)) {
            return note("Only a conversation with one user is closed; /leave leaves a room.");
        }
        let in_front = self.front.at().target() == *target;
        let effects =
            if in_front { self.intend(Intent::Open(Target::Lobby), now) } else { Vec::new() };
        if let Some(model) = &mut self.model {
            model.close(target);
        }
        effects
    }

    fn older(&mut self, target: &Target) -> Vec<Effect> {
        let Some(model) = &mut self.model else { return Vec::new() };
        let Some(conversation) = model.conversation(target) else { return Vec::new() };
        let asks = matches!(conversation.older, Older::Unknown | Older::More);
        if !asks || !self.session.is_joined() || !self.session.agreed().has(Capability::Ids) {
            return Vec::new();
        }
        let oldest = conversation.timeline.oldest_id();
        let request = self.pages.request_scrolled(target.wire(), oldest);
        if request.is_some() {
            model.older_asked(target);
        }
        request.into_iter().collect()
    }
}
