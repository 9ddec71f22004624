//! The input of a member: its messages are resolved, encoded and posted, its faults and requests answered.

use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Event, Record};
use chatterbox_proto::capability::ids;
use chatterbox_proto::session::{Destination, JoinedAction, Posting};
use chatterbox_proto::{Code, Fault, Faults, server_frame};

use crate::chat::handle::{Handle, resolve};
use crate::chat::posts::Acks;
use crate::net::requests::Requests;

/// A post takes further messages up to these bounds.
const POST_RECORDS: usize = 32;
const POST_BYTES: usize = 1024 * 1024;

/// Flow control: after a post, the next read waits until the post was delivered to the sender itself, but no longer than
/// this, since a client may send much before it reads.
///
/// Every sender therefore has about one post in flight, and a flood gets no more than one sender's share of what the
/// receivers can take.
const ROUND: Duration = Duration::from_millis(12);

/// The actions of a member's frames that are not carried out yet: posts, then faults, then requests.
pub(super) struct Inbound {
    member: Handle,
    records: Vec<Record>,
    bytes: usize,
    pub(super) faults: Faults,
    /// Only for members with capabilities or legacy commands.
    requests: Option<Box<Requests>>,
}

impl Inbound {
    pub(super) fn new(member: Handle, requests: Option<Box<Requests>>) -> Self {
        Self { member, records: Vec::new(), bytes: 0, faults: Faults::new(), requests }
    }

    pub(super) fn member(&self) -> &Handle {
        &self.member
    }

    /// Takes the actions of one frame.
    pub(super) fn take(&mut self, actions: Vec<JoinedAction<'_>>) {
        for action in actions {
            match action {
                JoinedAction::Post(postings) => {
                    for posting in postings {
                        self.post(posting);
                    }
                }
                JoinedAction::Error(faults) => self.faults.merge(faults),
                JoinedAction::Request(request) => {
                    if let Some(requests) = &mut self.requests {
                        requests.take(request);
                    }
                }
            }
        }
    }

    fn post(&mut self, mut posting: Posting<'_>) {
        if let Some(requests) = &mut self.requests {
            if requests.is_command(&self.member, &posting) {
                return;
            }
            // A duplicate is acknowledged even when its recipient has left meanwhile.
            if let Some(tag) = &posting.tag
                && requests.is_duplicate(self.member.chat(), tag)
            {
                return;
            }
        }
        let wanted = posting.entry.destination.clone();
        let size = posting.entry.content.len();
        match resolve(&self.member, posting.destination, size) {
            Ok((destination, filing)) => {
                if let Destination::User(name) = &destination {
                    // The recipient's client knows its name in this spelling.
                    posting.entry.destination = name.as_str().to_owned().into();
                }
                let json = Bytes::from(posting.entry.to_json());
                self.bytes += json.len();
                self.records.push(Record {
                    source: posting.source,
                    destination,
                    json,
                    arrived: crate::ops::clock::unix_now(),
                    filing,
                });
                if let Some(requests) = &mut self.requests {
                    requests.tags.push_back(posting.tag.as_deref().map(Into::into));
                }
            }
            Err(code) => {
                let index = posting.index;
                let mut fault = Faults::new();
                fault.note(|| Fault::message(index, code).about(&wanted));
                if let Some(tag) = posting.tag {
                    fault.refuse(tag, code);
                }
                self.faults.merge(fault);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.faults.is_empty()
            && self.requests.as_ref().is_none_or(|requests| requests.is_empty())
    }

    /// Whether to deliver before the next frame is parsed: an ERROR belongs to one frame, and posts are bounded.
    pub(super) fn is_due(&self) -> bool {
        !self.faults.is_empty()
            || self.records.len() >= POST_RECORDS
            || self.bytes >= POST_BYTES
            || self.requests.as_ref().is_some_and(|requests| requests.is_due())
    }

    /// Posts the messages, then answers the faults, then the requests.
    pub(super) async fn deliver(&mut self) {
        self.bytes = 0;
        let duplicates =
            self.requests.as_mut().map(|requests| std::mem::take(&mut requests.duplicates));
        self.acknowledge(duplicates.unwrap_or_default()).await;
        let mut records = std::mem::take(&mut self.records).into_iter().peekable();
        while records.peek().is_some() {
            let mut bytes = 0;
            let mut post = Vec::new();
            while let Some(record) =
                records.next_if(|_| post.len() < POST_RECORDS && bytes < POST_BYTES)
            {
                bytes += record.json.len();
                post.push(record);
            }
            let tags = self.requests.as_mut().and_then(|requests| requests.take_tags(post.len()));
            let refused = tags.as_ref().map(|tags| tags.each.clone());
            match self.member.chat().post(self.member.id(), post, tags).await {
                Ok(acks) => {
                    self.acknowledge(acks).await;
                    drop(tokio::time::timeout(ROUND, self.member.up_to_date()).await);
                }
                Err(code) => self.not_stored(code, refused.unwrap_or_default()),
            }
        }
        if !self.faults.is_empty() {
            let faults = std::mem::take(&mut self.faults);
            let event = if faults.refused().is_empty() {
                Event::error(&faults.text())
            } else {
                Event::own(server_frame::error_object(&faults))
            };
            // Back-pressure: while the client does not read its ERRORs, its frames are not read.
            self.member.tell_when_read(event).await;
        }
        if let Some(requests) = &mut self.requests {
            requests.answer(&self.member).await;
        }
    }

    async fn acknowledge(&self, acks: Acks) {
        if !acks.is_empty() {
            let acks = ids::acks(acks.iter().map(|(tag, id)| (&**tag, *id)));
            self.member.tell_when_read(Event::own(acks)).await;
        }
    }

    fn not_stored(&mut self, code: Code, tags: Vec<Option<std::sync::Arc<str>>>) {
        self.faults.note(|| code.into());
        for tag in tags.into_iter().flatten() {
            self.faults.refuse(&*tag, code);
        }
    }
}
