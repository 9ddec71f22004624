//! Messages that are put off until somebody has looked better: whether their recipient, who is not here, has an account
//! (AN-7), what other nodes have decided that this one has not read yet, and what goes with them (MT-3, MT-4).
//!
//! A message that can be taken as it is never comes here: only when nobody has its DEST it is asked for, on the thread of the
//! accounts. What its sender says after it waits as well, so that the order stays.
//!
//! A recipient may leave while others are asked for. Such a message is put off once more, with those behind it, and then all
//! recipients are asked for, whether they are here or not.

use std::collections::HashMap;
use std::sync::Arc;

use chatterbox_hub::{Filing, Mention, RecordMeta, To};
use chatterbox_proto::capability::meta::Sealed;
use chatterbox_proto::session::{Destination, Posting};
use chatterbox_proto::{Code, LookupKey, NameKey as _, Username};

use crate::access::Authenticator;
use crate::chat::flood_gate::FloodGate;
use crate::chat::handle::{Handle, resolve};
use crate::chat::meta;
use crate::chat::paging::Pages;
use crate::chat::reserved::Reserved;
use crate::chat::waiting_mail::{Mailbox, resolve_waiting};
use crate::keys::KeyDesk;

/// A message, and what goes with it: that is judged, and may be a reason to refuse it.
pub(super) type Settled = (Posting<'static>, Result<Option<Arc<RecordMeta>>, Code>);

/// What was found for each name that was asked for.
pub(super) type Found = HashMap<LookupKey, Result<Mailbox, Code>>;

/// The messages of one sender that are put off: of a part of a frame at most, which is delivered before the next one is read.
pub(super) struct PutOff {
    accounts: Arc<dyn Authenticator>,
    postings: Vec<Posting<'static>>,
    /// Whether the frame that they are of ends when they are settled.
    pub(super) ends_frame: bool,
}

impl PutOff {
    pub(super) fn new(accounts: Arc<dyn Authenticator>) -> Self {
        Self { accounts, postings: Vec::new(), ends_frame: false }
    }

    /// The directory of keys, if there is one.
    pub(super) fn keys(&self) -> Option<&KeyDesk> {
        self.accounts.keys()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.postings.is_empty()
    }

    pub(super) fn add(&mut self, posting: Posting<'_>) {
        let Posting { index, source, destination, entry, tag, meta } = posting;
        let tag = tag.map(|tag| tag.into_owned().into());
        let entry = entry.into_owned();
        self.postings.push(Posting { index, source, destination, entry, tag, meta });
    }

    /// Takes them out, with what goes with each of them, and with what is known of their recipients then: of those who are not here,
    /// or of all.
    pub(super) async fn settle(
        &mut self,
        member: &Handle,
        pages: &Pages,
        mut gate: Option<&mut FloodGate>,
        asks_all: bool,
    ) -> (Vec<Settled>, Found) {
        let postings = std::mem::take(&mut self.postings);
        member.chat().catch_up().await;
        let found = self.find(&postings, member, asks_all).await;
        let mut settled = Vec::with_capacity(postings.len());
        for posting in postings {
            let gate = gate.as_deref_mut();
            let meta = self.judge(&posting, &found, member, pages, gate).await;
            settled.push((posting, meta));
        }
        (settled, found)
    }

    /// Judges what goes with a message. For one that flood control refuses anyway nothing is looked up; and what was looked up for one
    /// that is refused then has its price.
    async fn judge(
        &self,
        posting: &Posting<'static>,
        found: &Found,
        member: &Handle,
        pages: &Pages,
        gate: Option<&mut FloodGate>,
    ) -> Result<Option<Arc<RecordMeta>>, Code> {
        let Some(new) = &posting.meta else { return Ok(None) };
        let to = &posting.destination;
        if let Some(code) = gate.as_ref().and_then(|gate| gate.refusal(member, to)) {
            return Err(code);
        }
        let judged = match self.sealed(posting, found, member).await {
            Ok(sealed) => meta::judge(new, sealed, to, member, pages).await,
            Err(code) => Err(code),
        };
        let mut judged = match judged {
            Ok(judged) => judged,
            Err(code) => {
                gate.into_iter().for_each(|gate| gate.spend(to, posting.size()));
                return Err(code);
            }
        };
        let mut mentions = Vec::new();
        for mention in std::mem::take(&mut judged.mentions) {
            match mention {
                Mention::Reader(name) => mentions.push(name),
                Mention::Account(name) => mentions.extend(self.account(member, name).await),
            }
        }
        Ok(judged.with(&mentions))
    }

    /// The encrypted text of a message, if it is one as it should be (EE-3).
    async fn sealed(
        &self,
        posting: &Posting<'static>,
        found: &Found,
        member: &Handle,
    ) -> Result<Option<Sealed>, Code> {
        if posting.meta.as_ref().is_none_or(|new| new.e2ee.is_none()) {
            return Ok(None);
        }
        let Some(keys) = self.keys() else { return Err(Code::PartRefused) };
        let waiting = match &posting.destination {
            Destination::User(name) => match found.get(name) {
                // They have left since they were looked for.
                None if member.chat().who(name).is_none() => return Err(Code::NoSuchUser),
                waiting => waiting,
            },
            Destination::All | Destination::Room(_) => None,
        };
        // A recipient who can't be written to is the reason to refuse the message, with the code for that.
        let waiting = waiting.map(|mailbox| match mailbox {
            Ok(mailbox) => Ok(&mailbox.account),
            Err(code) => Err(*code),
        });
        keys.judge(member, posting, waiting).await
    }

    /// The account of a name that is mentioned. Only who has an account may look for it, and as often as for one to write to: the sender
    /// sees in the echo which names were kept, so a guest could list the accounts by it.
    async fn account(&self, member: &Handle, name: Username) -> Option<String> {
        let who = member.identity().filter(|who| who.login.is_some())?;
        let found = self.accounts.mailbox(member.id(), &who, name).await;
        found.ok().flatten().map(|mailbox| mailbox.account.account.as_str().to_owned())
    }

    /// Looks for recipients among the accounts: for those who are not here, or for all.
    async fn find(&self, postings: &[Posting<'static>], member: &Handle, asks_all: bool) -> Found {
        let mut found = Found::new();
        // Only who has an account may leave messages.
        let Some(who) = member.identity().filter(|who| who.login.is_some()) else { return found };
        for posting in postings {
            let Destination::User(name) = &posting.destination else { continue };
            let is_asked = asks_all || !member.chat().is_reachable(name);
            if !is_asked || found.contains_key(name) {
                continue;
            }
            let asked = Username::stored(name.name_key());
            let mailbox = self.accounts.mailbox(member.id(), &who, asked).await;
            let mailbox = mailbox.and_then(|mailbox| mailbox.ok_or(Code::NoSuchUser));
            found.insert(name.clone(), mailbox);
        }
        found
    }
}

/// Whether the recipient of a private message was looked for among the accounts.
pub(super) fn was_asked(found: &Found, posting: &Posting<'_>) -> bool {
    match &posting.destination {
        Destination::User(name) => found.contains_key(name),
        Destination::All | Destination::Room(_) => true,
    }
}

/// Resolves a destination, also where it is found that nobody here has the name, but an account (AN-7).
pub(super) fn resolve_or_leave(
    member: &Handle,
    posting: &Posting<'_>,
    reserved: &mut Reserved,
    found: Option<&Found>,
) -> Result<(To, Filing), Code> {
    let (destination, size) = (&posting.destination, posting.size());
    let resolved = resolve(member, destination, &posting.entry.content, size, reserved);
    if let (Err(Code::NoSuchUser), Destination::User(name)) = (&resolved, destination)
        && let Some(mailbox) = found.and_then(|found| found.get(name))
    {
        let mailbox = mailbox.as_ref().map_err(|code| *code)?;
        return resolve_waiting(member, mailbox, size, reserved);
    }
    resolved
}
