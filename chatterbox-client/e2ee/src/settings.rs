//! What the user asks for by name: encryption on or off, safety numbers, devices, recovery codes.

use chatterbox_proto::NameKey as _;

use crate::action::{Action, NotSent, Notice};
use crate::convert::folded;
use crate::machine::{Machine, Wish};
use crate::person::{Mode, Person};
use crate::recovery;
use crate::safety::{self, Side};

/// The devices of the own account, and whose conversations are encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices {
    /// The device that this client is.
    pub this: Option<String>,
    /// The others, signed by the own identity key.
    pub others: Vec<String>,
    /// The identity key.
    pub identity: Option<String>,
    /// With whom what is said is encrypted, and whether the user has verified them.
    pub people: Vec<(String, bool)>,
}

impl Machine {
    /// Turns encryption on or off for what is said to somebody. Turning it on makes the own keys where there are none.
    pub fn turn(&mut self, name: &str, on: bool, now: i64) -> Vec<Action> {
        let mut out = Vec::new();
        let Some(called) = folded(name).map(|name| name.name_key().to_owned()) else { return out };
        if on && self.link.is_none() {
            out.push(Action::Tell(Notice::NotAgreed));
            return out;
        }
        let told = self.account_of(name);
        let account = told.unwrap_or_else(|| self.keyring.pinned(&called));
        let account = account.map_or_else(|| called.clone(), str::to_owned);
        let is_told = told.is_some();
        if on && is_told {
            // With whoever has the name now, also if somebody else had it before.
            self.keyring.pin(&called, &account);
        }
        if !on {
            self.keyring.unpin(&called);
            if let Some(person) = self.keyring.people.get_mut(&called) {
                person.mode = Mode::Off;
            }
        }
        let person = self.keyring.people.entry(account).or_insert_with(|| Person::new(name));
        person.mode = if on { Mode::On } else { Mode::Off };
        self.dirty = true;
        if on {
            self.wants_keys(name, &mut out);
        } else {
            let (left, others): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.outbox).into_iter().partition(|one| one.to == name);
            self.outbox = others.into();
            out.extend(left.into_iter().map(|one| one.not_sent(NotSent::NoKeys)));
        }
        out.push(Action::Tell(Notice::Turned { name: name.to_owned(), on }));
        self.pump(now, &mut out);
        out
    }

    /// Asks for what is published of somebody, and makes own keys where there are none.
    fn wants_keys(&mut self, name: &str, out: &mut Vec<Action>) {
        let Some(link) = &self.link else { return };
        let mut names = vec![name.to_owned()];
        let waits = link.account.is_none();
        if self.keyring.own.is_none() {
            self.wish.get_or_insert(Wish::Begin);
        }
        if waits || self.wish.is_some() {
            names.push(link.me.clone());
        }
        self.ask_names(&names, out);
    }

    /// The folded name of the account of a name, as something was encrypted with it, or else as the server says; that of the name
    /// itself where it is not known.
    pub(crate) fn known_account(&self, name: &str) -> Option<String> {
        let called = folded(name)?;
        let pinned = self.keyring.pinned(called.name_key());
        let known = pinned.or_else(|| self.account_of(name).flatten());
        Some(known.unwrap_or(called.name_key()).to_owned())
    }

    /// Shows the safety number of the user and somebody, once the keys are there; `confirmed`: they have compared the one that was shown
    /// last. Another one is shown first.
    pub fn verify(&mut self, name: &str, confirmed: bool, now: i64) -> Vec<Action> {
        let mut out = Vec::new();
        let tell = |notice| vec![Action::Tell(notice)];
        let Some(own) = &self.keyring.own else {
            return tell(Notice::NoOwnKeys);
        };
        let account = self.known_account(name).unwrap_or_default();
        let sides = |person: &Person| {
            let changed = person.other().is_some();
            Some((person.other().or_else(|| person.party())?, changed))
        };
        let person = self.keyring.people.get_mut(&account);
        let Some((person, (party, changed))) =
            person.and_then(|person| sides(person).map(|sides| (person, sides)))
        else {
            // The next time they are there.
            self.ask_names(&[name.to_owned()], &mut out);
            out.push(Action::Tell(Notice::NoKeys { name: name.to_owned() }));
            return out;
        };
        let own_account = folded(&own.account).map(|name| name.name_key().to_owned());
        let mine = Side {
            account: own_account.as_deref().unwrap_or_default(),
            number: own.number,
            identity: &own.identity,
        };
        let theirs = Side { account: &account, number: party.number, identity: &party.identity };
        let number = safety::number(mine, theirs);
        // The keys may be others by now than those whose number the user has compared.
        let shown = (account.clone(), number.clone());
        if confirmed && self.compared.as_ref() == Some(&shown) {
            if changed {
                person.believe(party.number, &party.identity);
            }
            person.verified = true;
            self.dirty = true;
            out.push(Action::Tell(Notice::Verified { name: name.to_owned() }));
            if changed {
                if let Some(link) = &mut self.link {
                    link.fresh.remove(&account);
                }
                self.ask_names(&[name.to_owned()], &mut out);
            }
            self.pump(now, &mut out);
            return out;
        }
        self.compared = Some(shown);
        let verified = person.verified && !changed;
        tell(Notice::Safety { name: name.to_owned(), number, verified, changed })
    }

    /// The devices of the own account, as far as they are known.
    pub fn devices(&self) -> Devices {
        let own = self.keyring.own.as_ref();
        let account = own.and_then(|own| folded(&own.account));
        let account = account.as_ref().map(|account| account.name_key());
        let this = own.map(|own| own.device.as_str().to_owned());
        let me = account.and_then(|account| self.keyring.people.get(account));
        let others = me.into_iter().flat_map(Person::listed).map(|(name, _)| name.clone());
        let people = self
            .keyring
            .people
            .iter()
            .filter(|(name, person)| person.mode == Mode::On && account != Some(name.as_str()));
        Devices {
            others: others.filter(|name| Some(name) != this.as_ref()).collect(),
            this,
            identity: own.map(|own| own.identity.as_str().to_owned()),
            people: people.map(|(_, person)| (person.account.clone(), person.verified)).collect(),
        }
    }

    /// Shows the recovery code, while it is kept.
    pub fn recovery_code(&self) -> Vec<Action> {
        let own = self.keyring.own.as_ref();
        let notice = match own {
            Some(own) => own.code().map(Notice::Code),
            None => Some(Notice::NoOwnKeys),
        };
        notice.into_iter().map(Action::Tell).collect()
    }

    /// The recovery code is written down, so it is forgotten here. Says whether it was kept.
    pub fn code_is_written(&mut self) -> bool {
        let forgotten = self.keyring.own.as_mut().is_some_and(crate::own::Own::forget_secret);
        self.dirty |= forgotten;
        forgotten
    }

    /// Adds this device to the identity of a recovery code.
    pub fn recover(&mut self, code: &str) -> Vec<Action> {
        match recovery::secret(code) {
            Err(error) => vec![Action::Tell(Notice::BadCode(error))],
            Ok(secret) => self.wish_for(Wish::Add(secret)),
        }
    }

    /// Begins a new identity, if the server has none any more.
    pub fn begin_again(&mut self) -> Vec<Action> {
        self.wish_for(Wish::Anew)
    }

    fn wish_for(&mut self, wish: Wish) -> Vec<Action> {
        let mut out = Vec::new();
        let Some(link) = &self.link else { return vec![Action::Tell(Notice::NotAgreed)] };
        let me = link.me.clone();
        self.wish = Some(wish);
        self.ask_names(&[me], &mut out);
        out
    }
}
