//! The simulated world: accounts with devices, each of which is a machine, and a server between them.

use std::collections::{BTreeMap, VecDeque};

use chatterbox_proto::capability::Request;
use chatterbox_proto::capability::e2ee::{
    Claimed, Device, KeyKind, Keys, KeysAnswer, KeysCode, KeysRequest, PublicKey, SignedKey,
    UserKeys,
};
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{DeviceId, Sealed};
use chatterbox_proto::client_frame::Known;
use chatterbox_proto::{Capability, ClientFrame, WireText};
use vodozemac::Ed25519SecretKey;

use crate::{Action, Incoming, Machine, NotSent, Notice, Opened, Opening, Unreadable};

/// What is published of one account.
#[derive(Default, Clone)]
pub(super) struct Account {
    pub(super) number: u64,
    pub(super) identity: Option<PublicKey>,
    pub(super) devices: Vec<Device>,
}

/// Keys for new sessions with one device.
#[derive(Default, Clone)]
pub(super) struct Stock {
    pub(super) one_time: VecDeque<SignedKey>,
    pub(super) fallback: Option<SignedKey>,
}

/// A message as the server has it: the text is not there.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) id: Id,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) sealed: Sealed,
}

/// The server, with its ways to lie.
#[derive(Default)]
pub(super) struct Server {
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) stock: BTreeMap<String, Stock>,
    pub(super) messages: Vec<Stored>,
    pub(super) last: Id,
    /// Changes what KEYS_GET says.
    pub(super) lie: Option<fn(&str, &mut UserKeys)>,
    /// Changes a claimed key.
    pub(super) lie_about_keys: Option<fn(&mut SignedKey)>,
    /// Answers nothing.
    pub(super) silent: bool,
    /// Refuses to say what is published under two names at once.
    pub(super) refusing: bool,
    /// Names that users have who are called otherwise.
    pub(super) nicks: BTreeMap<String, String>,
    /// Up to which message users have said to have read.
    pub(super) done: BTreeMap<String, Id>,
    /// How often a message was refused because of its devices.
    pub(super) refused: usize,
    /// The ids of keys that were claimed, to see that none is given out twice.
    pub(super) claimed: Vec<(String, String)>,
}

/// One device of somebody.
pub(super) struct Client {
    pub(super) user: String,
    pub(super) machine: Machine,
    pub(super) online: bool,
    /// The messages that it has shown: id, sender, and the text or why there is none.
    pub(super) shown: Vec<(Id, String, Result<String, Unreadable>)>,
    pub(super) told: Vec<Notice>,
    pub(super) not_sent: Vec<(String, NotSent)>,
    /// The last message that the server has delivered to it.
    pub(super) delivered: Id,
    later: BTreeMap<u64, (Id, String)>,
}

pub(super) struct World {
    pub(super) server: Server,
    pub(super) clients: Vec<Client>,
    pub(super) now: i64,
}

pub(super) const START: i64 = 1_700_000_000;

/// An identity key that is nobody's.
pub(super) fn other_key() -> PublicKey {
    let secret = Ed25519SecretKey::from_slice(&[9; 32]);
    PublicKey::parse(&secret.public_key().to_base64()).unwrap()
}

impl World {
    /// Accounts with numbers from 40 on, without keys.
    pub(super) fn of(users: &[&str]) -> Self {
        let mut server = Server { last: 100, ..Server::default() };
        for (place, user) in users.iter().enumerate() {
            let account = Account { number: 40 + place as u64, ..Account::default() };
            server.accounts.insert((*user).to_owned(), account);
        }
        Self { server, clients: Vec::new(), now: START }
    }

    /// Two users with two devices each, who have never talked.
    pub(super) fn pair() -> (Self, [usize; 4]) {
        let mut world = Self::of(&["ann", "bob"]);
        let places = ["ann", "bob"].map(|user| {
            let first = world.join(user);
            world.turn(first, "nobody-yet");
            let second = world.join(user);
            let code = world.code(first);
            world.run(second, |machine, _| machine.recover(&code));
            // The first one looks at its account again, and knows of the second.
            world.disconnect(first);
            world.connect(first);
            (first, second)
        });
        let [(a1, a2), (b1, b2)] = places;
        (world, [a1, a2, b1, b2])
    }

    /// A client without keys comes.
    pub(super) fn join(&mut self, user: &str) -> usize {
        self.clients.push(Client {
            user: user.to_owned(),
            machine: Machine::new(),
            online: false,
            shown: Vec::new(),
            told: Vec::new(),
            not_sent: Vec::new(),
            delivered: self.server.last,
            later: BTreeMap::new(),
        });
        let place = self.clients.len() - 1;
        self.connect(place);
        place
    }

    pub(super) fn connect(&mut self, place: usize) {
        self.clients[place].online = true;
        let me = self.clients[place].user.clone();
        self.run(place, |machine, now| machine.joined(&me, now));
        self.deliver();
    }

    pub(super) fn disconnect(&mut self, place: usize) {
        self.clients[place].online = false;
        self.clients[place].machine.lost();
    }

    /// Makes the keys of a device, by turning encryption on for somebody.
    pub(super) fn turn(&mut self, place: usize, with: &str) {
        self.run(place, |machine, now| machine.turn(with, true, now));
    }

    pub(super) fn code(&self, place: usize) -> String {
        let code = self.clients[place].told.iter().rev().find_map(|notice| match notice {
            Notice::Code(code) => Some(code.to_string()),
            _ => None,
        });
        code.expect("a recovery code was shown")
    }

    pub(super) fn say(&mut self, place: usize, to: &str, text: &str) {
        self.run(place, |machine, now| machine.say(to, text, None, now));
        self.deliver();
    }

    /// A user compares the safety number that their client shows, and says that it is the same.
    pub(super) fn verify(&mut self, place: usize, with: &str) {
        self.run(place, |machine, now| machine.verify(with, false, now));
        self.run(place, |machine, now| machine.verify(with, true, now));
    }

    /// Does something with a machine, carries out what follows, and checks what must always hold.
    pub(super) fn run(&mut self, place: usize, act: impl FnOnce(&mut Machine, i64) -> Vec<Action>) {
        let actions = act(&mut self.clients[place].machine, self.now);
        self.perform(place, actions);
    }

    fn perform(&mut self, place: usize, actions: Vec<Action>) {
        let now = self.now;
        let mut actions: VecDeque<Action> = actions.into();
        while let Some(action) = actions.pop_front() {
            self.clients[place].keep();
            match action {
                Action::Ask(frame) => {
                    if let Some(answer) = self.asked(place, &frame) {
                        let client = &mut self.clients[place];
                        actions.extend(client.machine.answered(&answer, now));
                    }
                }
                Action::Say { ticket, to, sealed, text, .. } => {
                    let tag = format!("t{ticket}");
                    self.clients[place].machine.sent(ticket, Some(tag.clone()));
                    let user = self.clients[place].user.clone();
                    match self.server.post(&user, &to, sealed) {
                        Ok(id) => {
                            let client = &mut self.clients[place];
                            client.machine.stored(&tag, id);
                            client.shown.push((id, user, Ok(text)));
                        }
                        Err(code) => {
                            let client = &mut self.clients[place];
                            let follows = client.machine.rejected(&tag, code, now);
                            actions.extend(follows.unwrap_or_default());
                        }
                    }
                }
                Action::NotSent { text, why, .. } => {
                    self.clients[place].not_sent.push((text, why));
                }
                Action::Opened { ticket, opening } => {
                    let client = &mut self.clients[place];
                    let (id, from) = client.later.remove(&ticket).expect("a ticket is used once");
                    client.show(id, from, opening);
                }
                Action::Tell(notice) => self.clients[place].told.push(notice),
            }
        }
        self.clients[place].keep();
        if let Some(done) = self.clients[place].machine.done() {
            self.asked(place, &done);
        }
    }

    /// Brings to everybody who is here what they have not got.
    pub(super) fn deliver(&mut self) {
        for place in 0..self.clients.len() {
            let client = &self.clients[place];
            if !client.online {
                continue;
            }
            let (user, delivered) = (client.user.clone(), client.delivered);
            let messages = self.server.messages.clone();
            for message in messages.into_iter().filter(|message| message.id > delivered) {
                let is_for = self.server.owner(&message.to) == user || message.from == user;
                let by = client_device(&self.clients[place]);
                if is_for && by.as_ref() != Some(&message.sealed.from) {
                    self.bring(place, &message);
                }
                self.clients[place].delivered = message.id;
            }
        }
    }

    /// Brings one message to one client, as a server would, or as it would not.
    pub(super) fn bring(&mut self, place: usize, message: &Stored) {
        let own = client_device(&self.clients[place]);
        let entry = own.and_then(|own| message.sealed.to.iter().find(|one| one.device == own));
        let sealed = entry
            .map(|entry| Sealed { from: message.sealed.from.clone(), to: vec![entry.clone()] });
        let (id, from) = (message.id, message.from.clone());
        let now = self.now;
        let incoming =
            Incoming { source: &message.from, recipient: &message.to, id, sealed: sealed.as_ref() };
        let (opened, actions) = self.clients[place].machine.open(incoming, now);
        let client = &mut self.clients[place];
        match opened {
            Opened::Now(opening) => client.show(id, from, opening),
            Opened::Later(ticket) => {
                client.later.insert(ticket, (id, from));
            }
        }
        self.perform(place, actions);
    }

    fn asked(&mut self, place: usize, frame: &[u8]) -> Option<KeysAnswer> {
        let known = Known::Agreed([Capability::E2ee].into_iter().collect());
        let frame = ClientFrame::parse_as(&frame[4..], known).unwrap();
        let requests: Vec<_> = frame.keys.unwrap().requests.into_iter().collect();
        let [Ok(Request::Keys(request))] = &requests[..] else { panic!("{requests:?}") };
        let user = self.clients[place].user.clone();
        self.server.answer(&user, request)
    }
}

impl Client {
    fn show(&mut self, id: Id, from: String, opening: Opening) {
        let shown = match opening {
            Opening::Text { text, .. } => Ok(text),
            Opening::Unreadable(why) => Err(why),
        };
        self.shown.push((id, from, shown));
    }

    /// Stores, and goes on with what was stored, as a client that is started again does: nothing may be lost by it.
    fn keep(&mut self) {
        if self.machine.take_dirty() {
            let state = self.machine.state().unwrap();
            // What can be written can be read.
            Machine::load(&state, []).unwrap();
        }
        self.machine.take_texts();
    }

    /// Starts the client again with what it has stored.
    pub(super) fn restart(&mut self) {
        self.machine = self.stored_copy();
        self.online = false;
    }

    pub(super) fn stored_copy(&self) -> Machine {
        let state = self.machine.state().unwrap();
        Machine::load(&state, self.machine.texts().cloned()).unwrap()
    }

    /// The texts that were shown, and the reasons.
    pub(super) fn texts(&self) -> Vec<Result<&str, Unreadable>> {
        self.shown.iter().map(|(_, _, shown)| shown.as_deref().map_err(|why| *why)).collect()
    }
}

fn client_device(client: &Client) -> Option<DeviceId> {
    client.machine.device().cloned()
}

impl Server {
    fn answer(&mut self, user: &str, request: &KeysRequest) -> Option<KeysAnswer> {
        if self.silent {
            return None;
        }
        let (id, keys) = match request {
            KeysRequest::Put(put) => {
                let account = self.accounts.get_mut(user).unwrap();
                assert!(account.identity.as_ref().is_none_or(|identity| *identity == put.identity));
                account.identity = Some(put.identity.clone());
                if !account.devices.contains(&put.device) {
                    account.devices.push(put.device.clone());
                }
                let stock = self.stock.entry(put.device.device.as_str().to_owned()).or_default();
                stock.one_time.extend(put.one_time.iter().cloned());
                stock.fallback = put.fallback.clone().or(stock.fallback.take());
                let (device, count) = (put.device.device.clone(), stock.one_time.len());
                (&put.id, Keys::Put { number: account.number, device, count })
            }
            KeysRequest::Get(get) if self.refusing && get.names.len() > 1 => {
                return Some(KeysAnswer::refused(&get.id, KeysCode::NotStored, None));
            }
            KeysRequest::Get(get) => {
                let users = get.names.iter().map(|name| {
                    let owner = self.owner(name.as_wire());
                    let keys = self.accounts.get(owner).map(|account| {
                        let mut keys = UserKeys {
                            account: WireText::new(owner.to_owned()),
                            number: account.number,
                            identity: account.identity.clone(),
                            devices: account.devices.clone(),
                        };
                        if let Some(lie) = self.lie {
                            lie(name.as_wire(), &mut keys);
                        }
                        keys
                    });
                    (name.clone(), keys)
                });
                (&get.id, Keys::Users(users.collect()))
            }
            KeysRequest::Claim(claim) => {
                let mut claimed = Vec::new();
                for (name, device) in &claim.devices {
                    let stock = self.stock.get_mut(device.as_str());
                    let key = stock.and_then(|stock| match stock.one_time.pop_front() {
                        Some(key) => {
                            let name = key.name.as_str().to_owned();
                            self.claimed.push((device.as_str().to_owned(), name));
                            Some((KeyKind::OneTime, key))
                        }
                        None => stock.fallback.clone().map(|key| (KeyKind::Fallback, key)),
                    });
                    let mut claimed_one =
                        Claimed { name: name.clone(), device: device.clone(), key };
                    if let (Some(lie), Some((_, key))) = (self.lie_about_keys, &mut claimed_one.key)
                    {
                        lie(key);
                    }
                    claimed.push(claimed_one);
                }
                (&claim.id, Keys::OneTime(claimed))
            }
            KeysRequest::Done(done) => {
                self.done.insert(user.to_owned(), done.up_to);
                return None;
            }
        };
        Some(KeysAnswer { id: WireText::new(id.clone()), keys })
    }

    /// The user who has a name.
    fn owner<'n>(&'n self, name: &'n str) -> &'n str {
        self.nicks.get(name).map_or(name, String::as_str)
    }

    /// Takes a message that is for just the devices that there are (EE-3).
    fn post(&mut self, from: &str, to: &str, sealed: Sealed) -> Result<Id, &'static str> {
        let devices = |user: &str| {
            let account = self.accounts.get(self.owner(user)).cloned().unwrap_or_default();
            account.devices.into_iter().map(|device| device.device)
        };
        let mut wanted: Vec<_> =
            devices(from).chain(devices(to)).filter(|device| *device != sealed.from).collect();
        let mut has: Vec<_> = sealed.to.iter().map(|entry| entry.device.clone()).collect();
        wanted.sort();
        has.sort();
        if wanted != has {
            self.refused += 1;
            return Err("devices-changed");
        }
        self.last += 1;
        let (from, to) = (from.to_owned(), to.to_owned());
        self.messages.push(Stored { id: self.last, from, to, sealed });
        Ok(self.last)
    }

    /// `e2ee-reset`: identity and devices are gone.
    pub(super) fn reset(&mut self, user: &str) {
        let account = self.accounts.get_mut(user).unwrap();
        (account.identity, account.devices) = (None, Vec::new());
    }
}
