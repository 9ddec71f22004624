//! The welcome, the first frame of a joined connection: a snapshot of the user list and the history (AC-1, UL-1, HI-1).

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::capability::utf8;
use chatterbox_proto::frame::{self, TooLong};
use chatterbox_proto::json::Object;
use chatterbox_proto::limits::PREFIX;

use crate::block_lists::BlockFilter;
use crate::encode::view::View;
use crate::room::cut::{HistoryCut, HistoryWriter, PIECE_BYTES, Written, without_separator};

/// A welcome whose parts were taken at one moment; whoever has it puts it together, which reads what is hidden for its
/// receiver and takes no lock.
#[derive(Debug, Clone)]
pub struct Welcome {
    /// Everything up to the elements of USER_LIST, behind the free place for the length.
    head: Vec<u8>,
    /// The elements of USER_LIST, each with a separator before it, in pieces that are shared.
    users: Vec<Bytes>,
    /// The members of PRESENCE, the same way, if the client agreed to it.
    states: Option<Vec<Bytes>>,
    history: HistoryCut,
    /// Whose messages are left out.
    filter: Arc<BlockFilter>,
    /// What the client agreed to.
    view: View,
    /// More members, for clients that offered capabilities.
    rest: Option<Bytes>,
    /// Whether it may be compressed (ZS-3).
    is_compressible: bool,
}

/// The most that a welcome has beside its head, its lists and its further members.
const BETWEEN: usize = 128;

impl Welcome {
    /// The welcome of a client that speaks the base protocol.
    ///
    /// The keys stand in the order USERNAME_ACCEPTED, INFO, USER_LIST, MESSAGES, which is the order in which weak clients
    /// expect them.
    pub(crate) fn base(info: &str, users: Vec<Bytes>, history: HistoryCut) -> Self {
        let head = head(info);
        let (filter, view) = (Arc::default(), View::BASE);
        let (states, rest, is_compressible) = (None, None, false);
        Self { head, users, states, history, filter, view, rest, is_compressible }
    }

    /// The welcome with keys of capabilities behind those of the base protocol: IDS, TIMES and META, if the client agreed to them, MORE
    /// in a short one, then the members `rest`, at least one.
    pub(crate) fn extended(
        info: &str,
        users: Vec<Bytes>,
        history: HistoryCut,
        filter: Arc<BlockFilter>,
        view: View,
        rest: Bytes,
    ) -> Self {
        let (head, states, rest) = (head(info), None, Some(rest));
        Self { head, users, states, history, filter, view, rest, is_compressible: false }
    }

    /// The same, of a session that begins and of which nothing but messages is private: all secrets in it were drawn for this very
    /// welcome. It may be compressed, unless there are private messages in it (ZS-3).
    #[must_use]
    pub(crate) fn of_new_session(self) -> Self {
        let is_compressible = !self.history.has_own();
        Self { is_compressible, ..self }
    }

    /// Whether it may be compressed (ZS-3).
    pub const fn is_compressible(&self) -> bool {
        self.is_compressible
    }

    /// The same with PRESENCE: members of an object, each with a separator before it (PR-1).
    #[must_use]
    pub(crate) fn with_states(self, states: Option<Vec<Bytes>>) -> Self {
        Self { states, ..self }
    }

    /// Whether it fits a frame, with what is hidden.
    ///
    /// # Errors
    /// [`TooLong`] when the history does not fit a 4-byte length.
    pub(crate) fn fits(&self) -> Result<(), TooLong> {
        let rest = self.rest.as_ref().map_or(0, Bytes::len) + BETWEEN;
        let lists = self.users.iter().chain(self.states.iter().flatten());
        let lists: usize = lists.map(Bytes::len).sum();
        frame::prefix(self.head.len() + lists + self.history.size(self.view) + rest).map(drop)
    }

    /// The memory that it takes beside what it shares with others, before anything of the history was written.
    pub(crate) fn own_bytes(&self) -> usize {
        let rest = self.rest.as_ref().map_or(0, Bytes::len);
        let states = self.states.as_deref().unwrap_or_default();
        let shared = shared_own(&self.users) + shared_own(states);
        self.head.len() + shared + rest + self.history.own_bytes()
    }

    /// Begins to put it together.
    pub fn begin(self) -> Assembly {
        let Self { head, users, states, history, filter, view, rest, .. } = self;
        let utf8 = view.utf8();
        let writer = history.begin(view);
        let lists_unescaped = utf8.then_some((0, 0));
        Assembly { head, users, states, lists_unescaped, rest, filter, writer }
    }

    /// Puts it together at once: pieces of one frame, shared with other receivers as far as nothing is hidden in them.
    ///
    /// # Errors
    /// [`TooLong`] when the history does not fit a 4-byte length.
    pub fn assemble(self) -> Result<Vec<Bytes>, TooLong> {
        let mut assembly = self.begin();
        while assembly.step() {}
        assembly.finish()
    }
}

/// A welcome that is being put together. Whoever does that lets others go on between two steps: all of them may take
/// milliseconds, where much is hidden or IDS have to be written.
#[derive(Debug)]
pub struct Assembly {
    head: Vec<u8>,
    users: Vec<Bytes>,
    states: Option<Vec<Bytes>>,
    /// For a client that gets no escapes: how many pieces of the user list and of PRESENCE were counted, and their length
    /// without them.
    lists_unescaped: Option<(usize, usize)>,
    rest: Option<Bytes>,
    filter: Arc<BlockFilter>,
    writer: HistoryWriter,
}

impl Assembly {
    /// Goes on with a piece of the user list or of PRESENCE, or a segment of the history; false when there is none left.
    pub fn step(&mut self) -> bool {
        let states = self.states.as_deref().unwrap_or_default();
        if let Some((counted, length)) = &mut self.lists_unescaped
            && let Some(piece) = self.users.iter().chain(states).nth(*counted)
        {
            *counted += 1;
            *length += utf8::unescaped_len(piece);
            return true;
        }
        self.writer.step(&self.filter.hidden)
    }

    /// The memory that it takes by now beside what it shares with others. Most of the history may be copied for somebody who
    /// hides every second message of a word or two.
    pub fn own_bytes(&self) -> usize {
        let rest = self.rest.as_ref().map_or(0, Bytes::len);
        let states = self.states.as_deref().unwrap_or_default();
        let shared = shared_own(&self.users) + shared_own(states);
        self.head.len() + shared + rest + self.writer.own_bytes()
    }

    /// The pieces of the frame. For a client that gets no escapes, the length is the one without them, and all pieces but the
    /// first still have them: whoever writes them undoes the escapes then, since a copy for each reader would be as large as
    /// the history (U8-1).
    ///
    /// # Errors
    /// [`TooLong`] when the history does not fit a 4-byte length.
    pub fn finish(self) -> Result<Vec<Bytes>, TooLong> {
        let Self { head, users, states, lists_unescaped, rest, writer, .. } = self;
        let Written { messages, ids, times, meta, meta_saved, more, unescaped, .. } =
            writer.finish();
        let escaped = users.iter().chain(states.iter().flatten()).chain(&messages);
        let escaped: usize = escaped.map(Bytes::len).sum();
        let saved = match (lists_unescaped, unescaped) {
            (Some((_, lists)), Some(messages)) => Some(escaped - lists - messages + meta_saved),
            _ => None,
        };
        let mut lists = vec![without_separator(users), between(r#"], "MESSAGES": ["#), messages];
        let Some(rest) = rest else { return frame(head, lists, b"]}".to_vec(), saved) };
        if let Some(ids) = ids {
            lists.push(between(r#"], "IDS": ["#));
            lists.push(ids);
        }
        if let Some(times) = times {
            lists.push(between(r#"], "TIMES": ["#));
            lists.push(times);
        }
        if let Some(meta) = meta {
            lists.push(between(r#"], "META": ["#));
            lists.push(meta);
        }
        let mut close: &[u8] = b"]";
        if let Some(states) = states {
            lists.push(between(r#"], "PRESENCE": {"#));
            lists.push(without_separator(states));
            close = b"}";
        }
        let more: &[u8] = match more {
            None => b", ",
            Some(false) => br#", "MORE": false, "#,
            Some(true) => br#", "MORE": true, "#,
        };
        frame(head, lists, [close, more, &rest[..], b"}"].concat(), saved)
    }
}

/// What a list of all users takes beside what it shares: the last piece has changed with the new user, and small ones are put
/// together when they are written.
fn shared_own(users: &[Bytes]) -> usize {
    users.iter().map(|piece| PIECE_BYTES + piece.len().min(SMALL_PIECE)).sum()
}

/// Pieces up to this size may be copied by whoever writes them.
const SMALL_PIECE: usize = 16 * 1024;

fn between(text: &'static str) -> Vec<Bytes> {
    vec![Bytes::from_static(text.as_bytes())]
}

/// Everything up to the elements of USER_LIST, behind the free place for the length.
fn head(info: &str) -> Vec<u8> {
    let mut object =
        Object::with_capacity(256).boolean("USERNAME_ACCEPTED", true).string("INFO", info);
    object.begin_list("USER_LIST");
    object.into_open()
}

/// The pieces of one frame; `head` has a free place for the length. Without escapes, the lists are shorter by `saved` bytes.
fn frame(
    mut head: Vec<u8>,
    lists: impl AsRef<[Vec<Bytes>]> + IntoIterator<Item = Vec<Bytes>>,
    mut tail: Vec<u8>,
    saved: Option<usize>,
) -> Result<Vec<Bytes>, TooLong> {
    let mut middle: usize = lists.as_ref().iter().flatten().map(Bytes::len).sum();
    let count: usize = lists.as_ref().iter().map(Vec::len).sum();
    let mut tail_length = tail.len();
    if let Some(saved) = saved {
        head = utf8::unescaped(&head).into_owned();
        middle -= saved;
        tail_length = utf8::unescaped_len(&tail);
    }
    let (prefix, padding) = frame::prefix(head.len() - PREFIX + middle + tail_length)?;
    if let Some(place) = head.first_chunk_mut() {
        *place = prefix;
    }
    tail.resize(tail.len() + padding, b' ');
    let mut pieces = Vec::with_capacity(count + 2);
    pieces.push(head.into());
    pieces.extend(lists.into_iter().flatten());
    pieces.push(tail.into());
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chatterbox_proto::{Capabilities, Username, json};

    use super::*;
    use crate::room::cut_part::OwnMessage;

    fn offer(text: &str) -> Capabilities {
        Capabilities::parse_offer(text).unwrap()
    }

    fn own(id: u64, source: &str, json: Bytes) -> OwnMessage {
        OwnMessage { id, source: Username::stored(source), json, arrived: 7, meta: None }
    }

    /// These pieces as a history: each is a private message with its number.
    fn cut(pieces: &[&'static [u8]]) -> HistoryCut {
        let mut cut = HistoryCut::default();
        for (id, piece) in (1..).zip(pieces) {
            let json = [b", ", *piece].concat().into();
            cut.take_own(own(id, "bob", json));
        }
        cut
    }

    fn users(names: &[&str]) -> Vec<Bytes> {
        names.iter().map(|name| [b", ", &json::string(name)[..]].concat().into()).collect()
    }

    fn extended(info: &str, names: &[&str], history: HistoryCut, view: View) -> Vec<Bytes> {
        let rest = Bytes::from_static(br#""X": 1"#);
        let filter = Arc::default();
        let welcome = Welcome::extended(info, users(names), history, filter, view, rest);
        welcome.fits().unwrap();
        welcome.assemble().unwrap()
    }

    #[test]
    fn the_pieces_are_one_frame_in_the_kind_order() {
        let history = cut(&[b"[1]", b"[2]"]);
        let welcome = Welcome::base("Hi", users(&["bob", "ann"]), history);
        let frame = welcome.assemble().unwrap().concat();
        let body = r#"{"USERNAME_ACCEPTED": true, "INFO": "Hi", "USER_LIST": ["bob", "ann"], "MESSAGES": [[1], [2]]}"#;
        assert_eq!(u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize, body.len());
        assert_eq!(std::str::from_utf8(&frame[4..]).unwrap(), body);
    }

    #[test]
    fn keys_of_capabilities_stand_behind_those_of_the_base_protocol() {
        let history = || cut(&[br#"["\u00e9"]"#, b"[2]"]);
        let frame = extended("\u{202e}", &["é"], history(), View::of(offer("ids/1")));
        let body = r#"{"USERNAME_ACCEPTED": true, "INFO": "\u202e", "USER_LIST": ["\u00e9"], "MESSAGES": [["\u00e9"], [2]], "IDS": [1, 2], "TIMES": [7, 7], "X": 1}"#;
        let check = |pieces: Vec<Bytes>, body: &str| {
            let frame = pieces.concat();
            assert_eq!(
                u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize,
                frame.len() - 4
            );
            assert_eq!(std::str::from_utf8(&frame[4..]).unwrap().trim_end(), body);
        };
        check(frame, body);
        let view = View::of(offer("ids/1 utf8/1"));
        let undone: Vec<Bytes> = extended("\u{202e}", &["é"], history(), view)
            .iter()
            .map(|piece| utf8::unescaped(piece).into_owned().into())
            .collect();
        check(undone, &body.replace("\\u00e9", "é"));
        let base = extended("", &[], cut(&[]), View::BASE);
        let body =
            r#"{"USERNAME_ACCEPTED": true, "INFO": "", "USER_LIST": [], "MESSAGES": [], "X": 1}"#;
        check(base, body);
    }

    #[test]
    fn who_is_hidden_is_left_out_of_both_lists() {
        let mut history = cut(&[b"[1]"]);
        history.take_own(own(5, "Eve", Bytes::from_static(b", [5]")));
        let hidden = HashSet::from([Username::stored("eve")]);
        let filter = Arc::new(BlockFilter { hidden, ..BlockFilter::default() });
        let rest = Bytes::from_static(br#""X": 1"#);
        let welcome =
            Welcome::extended("", vec![], history, filter, View::of(offer("ids/1")), rest);
        let frame = welcome.assemble().unwrap().concat();
        let body = String::from_utf8_lossy(&frame);
        assert!(body.contains(r#""MESSAGES": [[1]], "IDS": [1], "TIMES": [7], "X": 1"#), "{body}");
    }

    #[test]
    fn every_length_is_padded_right() {
        for fill in 0..600 {
            let welcome = Welcome::base(&"x".repeat(fill), vec![], cut(&[]));
            let frame = welcome.assemble().unwrap().concat();
            assert_eq!(
                u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize,
                frame.len() - 4
            );
            assert!(!frame[..4].contains(&b'{'));
        }
    }
}
