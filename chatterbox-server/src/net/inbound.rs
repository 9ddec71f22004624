//! The input of a member: its messages are resolved, encoded and posted, its faults and requests answered.
//!
//! A frame of many or long messages is worked off a few at a time, so that it takes little more memory than its bytes, and
//! others get their turns in between.

mod settling;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_hub::{Event, Filing, Record, RecordMeta, To};
use chatterbox_proto::capability::{Request, ids};
use chatterbox_proto::session::{Destination, JoinedAction, JoinedSession, Posting};
use chatterbox_proto::{Code, Fault, Faults, Username, server_frame};

use crate::chat::flood_gate::FloodGate;
use crate::chat::handle::Handle;
use crate::chat::posts::{Acks, Held, POST_RECORDS, PostRoom, Receipt};
use crate::chat::reserved::Reserved;
use crate::config::Live;
use crate::net::announcing::Taken;
use crate::net::long_work::{LONG_WORK, LongWork};
use crate::net::put_off::{Found, resolve_or_leave};
use crate::net::requests::Requests;
use crate::net::round::{self, Round};

/// A post takes further messages up to this many bytes.
const POST_BYTES: usize = 1024 * 1024;

/// Escaped, a text is at most so much longer: two bytes become six, and a control character six of one.
const ESCAPED: usize = 3;

/// The actions of a member's frames that are not carried out yet: posts, then faults, then requests.
pub(super) struct Inbound {
    member: Handle,
    records: Vec<Record>,
    /// The room for private ones at their recipients.
    reserved: Reserved,
    bytes: usize,
    /// Bytes of messages that were posted since the reader has looked at it.
    pub(super) posted: usize,
    /// Messages that were refused since the sender has had its last turn.
    refused: usize,
    round: Round,
    pub(super) faults: Faults,
    /// Only for members with capabilities or legacy commands.
    requests: Option<Box<Requests>>,
    /// Only where there are limits.
    flood: Option<Box<Flood>>,
}

/// Flood control, and the settings that exempt somebody from it.
pub(super) struct Flood {
    pub(super) gate: FloodGate,
    pub(super) config: Live,
}

impl Inbound {
    pub(super) fn new(
        member: Handle,
        requests: Option<Box<Requests>>,
        flood: Option<Box<Flood>>,
    ) -> Self {
        Self {
            member,
            records: Vec::new(),
            reserved: Reserved::default(),
            bytes: 0,
            posted: 0,
            refused: 0,
            round: Round::default(),
            faults: Faults::new(),
            requests,
            flood,
        }
    }

    pub(super) fn member(&self) -> &Handle {
        &self.member
    }

    /// The name that the member has joined under, which is this one when somebody asks for the first time; `None` where nobody can
    /// change it.
    pub(super) fn joined_as(&mut self, name: &Username) -> Option<Username> {
        let requests = self.requests.as_mut()?;
        Some(requests.joined_as.get_or_insert_with(|| name.clone()).clone())
    }

    /// Takes the actions of a frame of few messages; those of many are for [`Inbound::work_off`].
    pub(super) fn take(&mut self, actions: Vec<JoinedAction<'_>>) {
        if self.is_counted(&actions) {
            self.count(posted(&actions));
            self.decide();
        }
        for action in actions {
            match action {
                JoinedAction::Post(postings) => {
                    for posting in postings {
                        self.post(posting);
                    }
                }
                JoinedAction::ReadOn(unread) => {
                    debug_assert!(false, "a frame of many messages");
                    self.faults.merge(unread.into_faults());
                }
                JoinedAction::Error(faults) => self.refuse(faults),
                JoinedAction::Request(request) => self.request(request),
            }
        }
        self.end_frame();
    }

    /// Carries out the actions of a frame of many or long messages: its messages are posted a few at a time, and its faults and requests are
    /// left for [`Inbound::deliver`].
    pub(super) async fn work_off(
        &mut self,
        actions: Vec<JoinedAction<'_>>,
        session: &JoinedSession,
        work: &LongWork,
    ) {
        // What the frames before it have left.
        self.deliver().await;
        if self.is_counted(&actions) {
            self.count(posted(&actions));
            for action in &actions {
                let JoinedAction::ReadOn(unread) = action else { continue };
                // It is read twice: how much it is has to be known before any of it is posted.
                let mut ahead = unread.clone();
                while let Some(postings) = work
                    .for_reader(&self.member, ahead.next_bytes(), || session.read_on(&mut ahead))
                    .await
                {
                    self.count(postings.iter());
                }
            }
            self.decide();
        }
        for action in actions {
            match action {
                JoinedAction::Post(postings) => self.post_some(postings, work).await,
                JoinedAction::ReadOn(mut unread) => {
                    while let Some(postings) = work
                        .for_reader(&self.member, unread.next_bytes(), || {
                            session.read_on(&mut unread)
                        })
                        .await
                    {
                        self.refused += unread.take_refused();
                        self.post_some(postings, work).await;
                    }
                    self.faults.merge(unread.into_faults());
                }
                JoinedAction::Error(faults) => self.refuse(faults),
                JoinedAction::Request(request) => self.request(request),
            }
        }
        self.end_frame();
    }

    /// Whether flood control counts the messages of a frame.
    fn is_counted(&mut self, actions: &[JoinedAction<'_>]) -> bool {
        let says = |action: &JoinedAction<'_>| {
            matches!(action, JoinedAction::Post(_) | JoinedAction::ReadOn(_))
        };
        let Some(Flood { gate, config }) = self.flood.as_deref_mut() else { return false };
        actions.iter().any(says) && gate.begin(&self.member, config.current().exempt())
    }

    fn count<'a>(&mut self, postings: impl Iterator<Item = &'a Posting<'a>>) {
        let Some(Flood { gate, .. }) = self.flood.as_deref_mut() else { return };
        for posting in postings {
            gate.count(&self.member, &posting.destination, posting.size());
        }
    }

    fn decide(&mut self) {
        if let Some(Flood { gate, .. }) = self.flood.as_deref_mut() {
            gate.decide(&self.member);
        }
    }

    fn end_frame(&mut self) {
        if let Some(requests) = self.requests.as_mut().filter(|all| !all.put_off.is_empty()) {
            // What is put off is still to be taken or refused.
            requests.put_off.ends_frame = true;
            return;
        }
        if let Some(Flood { gate, .. }) = self.flood.as_deref_mut() {
            gate.end(&self.member);
        }
    }

    /// Of how many frames flood control has refused something since the last call.
    pub(super) fn take_flooded(&mut self) -> u32 {
        self.flood.as_deref_mut().map_or(0, |flood| flood.gate.take_refused())
    }

    fn request(&mut self, request: Request) {
        if let Some(requests) = &mut self.requests {
            requests.take(request);
        }
    }

    fn refuse(&mut self, faults: Faults) {
        self.refused += faults.count();
        self.faults.merge(faults);
    }

    /// Posts some messages of a long frame.
    async fn post_some(&mut self, postings: Vec<Posting<'_>>, work: &LongWork) {
        let size: usize = postings.iter().map(|posting| posting.size()).sum();
        let mut room = None;
        if size > LONG_WORK {
            // Escapes make it longer.
            room = self.member.chat().post_room(size.saturating_mul(ESCAPED)).await;
        }
        let member = self.member.clone();
        work.for_reader(&member, size, || {
            postings.into_iter().for_each(|posting| self.post(posting));
        })
        .await;
        self.settle().await;
        self.post_records(room).await;
    }

    fn post(&mut self, posting: Posting<'_>) {
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
            if posting.meta.is_some() || !requests.put_off.is_empty() {
                return requests.put_off.add(posting);
            }
        }
        self.say(posting, None, None);
    }

    /// Posts a message with what goes with it, or refuses it. Where nobody has looked for its recipient among the accounts, it may be put off.
    fn say(
        &mut self,
        mut posting: Posting<'_>,
        meta: Option<Arc<RecordMeta>>,
        found: Option<&Found>,
    ) {
        let wanted = posting.entry.destination.clone();
        match self.resolve(&posting, found) {
            Ok((destination, filing)) => {
                // The receivers' clients know the names in these spellings.
                match &destination {
                    Destination::All => {}
                    Destination::Room(room) => {
                        posting.entry.destination = room.name.as_str().to_owned().into();
                    }
                    Destination::User(name) => {
                        posting.entry.destination = name.as_str().to_owned().into();
                    }
                }
                let record = Record {
                    source: posting.source,
                    destination,
                    json: Bytes::from(posting.entry.to_json()),
                    arrived: crate::ops::clock::unix_now(),
                    filing,
                    meta,
                };
                self.bytes += record.weight();
                self.records.push(record);
                if let Some(requests) = &mut self.requests {
                    let file = posting.meta.and_then(|meta| meta.file);
                    let tag = posting.tag.as_deref();
                    requests.keep(self.records.len() - 1, posting.index, tag, file);
                }
            }
            // Nobody has looked yet whether an account has the name, or this node has not read what another one has.
            Err(code) if self.may_be_taken(code, &posting, found) => self.put_off(posting),
            Err(code) => self.refuse_one(posting.index, posting.tag, code, Some(&wanted)),
        }
    }

    /// Refuses the message of an index; `about` is the name that the reason is about.
    fn refuse_one(
        &mut self,
        index: usize,
        tag: Option<Cow<'_, str>>,
        code: Code,
        about: Option<&str>,
    ) {
        let mut faults = Faults::new();
        faults.note(|| {
            let fault = Fault::message(index, code);
            match about {
                Some(name) => fault.about(name),
                None => fault,
            }
        });
        if let Some(tag) = tag {
            faults.refuse(tag, code);
        }
        self.refuse(faults);
    }

    /// The destination of a message that is taken, and under whom it is filed.
    fn resolve(
        &mut self,
        posting: &Posting<'_>,
        found: Option<&Found>,
    ) -> Result<(To, Filing), Code> {
        let Self { member, reserved, flood, .. } = self;
        let destination = &posting.destination;
        let Some(Flood { gate, .. }) = flood.as_deref_mut() else {
            return resolve_or_leave(member, posting, reserved, found);
        };
        if let Some(code) = gate.refusal(member, destination) {
            return Err(code);
        }
        let (to, filing) = resolve_or_leave(member, posting, reserved, found)?;
        match gate.take(member, &to, &filing, posting.size()) {
            Ok(()) => Ok((to, filing)),
            Err(code) => {
                reserved.give_back_newest();
                Err(code)
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
            || self.records.len() + self.refused >= POST_RECORDS
            || self.bytes >= POST_BYTES
            || self.requests.as_ref().is_some_and(|requests| requests.is_due())
    }

    /// Posts the messages, then answers the faults, then the requests.
    pub(super) async fn deliver(&mut self) {
        self.settle().await;
        self.post_records(None).await;
        if !self.faults.is_empty() {
            let faults = std::mem::take(&mut self.faults);
            self.member.chat().traffic().frame_refused(&faults);
            let event = if faults.refused().is_empty() {
                Event::error(&faults.text())
            } else {
                Event::own(server_frame::error_object(&faults))
            };
            // Back-pressure: while the client does not read its ERRORs, its frames are not read.
            self.member.tell_when_read(event).await;
        }
        if let Some(news) = self.flood.as_deref_mut().and_then(|flood| flood.gate.news()) {
            self.member.tell_when_read(news).await;
        }
        if let Some(requests) = &mut self.requests {
            requests.answer(&self.member).await;
        }
    }

    /// Posts the messages, as many at a time as a post takes. Refused messages cost their sender the same turn.
    async fn post_records(&mut self, mut room: Option<PostRoom>) {
        self.posted = self.posted.saturating_add(std::mem::take(&mut self.bytes));
        let duplicates =
            self.requests.as_mut().map(|requests| std::mem::take(&mut requests.duplicates));
        self.acknowledge(duplicates.unwrap_or_default()).await;
        let taken = self.take_files().await;
        let mut was_refused = false;
        if self.records.is_empty() && self.refused < POST_RECORDS {
            return;
        }
        self.refused = 0;
        let mut records = std::mem::take(&mut self.records);
        loop {
            let rest = records.split_off(records.len().min(POST_RECORDS));
            let post = std::mem::replace(&mut records, rest);
            let is_last = records.is_empty();
            // What is reserved for a frame is given back after its last post.
            let held = if is_last { std::mem::take(&mut self.reserved).into() } else { Held::None };
            let tags = self.requests.as_mut().and_then(|requests| requests.take_tags(post.len()));
            let refused = tags.clone();
            // Refused messages cost their sender a turn, too.
            let share = round::share(&post);
            self.round.turn(&self.member, share).await;
            let chat = self.member.chat();
            match chat.post(self.member.id(), post, held, tags, room.take()).await {
                Ok(Receipt { acks, refused }) => {
                    self.round.posted(&self.member, share);
                    self.acknowledge(acks).await;
                    was_refused |= !refused.is_empty();
                    for (tag, code) in refused {
                        self.refuse_late(code, tag);
                    }
                }
                Err(code) => {
                    was_refused = true;
                    self.faults.note(|| code.into());
                    for tag in refused.into_iter().flatten().flatten() {
                        self.faults.refuse(&*tag, code);
                    }
                }
            }
            if is_last {
                if let Some(requests) = self.requests.as_ref().filter(|_| was_refused) {
                    // Behind the last post: until then the messages of later posts need their files.
                    requests.announcing.give_back(taken).await;
                }
                return;
            }
        }
    }

    /// Takes files for the messages that announce them, and refuses those that can't have theirs.
    async fn take_files(&mut self) -> Vec<Taken> {
        let Some(requests) = self.requests.as_mut().filter(|all| !all.announcing.is_empty()) else {
            return Vec::new();
        };
        // Boxed: few messages announce files, and the tasks of connections stay small.
        let (taken, not_taken) =
            Box::pin(requests.take_files(&self.member, &mut self.records)).await;
        if self.records.is_empty() {
            self.reserved = Reserved::default();
        }
        for (index, tag, code) in not_taken {
            self.refuse_one(index, tag.as_deref().map(Cow::Borrowed), code, None);
        }
        taken
    }

    async fn acknowledge(&self, acks: Acks) {
        if !acks.is_empty() {
            let acks = ids::acks(acks.iter().map(|(tag, id)| (&**tag, *id)));
            self.member.tell_when_read(Event::own(acks)).await;
        }
    }

    /// Notes that a message was refused when its turn came.
    fn refuse_late(&mut self, code: Code, tag: Option<Arc<str>>) {
        self.faults.note(|| code.into());
        if let Some(tag) = tag {
            self.faults.refuse(&*tag, code);
        }
    }
}

/// The messages of a frame that are read already.
fn posted<'a>(actions: &'a [JoinedAction<'a>]) -> impl Iterator<Item = &'a Posting<'a>> {
    let all = actions.iter().filter_map(|action| match action {
        JoinedAction::Post(postings) => Some(postings),
        _ => None,
    });
    all.flatten()
}
