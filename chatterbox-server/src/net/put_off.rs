//! Messages that are put off until somebody has looked better: whether their recipient, who is not here, has an account
//! (AN-7), what other nodes have decided that this one has not read yet, and what goes with them (MT-3, MT-4).
//!
//! A message that can be taken as it is never comes here: only when nobody has its DEST it is asked for, on the thread of the
//! accounts. What its sender says after it waits as well, so that the order stays.

use std::collections::HashMap;
use std::sync::Arc;

use chatterbox_hub::RecordMeta;
use chatterbox_proto::session::{Destination, Posting};
use chatterbox_proto::{Code, LookupKey, NameKey as _, Username};

use crate::access::Authenticator;
use crate::chat::handle::Handle;
use crate::chat::meta;
use crate::chat::paging::Pages;
use crate::chat::waiting_mail::Mailbox;

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

    pub(super) fn is_empty(&self) -> bool {
        self.postings.is_empty()
    }

    pub(super) fn add(&mut self, posting: Posting<'_>) {
        let Posting { index, source, destination, entry, tag, meta } = posting;
        let tag = tag.map(|tag| tag.into_owned().into());
        let entry = entry.into_owned();
        self.postings.push(Posting { index, source, destination, entry, tag, meta });
    }

    /// Takes them out, with what goes with each of them, and with what is known of their recipients then.
    pub(super) async fn settle(&mut self, member: &Handle, pages: &Pages) -> (Vec<Settled>, Found) {
        let postings = std::mem::take(&mut self.postings);
        member.chat().catch_up().await;
        let found = self.find(&postings, member).await;
        let mut settled = Vec::with_capacity(postings.len());
        for posting in postings {
            let meta = match &posting.meta {
                Some(new) => meta::judge(new, &posting.destination, member, pages).await,
                None => Ok(None),
            };
            settled.push((posting, meta));
        }
        (settled, found)
    }

    /// Looks for recipients who are not here among the accounts.
    async fn find(&self, postings: &[Posting<'static>], member: &Handle) -> Found {
        let mut found = Found::new();
        // Only who has an account may leave messages.
        let Some(who) = member.identity().filter(|who| who.login.is_some()) else { return found };
        for posting in postings {
            let Destination::User(name) = &posting.destination else { continue };
            if found.contains_key(name) || member.chat().who(name).is_some() {
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
