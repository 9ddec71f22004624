//! Typed lines with a secret in them: they are not said, and not kept.

use super::{App, RECOVERY};
use crate::commands::SLASH;
use crate::effect::Effect;

impl App {
    /// Whether a line of the text is a command that may have a secret behind it.
    pub fn has_secret(&self, text: &str) -> bool {
        text.lines().any(|line| self.command_with_secret(line).is_some())
    }

    /// The part of a line that may be in the editor's history: of a command with secrets, only the command.
    pub(super) fn remembered(&self, text: &str) -> Option<Effect> {
        if text.trim().is_empty() || !self.interactive {
            return None;
        }
        Some(Effect::Remember(self.command_with_secret(text).unwrap_or_else(|| text.to_owned())))
    }

    /// The command of a line, if it is one that may have a secret behind it, or is mistyped and near to such a one.
    fn command_with_secret(&self, text: &str) -> Option<String> {
        let first = text.split_whitespace().next().unwrap_or_default().to_lowercase();
        if self.encryption.is_some() && first == RECOVERY {
            return Some(first);
        }
        let catalogue = self.catalogue.as_ref()?;
        let prefix = catalogue.prefix();
        let name = first.strip_prefix(prefix).or_else(|| first.strip_prefix(SLASH))?;
        let meant = match catalogue.find(name) {
            Some(_) => name,
            None => self.help().near(name)?.1,
        };
        let secret = |(command, _): &(String, usize)| {
            command.strip_prefix(prefix).is_some_and(|known| known.eq_ignore_ascii_case(meant))
        };
        catalogue.secret_arguments().iter().any(secret).then_some(first)
    }

    /// Whether a line is a message that begins with blanks and goes on as a command with a secret.
    pub(super) fn is_hidden_command(&self, text: &str) -> bool {
        text.starts_with(char::is_whitespace)
            && self.is_message(text)
            && self.command_with_secret(text).is_some()
    }
}
