//! The login: which name is asked for, what proves that it is the user's, and what follows a refusal (AN-1 to AN-3).

use std::collections::BTreeMap;

use chatterbox_proto::capability::accounts::{Account, Proof, Secret, one_line};
use chatterbox_proto::session::ClientSession;
use chatterbox_proto::{Capability, ScreenText, WireText};

use crate::effect::{Effect, GiveUpReason, note};
use crate::input_mode::Question;
use crate::options::Options;
use crate::output::{Output, Until, Wire};

/// The progress of the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A name is needed.
    Name,
    /// The name is registered, and its password is needed.
    Password,
    /// The server has not answered the name.
    Pending,
    /// The name was accepted.
    Done,
}

/// The login of one session; it outlives a connection.
#[derive(Debug)]
pub(crate) struct Login {
    phase: Phase,
    /// The name that the server was asked for last.
    requested: String,
    /// The password or token that goes with the name.
    proof: Option<Proof>,
    /// The account's name, which stays when the user takes another name.
    account: Option<String>,
    /// Whether a name was refused and none accepted since.
    refused: bool,
    /// Whether the password that was given beforehand was tried.
    password_tried: bool,
    username: Option<String>,
    password: Option<Secret>,
    tokens: BTreeMap<String, Secret>,
    interactive: bool,
    /// Whether a person reads what it says.
    asks_quietly: bool,
    /// Whether anything is offered; a proof is part of the offer.
    offers: bool,
}

impl Login {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            phase: Phase::Name,
            requested: String::new(),
            proof: None,
            account: None,
            refused: false,
            password_tried: false,
            username: options.username,
            password: options.password,
            tokens: options.tokens,
            interactive: options.interactive,
            asks_quietly: options.interactive && !options.json,
            offers: !options.offer.is_empty(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn was_refused(&self) -> bool {
        self.refused
    }

    /// The name that the server was asked for last.
    pub(crate) fn requested(&self) -> Wire {
        WireText::new(self.requested.clone())
    }

    /// The question for the password, where one is needed.
    pub(crate) fn question(&self) -> Option<Question> {
        (self.phase == Phase::Password).then(|| Question {
            text: ScreenText::new(&format!("password of {}: ", self.requested)),
            secret: true,
        })
    }

    /// The name that was given beforehand.
    pub(crate) fn given(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// Asks for the name that was given beforehand.
    pub(crate) fn start(&mut self, session: &mut ClientSession) -> Vec<Effect> {
        match self.username.clone() {
            Some(name) => self.request(session, false, &name),
            None => Vec::new(),
        }
    }

    /// Asks for a name, with its token or the password that was given beforehand. Where the session is `down`, the frame
    /// asks to resume it.
    pub(crate) fn request(
        &mut self,
        session: &mut ClientSession,
        down: bool,
        name: &str,
    ) -> Vec<Effect> {
        self.proof = match (self.tokens.get(name), &self.password) {
            _ if !self.offers => None,
            (Some(token), _) => Some(Proof::Token(token.clone())),
            (None, Some(password)) => Some(Proof::Password(password.clone())),
            (None, None) => None,
        };
        self.request_with_proof(session, down, name)
    }

    fn request_with_proof(
        &mut self,
        session: &mut ClientSession,
        down: bool,
        name: &str,
    ) -> Vec<Effect> {
        let proof = self.proof.as_ref();
        let frame = if down {
            session.resume(proof).map_err(|error| error.to_string())
        } else {
            session.join_with(name, proof).map_err(|error| error.to_string())
        };
        match frame {
            Ok(frame) => {
                name.clone_into(&mut self.requested);
                if !down {
                    self.phase = Phase::Pending;
                }
                vec![Effect::Send(frame)]
            }
            Err(error) => note(format!("The name was not sent: {error}.")),
        }
    }

    /// Asks to resume the session on a new connection.
    pub(crate) fn rejoin(&mut self, session: &mut ClientSession, down: bool) -> Vec<Effect> {
        let name = session.me().unwrap_or_default().to_owned();
        // The proof is the account's. Under another name, taken since, only the session's own token counts.
        let renamed = self.account.as_ref().is_some_and(|account| *account != name);
        let proof = self.proof.take_if(|_| renamed);
        let effects = self.request_with_proof(session, down, &name);
        self.proof = proof.or_else(|| self.proof.take());
        effects
    }

    /// Takes a password that was typed; an empty one cancels.
    pub(crate) fn password_typed(
        &mut self,
        session: &mut ClientSession,
        down: bool,
        text: &str,
    ) -> Vec<Effect> {
        let text = match one_line(text) {
            Ok("") => return self.password_cancelled(down),
            Ok(text) => text,
            // The question stays open.
            Err(error) => return note(format!("The password was not sent: {error}.")),
        };
        self.proof = Some(Proof::Password(Secret::new(text)));
        // No line is taken before the answer, which may ask once more.
        self.phase = Phase::Pending;
        let name = self.requested.clone();
        self.request_with_proof(session, down, &name)
    }

    /// The user does not say the password. A session without a connection can't go on under another name.
    pub(crate) fn password_cancelled(&mut self, down: bool) -> Vec<Effect> {
        self.proof = None;
        if down {
            return vec![Effect::GiveUp(GiveUpReason::PasswordNeeded)];
        }
        self.phase = Phase::Name;
        note("Without the password another name is needed.")
    }

    /// The server accepted the name.
    pub(crate) fn accepted(&mut self) {
        self.refused = false;
        self.phase = Phase::Done;
    }

    /// The server gave this user another name.
    pub(crate) fn renamed(&mut self, name: &str) {
        name.clone_into(&mut self.requested);
    }

    /// The server refused the name: tries another proof, asks for a password or for another name, or gives up.
    pub(crate) fn refused(
        &mut self,
        session: &mut ClientSession,
        down: bool,
        info: Option<Wire>,
        code: Option<Wire>,
        until: Option<Until>,
        effects: &mut Vec<Effect>,
    ) {
        let word = code.as_ref().map(|code| code.as_wire().to_owned()).unwrap_or_default();
        let name = self.requested.clone();
        if word == "wrong-token" {
            // A token is valid once; the password that was given beforehand may still do.
            self.tokens.remove(&name);
            effects.push(Effect::StoreToken { name: name.clone(), token: None });
            self.proof = self.password.clone().map(Proof::Password);
            effects.extend(self.request_with_proof(session, down, &name));
            return;
        }
        let refusal = Effect::Show(Output::Refused {
            name: WireText::new(name.clone()),
            reason: info.clone(),
            code,
            until,
        });
        match word.as_str() {
            "registered" if self.proof.is_none() => {
                if let Some(password) = self.password.clone().filter(|_| !self.password_tried) {
                    self.password_tried = true;
                    self.proof = Some(Proof::Password(password));
                    effects.extend(self.request_with_proof(session, down, &name));
                    return;
                }
                // A person is asked at once: that the name is registered is no refusal, it may be theirs.
                if self.asks_quietly && !down {
                    let name = ScreenText::shortened(&name, 40);
                    effects.extend(note(format!(
                        "{name} is registered. An empty line takes another name."
                    )));
                } else {
                    effects.push(refusal);
                }
                self.ask_for_password(down, GiveUpReason::PasswordNeeded, effects);
            }
            "wrong-password" => {
                self.proof = None;
                effects.push(refusal);
                self.ask_for_password(down, GiveUpReason::WrongPassword, effects);
            }
            // The name's last user, perhaps this very session, may still be leaving: a later try may succeed.
            "" | "taken" | "looks-taken" | "held" | "busy" | "throttled" if down => {
                let reason = info.map_or_else(String::new, |info| format!(": {}", info.screen()));
                let name = ScreenText::new(&name);
                effects.push(Effect::Disconnect(format!("{name} can't come back yet{reason}")));
            }
            // No device goes by itself, and another name would help nobody: when it is tried again is for the user to say.
            "too-many" => {
                effects.push(refusal);
                if down || self.username.is_some() && !self.interactive {
                    effects.push(Effect::GiveUp(GiveUpReason::TooManyDevices));
                    return;
                }
                effects.extend(note(
                    "You are here on five devices already. Leave on one of them, then give the name again.",
                ));
                self.next_name(effects);
            }
            _ if down => {
                effects.push(refusal);
                effects.push(Effect::GiveUp(GiveUpReason::NoName));
            }
            _ => {
                effects.push(refusal);
                self.next_name(effects);
            }
        }
    }

    /// The connection is lost, and the answer to the name with it. A question for the password stays open.
    pub(crate) fn connection_lost(&mut self) {
        if self.phase == Phase::Pending {
            self.phase = Phase::Done;
        }
    }

    /// The server answered with an ERROR. Some servers answer a name with nothing else; a late acceptance still counts.
    pub(crate) fn error_received(&mut self, down: bool, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Pending && !down {
            self.next_name(effects);
        }
    }

    fn ask_for_password(&mut self, down: bool, reason: GiveUpReason, effects: &mut Vec<Effect>) {
        if self.interactive {
            self.refused = true;
            self.phase = Phase::Password;
        } else if self.username.is_some() || self.password.is_some() || down {
            effects.push(Effect::GiveUp(reason));
        } else {
            // Through pipes each line after a refusal is the next name to try.
            if reason == GiveUpReason::PasswordNeeded {
                effects.extend(note("Give the password with --password-file or --password-stdin."));
            }
            self.next_name(effects);
        }
    }

    fn next_name(&mut self, effects: &mut Vec<Effect>) {
        self.phase = Phase::Name;
        self.refused = true;
        self.proof = None;
        if self.username.is_some() && !self.interactive {
            effects.push(Effect::GiveUp(GiveUpReason::NoName));
        }
    }

    /// Says so when the user was logged in and is a guest now: the account was removed, or a server that has forgotten
    /// the session treats a changed name as anybody's.
    pub(crate) fn guest_notice(&mut self, level: Option<u8>) -> Vec<Effect> {
        let Some(account) = self.account.take_if(|_| level == Some(0)) else { return Vec::new() };
        let shown = ScreenText::shortened(&account, 40);
        if account == self.requested {
            self.proof = None;
            return note(format!("You are a guest now: {shown} is nobody's account any more."));
        }
        self.account = Some(account);
        note(format!("You are a guest now. Join as {shown} to be logged in again."))
    }

    /// The server described the user's account; a token in it is for the next login.
    pub(crate) fn account_received(
        &mut self,
        session: &ClientSession,
        account: Option<Account>,
        effects: &mut Vec<Effect>,
    ) {
        if account.is_some() && self.proof.is_some() && self.account.is_none() {
            self.account = Some(self.requested.clone());
        }
        match account {
            Some(Account { token: Some(token), .. }) => {
                self.token_received(session, token, effects);
            }
            Some(_) => {}
            None if matches!(self.proof, Some(Proof::Password(_)))
                && !session.agreed().has(Capability::Accounts) =>
            {
                effects.extend(note("This server has no accounts; nobody looked at the password."));
                self.proof = None;
            }
            None => {}
        }
    }

    /// The server issued a login token.
    pub(crate) fn token_received(
        &mut self,
        session: &ClientSession,
        token: Secret,
        effects: &mut Vec<Effect>,
    ) {
        let Some(me) = session.me() else { return };
        let name = self.account.get_or_insert_with(|| me.to_owned()).clone();
        self.proof = Some(Proof::Token(token.clone()));
        effects.push(Effect::StoreToken { name, token: Some(token) });
    }

    /// The server ended the login: its token is of no more use.
    pub(crate) fn logged_out(&mut self, session: &ClientSession) -> Option<Effect> {
        self.proof = None;
        let name = self.account.take().or_else(|| session.me().map(str::to_owned))?;
        Some(Effect::StoreToken { name, token: None })
    }
}
