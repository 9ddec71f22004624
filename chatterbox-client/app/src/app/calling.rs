//! Calls: a typed line as a command of the server.

use chatterbox_proto::{ALL, RoomName, ScreenText};

use super::App;
use crate::commands::{CallError, SLASH};
use crate::effect::{Effect, GiveUpReason, note};
use crate::near::nearest;
use crate::own::Own;

impl App {
    /// Whether there is a command of this name: one of the server, or of this program.
    pub fn has_command(&self, name: &str) -> bool {
        self.server_has(name) || Own::there_are(self.has()).any(|own| own.name == name)
    }

    /// The command that is near to a mistyped one: one of the server or of this program, or one of these others.
    pub fn near_command(&self, name: &str, others: &[&'static str]) -> Option<&str> {
        let near = self.help().near(name).map(|(_, near)| near);
        nearest(name, others.iter().copied().chain(near))
    }

    /// A line with a slash that is no command of this program: the server's, even where its prefix is another one.
    pub(super) fn server_command(&mut self, command: &str, line: &str) -> Vec<Effect> {
        let behind = line.strip_prefix(SLASH).unwrap_or(line);
        match &self.catalogue {
            Some(catalogue)
                if catalogue.prefix() == SLASH || catalogue.read(behind, ALL).is_ok() =>
            {
                self.call(behind)
            }
            _ => {
                let name = command.strip_prefix(SLASH).unwrap_or(command);
                let text = self.help().unknown(SLASH, name);
                self.not_called(text)
            }
        }
    }

    /// Calls a command of the server; `line` is without the prefix.
    pub(super) fn call(&mut self, line: &str) -> Vec<Effect> {
        let Some(catalogue) = &self.catalogue else { return Vec::new() };
        let front = self.front.room().map_or(ALL, |front| &front.name);
        let parsed = match catalogue.read(line, front) {
            Ok(parsed) => parsed,
            Err(CallError::Unknown) => {
                let name = line.split_whitespace().next().unwrap_or_default();
                let text = self.help().unknown(catalogue.prefix(), name);
                return self.not_called(text);
            }
            Err(error) => {
                let text = catalogue.explain(&error);
                return self.not_called(text);
            }
        };
        // It would be said in the clear (EE-6).
        if let ("msg", [to, ..]) = (parsed.command.name.as_str(), parsed.arguments.as_slice())
            && self.is_encrypted(to)
        {
            let to = ScreenText::shortened(to, 40);
            let why = format!(
                "what is said to {to} is encrypted, which no command of the server does: say \"@{to} TEXT\""
            );
            return self.not_sent(&why);
        }
        if !self.session.is_joined() {
            return self.not_sent("commands need the connection, which is lost");
        }
        // On a full screen, who enters a room wants to see it.
        let entered = parsed
            .arguments
            .first()
            .filter(|_| self.full_screen && enters_room(&parsed.command.name))
            .map(|room| format!("{}{room}", if RoomName::is_meant(room) { "" } else { "#" }));
        match self.calls.call(parsed) {
            Ok(frame) => {
                self.has_sent = true;
                if let Some(room) = entered {
                    self.front.want(&room);
                }
                vec![Effect::Send(frame)]
            }
            Err(error) => self.not_sent(&error.to_string()),
        }
    }

    /// A command that could not be called. Through pipes the next line may be what it was to ask for, a secret perhaps,
    /// and must not be sent as a message. A server without commands never asks.
    fn not_called(&mut self, text: String) -> Vec<Effect> {
        self.failures += 1;
        let mut effects = note(text);
        if self.catalogue.is_some() && !self.interactive {
            effects.push(Effect::GiveUp(GiveUpReason::NotAsked));
        }
        effects
    }
}

/// Whether a command makes the user a member of the room that it names.
pub(super) fn enters_room(command: &str) -> bool {
    matches!(command, "join" | "create-room")
}
