//! From a member's frames to the sequencer: messages are addressed, encoded and posted, faults are answered.

use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::session::{Action, Destination, Posting};
use chatterbox_proto::{Fault, Faults};

use crate::backlog::Record;
use crate::chat::{Handle, resolve};

/// Messages are handed on in posts of no more than this.
const POST_RECORDS: usize = 128;
const POST_BYTES: usize = 1024 * 1024;

/// Who posts is not read from before its post has come round to itself, but never for longer than this: a client may
/// send much before it reads.
///
/// So everybody, however much they send, has about one post on its way, and a flood takes no more than a sender's share
/// of what the receivers can take.
const ROUND: Duration = Duration::from_millis(50);

/// What a member's frames have led to and is not handed on yet: messages to post, then faults to answer.
pub(super) struct Inbox {
    member: Handle,
    records: Vec<Record>,
    bytes: usize,
    pub(super) faults: Faults,
}

impl Inbox {
    pub(super) fn new(member: Handle) -> Self {
        Self { member, records: Vec::new(), bytes: 0, faults: Faults::new() }
    }

    /// Takes what one frame led to.
    pub(super) fn take(&mut self, actions: Vec<Action<'_>>) {
        for action in actions {
            match action {
                Action::Post(postings) => {
                    for posting in postings {
                        self.post(posting);
                    }
                }
                Action::Error(faults) => self.faults.merge(faults),
                // Names are settled.
                Action::Claim(_) | Action::Refuse(_) | Action::Close => {}
                // Nothing beyond the base protocol is spoken yet.
                Action::History(_)
                | Action::Call(_)
                | Action::Answer(_)
                | Action::Ping(_)
                | Action::Pong(_) => {}
            }
        }
    }

    fn post(&mut self, mut posting: Posting<'_>) {
        let wanted = posting.entry.destination.clone();
        let size = posting.entry.content.len();
        match resolve(self.member.chat(), posting.destination, size) {
            Ok(destination) => {
                if let Destination::User(name) = &destination {
                    // In the spelling that the recipient's client knows as its own.
                    posting.entry.destination = name.as_str().to_owned().into();
                }
                let json = Bytes::from(posting.entry.to_json());
                self.bytes += json.len();
                self.records.push(Record { destination, json, arrived: super::unix_now() });
            }
            Err(code) => {
                let index = posting.index;
                let mut fault = Faults::new();
                fault.note(|| Fault::message(index, code).about(&wanted));
                self.faults.merge(fault);
            }
        }
    }

    /// Whether there is nothing to hand on.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.faults.is_empty()
    }

    /// Whether what is waiting should not wait for more frames: an answer belongs to one frame, and posts are bounded.
    pub(super) fn is_due(&self) -> bool {
        !self.faults.is_empty() || self.records.len() >= POST_RECORDS || self.bytes >= POST_BYTES
    }

    /// Posts the messages, then answers the faults.
    pub(super) async fn deliver(&mut self) {
        self.bytes = 0;
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
            match self.member.chat().post(post).await {
                Ok(()) => drop(tokio::time::timeout(ROUND, self.member.up_to_date()).await),
                Err(code) => self.faults.note(|| code.into()),
            }
        }
        if self.faults.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.faults).text();
        // Who does not read the answers to its mistakes is not listened to, either.
        while !self.member.tell_error(&text) {
            self.member.room().await;
        }
    }
}
