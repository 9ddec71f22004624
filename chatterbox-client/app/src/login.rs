//! Names, and what proves that they are the user's (AN-1 to AN-3).

use chatterbox_proto::capability::accounts::{Account, Proof, Secret};
use chatterbox_proto::{Capability, WireText};

use super::output::Output;
use super::{App, Effect, GiveUpReason, Phase, note};

impl App {
    /// Asks for a name; a token for it, or a password that was given beforehand, goes along.
    pub(super) fn ask(&mut self, name: &str) -> Vec<Effect> {
        self.proof = match (self.options.tokens.get(name), &self.options.password) {
            _ if self.options.offer.is_empty() => None,
            (Some(token), _) => Some(Proof::Token(token.clone())),
            (None, Some(password)) => Some(Proof::Password(password.clone())),
            (None, None) => None,
        };
        self.ask_with_proof(name)
    }

    fn ask_with_proof(&mut self, name: &str) -> Vec<Effect> {
        let frame = if self.reconnect.is_down() {
            self.session.again(self.proof.as_ref()).map_err(|error| error.to_string())
        } else {
            let frame = self.session.ask_with(name, self.proof.as_ref());
            frame.map_err(|error| error.to_string())
        };
        match frame {
            Ok(frame) => {
                name.clone_into(&mut self.asked);
                if !self.reconnect.is_down() {
                    self.phase = Phase::Pending;
                }
                vec![Effect::Send(frame)]
            }
            Err(error) => note(format!("The name was not sent: {error}.")),
        }
    }

    /// There is a connection again.
    pub fn reconnected(&mut self) -> Vec<Effect> {
        let name = self.session.me().unwrap_or_default().to_owned();
        // Under a name that was taken since, the login is none: the session alone has to do.
        let renamed = self.account.as_ref().is_some_and(|account| *account != name);
        let proof = self.proof.take_if(|_| renamed);
        let effects = self.ask_with_proof(&name);
        self.proof = proof.or_else(|| self.proof.take());
        effects
    }

    /// Takes a password that was typed; nothing at all is a change of mind.
    pub(super) fn password(&mut self, text: &str) -> Vec<Effect> {
        if text.is_empty() {
            return self.cancel_password();
        }
        self.proof = Some(Proof::Password(Secret::new(text)));
        self.phase = if self.reconnect.is_down() { Phase::Chat } else { Phase::Pending };
        let name = self.asked.clone();
        self.ask_with_proof(&name)
    }

    /// The user does not want to say the password.
    pub(super) fn cancel_password(&mut self) -> Vec<Effect> {
        self.proof = None;
        if self.reconnect.is_down() {
            return vec![Effect::GiveUp(GiveUpReason::PasswordNeeded)];
        }
        self.phase = Phase::Name;
        note("Without the password another name is needed.")
    }

    /// The name was refused.
    pub(super) fn refused(
        &mut self,
        info: Option<WireText<'static>>,
        code: Option<WireText<'static>>,
        effects: &mut Vec<Effect>,
    ) {
        let word = code.as_ref().map(|code| code.as_wire().to_owned()).unwrap_or_default();
        let down = self.reconnect.is_down();
        if word == "wrong-token" {
            // It has been used up; what it stood for may be asked for.
            let name = self.asked.clone();
            self.options.tokens.remove(&name);
            effects.push(Effect::StoreToken { name: name.clone(), token: None });
            self.proof = self.options.password.clone().map(Proof::Password);
            effects.extend(self.ask_with_proof(&name));
            return;
        }
        let name = WireText::new(self.asked.clone());
        let line = Output::Refused { name, reason: info.clone(), code };
        if word == "registered" && self.proof.is_none() {
            if let Some(password) = self.options.password.clone().filter(|_| !self.password_used) {
                self.password_used = true;
                self.proof = Some(Proof::Password(password));
                let name = self.asked.clone();
                effects.extend(self.ask_with_proof(&name));
                return;
            }
            effects.push(Effect::Show(line));
            self.ask_for_password(GiveUpReason::PasswordNeeded, effects);
            return;
        }
        if word == "wrong-password" {
            self.proof = None;
            effects.push(Effect::Show(line));
            self.ask_for_password(GiveUpReason::WrongPassword, effects);
            return;
        }
        if down {
            let reason = info.map_or_else(String::new, |info| format!(": {}", info.screen()));
            match word.as_str() {
                // Who was here before, perhaps this very user, may still be leaving.
                "" | "taken" | "looks-taken" | "held" | "busy" | "throttled" => {
                    let name = chatterbox_proto::ScreenText::new(&self.asked);
                    effects.push(Effect::Disconnect(format!("{name} can't come back yet{reason}")));
                }
                _ => {
                    effects.push(Effect::Show(line));
                    effects.push(Effect::GiveUp(GiveUpReason::NoName));
                }
            }
            return;
        }
        effects.push(Effect::Show(line));
        self.next_name(effects);
    }

    fn ask_for_password(&mut self, reason: GiveUpReason, effects: &mut Vec<Effect>) {
        if self.options.interactive {
            self.refused = true;
            self.phase = Phase::Password;
        } else if self.options.username.is_some()
            || self.options.password.is_some()
            || self.reconnect.is_down()
        {
            effects.push(Effect::GiveUp(reason));
        } else {
            // Through pipes each line after a refusal is the next name to try.
            if reason == GiveUpReason::PasswordNeeded {
                effects.extend(note("Give the password with --password-file or --password-stdin."));
            }
            self.next_name(effects);
        }
    }

    pub(super) fn next_name(&mut self, effects: &mut Vec<Effect>) {
        self.phase = Phase::Name;
        self.refused = true;
        self.proof = None;
        if self.options.username.is_some() && !self.options.interactive {
            effects.push(Effect::GiveUp(GiveUpReason::NoName));
        }
    }

    /// The server says what the user's account is like; a token in it is for the next time.
    pub(super) fn take_account(&mut self, account: Option<Account>, effects: &mut Vec<Effect>) {
        if account.is_some() && self.proof.is_some() && self.account.is_none() {
            self.account = Some(self.asked.clone());
        }
        match account {
            Some(Account { token: Some(token), .. }) => self.take_token(token, effects),
            Some(_) => {}
            None if matches!(self.proof, Some(Proof::Password(_)))
                && !self.session.agreed().has(Capability::Accounts) =>
            {
                effects.extend(note("This server has no accounts; nobody looked at the password."));
                self.proof = None;
            }
            None => {}
        }
    }

    pub(super) fn take_token(&mut self, token: Secret, effects: &mut Vec<Effect>) {
        let Some(me) = self.session.me() else { return };
        let name = self.account.get_or_insert_with(|| me.to_owned()).clone();
        self.proof = Some(Proof::Token(token.clone()));
        effects.push(Effect::StoreToken { name, token: Some(token) });
    }
}
