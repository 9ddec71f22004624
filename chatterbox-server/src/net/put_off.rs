//! Messages that are put off until somebody has looked better: whether their recipient, who is not here, has an account
//! (AN-7), and what other nodes have decided that this one has not read yet.
//!
//! A message that can be taken never comes here: only when nobody has its DEST it is asked for, on the thread of the
//! accounts. What its sender says after it waits as well, so that the order stays.

use std::collections::HashMap;
use std::sync::Arc;

use chatterbox_proto::session::{Destination, Posting};
use chatterbox_proto::{Code, LookupKey, NameKey as _, Username};

use crate::access::Authenticator;
use crate::chat::handle::Handle;
use crate::chat::waiting_mail::Mailbox;

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

    pub(super) fn is_empty(&self) -> bool {
        self.postings.is_empty()
    }

    pub(super) fn add(&mut self, posting: Posting<'_>) {
        let Posting { index, source, destination, entry, tag } = posting;
        let tag = tag.map(|tag| tag.into_owned().into());
        let entry = entry.into_owned();
        self.postings.push(Posting { index, source, destination, entry, tag });
    }

    /// Takes them out, with what is known of their recipients then.
    pub(super) async fn settle(&mut self, member: &Handle) -> (Vec<Posting<'static>>, Found) {
        let postings = std::mem::take(&mut self.postings);
        let mut found = Found::new();
        member.chat().catch_up().await;
        let Some(who) = member.identity() else { return (postings, found) };
        if who.login.is_none() {
            // Only who has an account may leave messages.
            return (postings, found);
        }
        for posting in &postings {
            let Destination::User(name) = &posting.destination else { continue };
            if found.contains_key(name) || member.chat().who(name).is_some() {
                continue;
            }
            let asked = Username::stored(name.name_key());
            let mailbox = self.accounts.mailbox(member.id(), &who, asked).await;
            let mailbox = mailbox.and_then(|mailbox| mailbox.ok_or(Code::NoSuchUser));
            found.insert(name.clone(), mailbox);
        }
        (postings, found)
    }
}
