//! From a member's frames to the sequencer: messages are addressed, encoded and posted, faults and questions are answered.

use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Event, Record};
use chatterbox_proto::capability::ids;
use chatterbox_proto::session::{Destination, JoinedAction, Posting};
use chatterbox_proto::{Code, Fault, Faults, server_frame};

use crate::chat::posts::Acks;
use crate::chat::shared::{Handle, resolve};
use crate::net::requests::Requests;

/// Messages are handed on in posts of no more than this.
const POST_RECORDS: usize = 32;
const POST_BYTES: usize = 1024 * 1024;

/// Who posts is not read from before its post has come round to itself, but never for longer than this: a client may
/// send much before it reads.
///
/// So everybody, however much they send, has about one post on its way, and a flood takes no more than a sender's share
/// of what the receivers can take.
const ROUND: Duration = Duration::from_millis(12);

/// What a member's frames have led to and is not handed on yet: messages to post, then faults to answer, then what was
/// requests for.
pub(super) struct Inbound {
    member: Handle,
    records: Vec<Record>,
    bytes: usize,
    pub(super) faults: Faults,
    /// What goes beyond the base protocol, for those who agreed to something.
    requests: Option<Box<Requests>>,
}

impl Inbound {
    pub(super) fn new(member: Handle, requests: Option<Box<Requests>>) -> Self {
        Self { member, records: Vec::new(), bytes: 0, faults: Faults::new(), requests }
    }

    /// Whose it is.
    pub(super) fn member(&self) -> &Handle {
        &self.member
    }

    /// Takes what one frame led to.
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
            // What has arrived before is answered, whatever has become of its recipient since.
            if let Some(tag) = &posting.tag
                && requests.has_sent(self.member.chat(), tag)
            {
                return;
            }
        }
        let wanted = posting.entry.destination.clone();
        let size = posting.entry.content.len();
        match resolve(&self.member, posting.destination, size) {
            Ok(destination) => {
                if let Destination::User(name) = &destination {
                    // In the spelling that the recipient's client knows as its own.
                    posting.entry.destination = name.as_str().to_owned().into();
                }
                let json = Bytes::from(posting.entry.to_json());
                self.bytes += json.len();
                self.records.push(Record {
                    destination,
                    json,
                    arrived: crate::ops::clock::unix_now(),
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

    /// Whether there is nothing to hand on.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.faults.is_empty()
            && self.requests.as_ref().is_none_or(|requests| requests.is_empty())
    }

    /// Whether what is waiting should not wait for more frames: an answer belongs to one frame, and posts are bounded.
    pub(super) fn is_due(&self) -> bool {
        !self.faults.is_empty()
            || self.records.len() >= POST_RECORDS
            || self.bytes >= POST_BYTES
            || self.requests.as_ref().is_some_and(|requests| requests.is_due())
    }

    /// Posts the messages, then answers the faults, then what was requests for.
    pub(super) async fn deliver(&mut self) {
        self.bytes = 0;
        let known = self.requests.as_mut().map(|requests| std::mem::take(&mut requests.known));
        self.acknowledge(known.unwrap_or_default()).await;
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
            let tags = self.requests.as_mut().and_then(|requests| requests.tags_of(post.len()));
            let again = tags.as_ref().map(|tags| tags.each.clone());
            match self.member.chat().post(post, tags).await {
                Ok(acks) => {
                    self.acknowledge(acks).await;
                    drop(tokio::time::timeout(ROUND, self.member.up_to_date()).await);
                }
                Err(code) => self.not_stored(code, again.unwrap_or_default()),
            }
        }
        if !self.faults.is_empty() {
            let faults = std::mem::take(&mut self.faults);
            let event = if faults.refused().is_empty() {
                Event::error(&faults.text())
            } else {
                Event::own(server_frame::error_object(&faults))
            };
            // Who does not read the answers to its mistakes is not listened to, either.
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
