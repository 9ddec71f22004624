//! Frames from events: as few objects as the order of the events allows (PB-2), assembled once for all members with the
//! same cursor and view.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use chatterbox_proto::capability::meta::META;
use chatterbox_proto::capability::{ids, rename, utf8};
use chatterbox_proto::frame;
use chatterbox_proto::json::Object;

use crate::encode::compressed::{Compressing, SecondForm};
use crate::encode::pieces::in_pieces;
use crate::encode::view::View;
use crate::event::{Body, Event, Key};

/// Whole frames, whose bytes all their receivers share.
///
/// They are assembled when somebody asks for them first, which is not under the hub's lock: a long message takes
/// milliseconds.
#[derive(Debug, Clone)]
pub struct Batch(Arc<Unassembled>);

#[derive(Debug)]
struct Unassembled {
    /// The events, until they are frames.
    events: Mutex<Vec<Event>>,
    view: View,
    frames: OnceLock<Vec<Bytes>>,
    /// The size of the frames, about.
    size: usize,
    /// How many of the events are messages of the history.
    messages: u32,
    compressed: SecondForm,
}

impl Batch {
    /// What others may get as well.
    pub(crate) fn new(events: Vec<Event>, view: View) -> Self {
        Self::with(events, view, Compressing::Shared)
    }

    /// What is never compressed.
    pub(crate) fn plain(events: Vec<Event>, view: View) -> Self {
        Self::with(events, view, Compressing::Never)
    }

    /// What one member gets who takes compressed frames, and nothing of it is private.
    pub(crate) fn of_one(events: Vec<Event>, view: View) -> Self {
        Self::with(events, view, Compressing::One)
    }

    fn with(events: Vec<Event>, view: View, compressing: Compressing) -> Self {
        let beside = EVENT_BYTES + if view.ids() { TIME_LENGTH } else { 0 };
        let (mut size, mut messages) = (0, 0);
        for event in &events {
            size += event.size() + beside;
            messages += u32::from(event.number().is_some());
        }
        Self(Arc::new(Unassembled {
            events: Mutex::new(events),
            view,
            frames: OnceLock::new(),
            size,
            messages,
            compressed: SecondForm::new(compressing, size),
        }))
    }

    /// The frames, several small ones in one piece, since each piece costs a write. The first call assembles them, others wait for
    /// it.
    pub fn frames(&self) -> &[Bytes] {
        let batch = &*self.0;
        batch.frames.get_or_init(|| {
            let events = batch.events.lock().map(|mut events| std::mem::take(&mut *events));
            let events = events
                .unwrap_or_else(|poisoned| std::mem::take(&mut *PoisonError::into_inner(poisoned)));
            in_pieces(assemble(&events.iter().collect::<Vec<_>>(), batch.view))
        })
    }

    /// Notes under the hub's lock that a member who takes compressed frames is handed it, and says whether that member is to be given
    /// [`Batch::compressed`].
    pub(crate) fn hand_to_zstd(&self) -> bool {
        self.0.compressed.hand_out()
    }

    /// The frames, each compressed by `compress`, which is given its body, as far as it gives anything. The first call makes
    /// them, which is not under the hub's lock either, and others wait for it.
    pub fn compressed(&self, compress: impl Fn(&[u8]) -> Option<Bytes>) -> &[Bytes] {
        self.0.compressed.of(self.frames(), compress)
    }

    /// Whether somebody has compressed them, so that they can be had at once.
    pub fn is_compressed(&self) -> bool {
        self.0.compressed.is_made()
    }

    /// What the frames count as in bytes, about: with the room for their compressed form from the moment on at which it is wanted.
    /// That changes under the hub's lock only, in [`Batch::hand_to_zstd`], and not when somebody has compressed them.
    pub(crate) fn counted(&self) -> usize {
        let forms = if self.0.compressed.is_wanted() { 2 } else { 1 };
        forms * self.size()
    }

    /// The size of the plain frames in bytes, about.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// How many messages of users are in the frames.
    pub fn messages(&self) -> u32 {
        self.0.messages
    }

    /// Whether somebody has assembled them, so that they can be had at once.
    pub fn is_assembled(&self) -> bool {
        self.0.frames.get().is_some()
    }

    /// Whether others have it as well, or may still get it.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Whether both are the same in memory.
    #[cfg(test)]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The room that an event takes in a batch beside its JSON, about.
const EVENT_BYTES: usize = 16;

/// Assembles events into frames without changing their order.
///
/// An event whose key would come before one that is already in the object starts a new frame.
fn assemble(events: &[&Event], view: View) -> Vec<Bytes> {
    if !events.iter().any(|event| event.has_other_words(view)) {
        return assemble_as_viewed(events, view);
    }
    let words: Vec<_> = events.iter().map(|event| event.in_words_of(view)).collect();
    let mut viewed = Vec::with_capacity(events.len() + 1);
    for (event, words) in events.iter().zip(&words) {
        match words {
            Some(words) => viewed.extend(words),
            None => viewed.push(*event),
        }
    }
    assemble_as_viewed(&viewed, view)
}

/// Assembles events that are in the form of the view.
fn assemble_as_viewed(events: &[&Event], view: View) -> Vec<Bytes> {
    let mut frames = Vec::with_capacity(1);
    let mut rest = events;
    while !rest.is_empty() {
        let mut object_len = 1;
        for pair in rest.windows(2) {
            let [before, after] = pair else { break };
            if !before.key().may_precede(after.key()) {
                break;
            }
            object_len += 1;
        }
        let Some((object, tail)) = rest.split_at_checked(object_len) else { break };
        // Batches are bounded far below what a frame can hold, so nothing is dropped here.
        frames.extend(frame(object, view));
        rest = tail;
    }
    frames
}

/// One frame of events that are sorted by key.
fn frame(events: &[&Event], view: View) -> Option<Bytes> {
    let size = events.iter().map(|event| event.size() + 2).sum::<usize>();
    let ids = if view.ids() { events.len() * (ID_LENGTH + TIME_LENGTH) } else { 0 };
    let mut object = Object::with_capacity(size + ids + 48);
    for group in events.chunk_by(|a, b| a.key() == b.key()) {
        let [first, ..] = group else { continue };
        let key = first.key();
        object = match &first.body {
            Body::Presence(users) => object.json(key.as_str(), users),
            Body::Error(text) => object.json(key.as_str(), text),
            Body::Own(members) => object.members(members),
            Body::Renamed { old, new } => object.json(key.as_str(), &rename_json(old, new)),
            Body::RoomJoined { room, .. } | Body::RoomLeft { room, .. } => {
                let names = Object::with_capacity(size);
                let names =
                    names.list_behind(room, group.iter().filter_map(|event| element(event)));
                object.json(key.as_str(), &names.into_value())
            }
            Body::Joined(_)
            | Body::RoomChanged(_)
            | Body::Message { .. }
            | Body::Notice(_)
            | Body::Announced { .. }
            | Body::Told(_)
            | Body::Left(_) => {
                object.list(key.as_str(), group.iter().filter_map(|event| element(event)))
            }
        };
        if key == Key::Messages && view.ids() {
            object = object
                .list(ids::IDS, group.iter().map(|event| id_json(event)))
                .list(ids::TIMES, group.iter().map(|event| time_json(event)));
        }
        if key == Key::Messages && view.meta() && group.iter().any(|event| event.meta().is_some()) {
            let meta =
                |event: &&Event| event.meta().map_or(Bytes::from_static(b"null"), Bytes::clone);
            object = object.list(META, group.iter().map(meta));
        }
    }
    if !view.utf8() {
        return object.finish().ok();
    }
    frame::encode(&utf8::unescaped(&object.into_value())).ok()
}

/// The element of its key's list that an event is.
const fn element(event: &Event) -> Option<&Bytes> {
    match &event.body {
        Body::Joined(json)
        | Body::RoomJoined { name: json, .. }
        | Body::RoomChanged(json)
        | Body::Message { json, .. }
        | Body::Notice(json)
        | Body::Told(json)
        | Body::RoomLeft { name: json, .. }
        | Body::Left(json) => Some(json),
        Body::Renamed { .. }
        | Body::Presence(_)
        | Body::Announced { .. }
        | Body::Own(_)
        | Body::Error(_) => None,
    }
}

fn rename_json(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut json = vec![b'{'];
    rename::push_change(&mut json, old, new);
    json.push(b'}');
    json
}

/// The room that an id takes in a frame, about.
const ID_LENGTH: usize = 12;

/// The room that a time takes in a frame, about.
const TIME_LENGTH: usize = 12;

fn id_json(event: &Event) -> Vec<u8> {
    let id = match event.body {
        Body::Message { id, .. } => Some(id),
        _ => None,
    };
    let mut json = Vec::with_capacity(ID_LENGTH);
    ids::push_id(&mut json, id);
    json
}

/// When the server took the message; null where it has no id.
fn time_json(event: &Event) -> Vec<u8> {
    let time = match event.body {
        Body::Message { arrived, .. } => Some(arrived),
        _ => None,
    };
    let mut json = Vec::with_capacity(TIME_LENGTH);
    ids::push_time(&mut json, time);
    json
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::session::Destination;
    use chatterbox_proto::{Capabilities, Capability, Username};

    use super::*;
    use crate::encode::pieces::PIECE;
    use crate::filing::Filing;
    use crate::record::{Record, Sequence};
    use crate::record_meta::RecordMeta;

    fn view(capabilities: &[Capability]) -> View {
        View::of(capabilities.iter().copied().collect::<Capabilities>())
    }

    type MakeBody = fn(Bytes) -> Body;

    fn texts(bodies: &[(MakeBody, &'static str)], view: View) -> Vec<String> {
        let events: Vec<_> = bodies.iter().map(|(body, json)| event(*body, json)).collect();
        frames(&events, view)
    }

    fn event(body: MakeBody, json: &'static str) -> Event {
        Event::new(body(Bytes::from_static(json.as_bytes())))
    }

    fn stored(id: Sequence, json: &'static str) -> Event {
        let source = Username::parse("ann").unwrap();
        let json = Bytes::from_static(json.as_bytes());
        let destination = Destination::All;
        Event::message(
            id,
            Record { source, destination, json, arrived: 7, filing: Filing::default(), meta: None },
            None,
        )
    }

    #[test]
    fn what_goes_with_messages_is_for_those_who_agreed_and_only_where_it_is_there() {
        let replying = |id| {
            let source = Username::parse("ann").unwrap();
            let meta = RecordMeta::new(Some(3), &["\u{e9}ve".to_owned()], None, None);
            let json = Bytes::from_static(b"[5]");
            let (destination, filing) = (Destination::All, Filing::default());
            Event::message(id, Record { source, destination, json, arrived: 7, filing, meta }, None)
        };
        let ids = view(&[Capability::Ids]);
        let meta = view(&[Capability::Ids, Capability::Meta]);
        let utf8 = view(&[Capability::Ids, Capability::Meta, Capability::Utf8]);
        let plain = [stored(4, "[4]"), stored(5, "[5]")];
        assert_eq!(frames(&plain, meta), frames(&plain, ids), "nothing goes with any of them");
        let some = [stored(4, "[4]"), replying(5), Event::notice(Bytes::from_static(b"[6]"))];
        let without =
            r#"{"MESSAGES": [[4], [5], [6]], "IDS": [4, 5, null], "TIMES": [7, 7, null]}"#;
        assert_eq!(frames(&some, ids), [without]);
        assert_eq!(frames(&some, View::BASE), [r#"{"MESSAGES": [[4], [5], [6]]}"#]);
        let open = &without[..without.len() - 1];
        let with = |name: &str| {
            format!(r#"{open}, "META": [null, {{"REPLY": 3, "MENTIONS": ["{name}"]}}, null]}}"#)
        };
        assert_eq!(frames(&some, meta), [with(r"\u00e9ve")]);
        assert_eq!(frames(&some, utf8), [with("\u{e9}ve")]);
    }

    fn frames(events: &[Event], view: View) -> Vec<String> {
        assemble(&events.iter().collect::<Vec<_>>(), view)
            .iter()
            .map(|frame| String::from_utf8(frame[4..].to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn small_frames_are_one_write_and_large_ones_are_not_copied() {
        let small: Vec<_> = (0..100).map(|_| Bytes::from(vec![b's'; 700])).collect();
        let large = Bytes::from(vec![b'l'; PIECE + 1]);
        let frames = [&small[..], std::slice::from_ref(&large), &small[..3]].concat();
        let pieces = in_pieces(frames.clone());
        assert_eq!(pieces.concat(), frames.concat(), "in their order");
        let sizes: Vec<_> = pieces.iter().map(Bytes::len).collect();
        let full = PIECE / 700 * 700;
        assert_eq!(sizes, [full, full, full, full, 70_000 - 4 * full, PIECE + 1, 2_100]);
        assert_eq!(pieces[5].as_ptr(), large.as_ptr());
        let both =
            [[Body::Joined(Bytes::from_static(b"1"))], [Body::Left(Bytes::from_static(b"2"))]];
        let [joined, left] = both.map(|[body]| Event::new(body));
        let events = vec![left.clone(), joined.clone(), left, joined];
        assert_eq!(Batch::new(events, View::BASE).frames().len(), 1, "coming and going");
    }

    #[test]
    fn events_in_order_share_one_object() {
        use Body::{Error, Joined, Left, Notice as Message};
        assert_eq!(
            texts(
                &[(Joined, "1"), (Joined, "2"), (Message, "3"), (Left, "4"), (Error, "5")],
                View::BASE
            ),
            [r#"{"USERS_JOINED": [1, 2], "MESSAGES": [3], "USERS_LEFT": [4], "ERROR": 5}"#]
        );
        assert_eq!(texts(&[], View::BASE), [""; 0]);
    }

    #[test]
    fn what_would_change_their_order_starts_a_frame() {
        use Body::{Error, Joined, Left, Notice as Message, Own};
        assert_eq!(
            texts(
                &[
                    (Message, "1"),
                    (Joined, "2"),
                    (Left, "3"),
                    (Joined, "4"),
                    (Error, "5"),
                    (Error, "6"),
                    (Message, "7"),
                    (Own, r#""A": 8"#),
                    (Own, r#""A": 9, "ERROR": 9"#),
                    (Error, "10"),
                ],
                View::BASE
            ),
            [
                r#"{"MESSAGES": [1]}"#,
                r#"{"USERS_JOINED": [2], "USERS_LEFT": [3]}"#,
                r#"{"USERS_JOINED": [4], "ERROR": 5}"#,
                r#"{"ERROR": 6}"#,
                r#"{"MESSAGES": [7], "A": 8}"#,
                r#"{"A": 9, "ERROR": 9}"#,
                r#"{"ERROR": 10}"#,
            ]
        );
    }

    #[test]
    fn a_rename_is_one_event_or_two() {
        let renamed = |old: &'static str, new: &'static str| Event::renamed(old.into(), new.into());
        let events = [
            event(Body::Joined, "\"x\""),
            renamed("\"a\"", "\"b\""),
            renamed("\"b\"", "\"c\""),
            event(Body::Notice, "[1]"),
        ];
        assert_eq!(
            frames(&events, view(&[Capability::Rename])),
            [
                r#"{"USERS_JOINED": ["x"], "USERS_RENAMED": {"a": "b"}}"#,
                r#"{"USERS_RENAMED": {"b": "c"}, "MESSAGES": [[1]]}"#,
            ]
        );
        assert_eq!(
            frames(&events, View::BASE),
            [
                r#"{"USERS_JOINED": ["x"], "USERS_LEFT": ["a"]}"#,
                r#"{"USERS_JOINED": ["b"], "USERS_LEFT": ["b"]}"#,
                r#"{"USERS_JOINED": ["c"], "MESSAGES": [[1]]}"#,
            ]
        );
    }

    #[test]
    fn ids_stand_beside_messages_and_text_is_shown() {
        let events = [
            stored(7, r#"["\u00e9"]"#),
            event(Body::Notice, "[2]"),
            event(Body::Left, r#""\u00fc""#),
        ];
        assert_eq!(
            frames(&events, view(&[Capability::Ids, Capability::Utf8])),
            [
                r#"{"MESSAGES": [["é"], [2]], "IDS": [7, null], "TIMES": [7, null], "USERS_LEFT": ["ü"]}"#
            ]
        );
        assert_eq!(
            frames(&events, View::BASE),
            [r#"{"MESSAGES": [["\u00e9"], [2]], "USERS_LEFT": ["\u00fc"]}"#]
        );
        assert_eq!(Batch::new(events.to_vec(), View::BASE).messages(), 1, "a notice is none");
    }

    #[test]
    fn an_announcement_is_a_message_or_a_notice_at_its_place() {
        let events = [
            event(Body::Left, "1"),
            Event::announcement("[2]".into(), r#"{"CODE": "shutdown"}"#.into()),
            Event::told(r#"{"CODE": "level"}"#.into()),
            event(Body::Left, "3"),
            stored(4, "[4]"),
        ];
        let notices = View::of([Capability::Notices, Capability::Ids].into_iter().collect());
        assert_eq!(
            frames(&events, notices),
            [
                r#"{"USERS_LEFT": [1]}"#,
                r#"{"NOTICES": [{"CODE": "shutdown"}, {"CODE": "level"}], "USERS_LEFT": [3]}"#,
                r#"{"MESSAGES": [[4]], "IDS": [4], "TIMES": [7]}"#,
            ]
        );
        assert_eq!(
            frames(&[&events[..2], &events[3..]].concat(), View::BASE),
            [
                r#"{"USERS_LEFT": [1]}"#,
                r#"{"MESSAGES": [[2]], "USERS_LEFT": [3]}"#,
                r#"{"MESSAGES": [[4]]}"#,
            ]
        );
        assert_eq!(
            frames(&events[1..2], view(&[Capability::Ids])),
            [r#"{"MESSAGES": [[2]], "IDS": [null], "TIMES": [null]}"#]
        );
    }

    #[test]
    fn a_time_that_can_not_be_is_still_a_number() {
        for arrived in [i64::MIN, -1, 0, i64::MAX] {
            let Body::Message { id, source, json, .. } = stored(1, "[1]").body else { continue };
            let event = Event::new(Body::Message { id, source, json, arrived, meta: None });
            let frame = frames(&[event], view(&[Capability::Ids])).concat();
            assert!(frame.ends_with(&format!(r#""TIMES": [{arrived}]}}"#)), "{frame}");
        }
    }
}
