//! The welcome, the first frame of a joined connection: a snapshot of the user list and the history (AC-1, UL-1, HI-1).

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::capability::utf8;
use chatterbox_proto::frame::{self, TooLong};
use chatterbox_proto::json::Object;
use chatterbox_proto::limits::PREFIX;

use crate::block_lists::BlockFilter;
use crate::room::cut::{HistoryCut, Written};

/// A welcome whose parts were taken at one moment; whoever has it puts it together, which reads what is hidden for its
/// receiver and takes no lock.
#[derive(Debug, Clone)]
pub struct Welcome {
    /// Everything up to the elements of MESSAGES, behind the free place for the length.
    head: Vec<u8>,
    history: HistoryCut,
    /// Whose messages are left out.
    filter: Arc<BlockFilter>,
    /// Whether the client agreed to IDS.
    ids: bool,
    /// More members, for clients that offered capabilities.
    rest: Option<Bytes>,
}

/// The most that a welcome has beside its head, its lists and its further members.
const BETWEEN: usize = 64;

impl Welcome {
    /// The welcome of a client that speaks the base protocol.
    ///
    /// The keys stand in the order USERNAME_ACCEPTED, INFO, USER_LIST, MESSAGES, which is the order in which weak clients
    /// expect them.
    pub(crate) fn base<'a>(
        info: &str,
        users: impl Iterator<Item = &'a Bytes>,
        history: HistoryCut,
    ) -> Self {
        let head = head(info, users);
        Self { head, history, filter: Arc::default(), ids: false, rest: None }
    }

    /// The welcome with keys of capabilities behind those of the base protocol: IDS, if the client agreed to them, then the
    /// members `rest`, at least one.
    pub(crate) fn extended<'a>(
        info: &str,
        users: impl Iterator<Item = &'a Bytes>,
        history: HistoryCut,
        filter: Arc<BlockFilter>,
        ids: bool,
        rest: Bytes,
    ) -> Self {
        Self { head: head(info, users), history, filter, ids, rest: Some(rest) }
    }

    /// Whether it fits a frame, with what is hidden.
    ///
    /// # Errors
    /// [`TooLong`] when the history does not fit a 4-byte length.
    pub(crate) fn fits(&self) -> Result<(), TooLong> {
        let rest = self.rest.as_ref().map_or(0, Bytes::len) + BETWEEN;
        frame::prefix(self.head.len() + self.history.size(self.ids) + rest).map(drop)
    }

    /// Puts it together: pieces of one frame, shared with other receivers as far as nothing is hidden in them.
    ///
    /// # Errors
    /// [`TooLong`] when the history does not fit a 4-byte length.
    pub fn assemble(self) -> Result<Vec<Bytes>, TooLong> {
        let Self { head, history, filter, ids, rest } = self;
        let Written { messages, ids } = history.write(&filter.hidden, ids);
        let Some(rest) = rest else { return frame(head, [messages], b"]}".to_vec()) };
        let mut lists = vec![messages];
        if let Some(ids) = ids {
            lists.push(vec![Bytes::from_static(br#"], "IDS": ["#)]);
            lists.push(ids);
        }
        frame(head, lists, [b"], ", &rest[..], b"}"].concat())
    }
}

/// Everything up to the elements of MESSAGES, behind the free place for the length.
fn head<'a>(info: &str, users: impl Iterator<Item = &'a Bytes>) -> Vec<u8> {
    let mut object = Object::with_capacity(256)
        .boolean("USERNAME_ACCEPTED", true)
        .string("INFO", info)
        .list("USER_LIST", users);
    object.begin_list("MESSAGES");
    object.into_open()
}

/// The pieces of one frame; `head` has a free place for the length.
fn frame(
    mut head: Vec<u8>,
    lists: impl AsRef<[Vec<Bytes>]> + IntoIterator<Item = Vec<Bytes>>,
    mut tail: Vec<u8>,
) -> Result<Vec<Bytes>, TooLong> {
    let middle: usize = lists.as_ref().iter().flatten().map(Bytes::len).sum();
    let count: usize = lists.as_ref().iter().map(Vec::len).sum();
    let (prefix, padding) = frame::prefix(head.len() - PREFIX + middle + tail.len())?;
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

/// Writes the text of a welcome without escapes (U8-1). This reads all of it, so it is not done under the lock.
///
/// # Errors
/// [`TooLong`] never happens, since it gets shorter.
pub fn unescaped(welcome: Vec<Bytes>) -> Result<Vec<Bytes>, TooLong> {
    let unescaped = |piece: Bytes| match utf8::unescaped(&piece) {
        Cow::Borrowed(_) => piece,
        Cow::Owned(text) => text.into(),
    };
    // No piece ends within a string, and the padding is white space behind the object.
    let mut pieces = welcome.into_iter();
    let mut head = pieces.next().unwrap_or_default();
    let prefix = head.split_to(PREFIX.min(head.len()));
    let head = [prefix, unescaped(head)].concat();
    frame(head, [pieces.map(unescaped).collect()], Vec::new())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chatterbox_proto::{Username, json};

    use super::*;

    /// These pieces as a history: each is a private message with its number.
    fn cut(pieces: &[&'static [u8]]) -> HistoryCut {
        let mut cut = HistoryCut::default();
        for (id, piece) in (1..).zip(pieces) {
            let json = [b", ", *piece].concat().into();
            cut.take_private(id, &Username::stored("bob"), &json);
        }
        cut
    }

    fn extended(info: &str, users: &[Bytes], history: HistoryCut, ids: bool) -> Vec<Bytes> {
        let rest = Bytes::from_static(br#""X": 1"#);
        let filter = Arc::default();
        let welcome = Welcome::extended(info, users.iter(), history, filter, ids, rest);
        welcome.fits().unwrap();
        welcome.assemble().unwrap()
    }

    #[test]
    fn the_pieces_are_one_frame_in_the_kind_order() {
        let users = [json::string("bob"), json::string("ann")];
        let history = cut(&[b"[1]", b"[2]"]);
        let welcome = Welcome::base("Hi", users.iter(), history);
        let frame = welcome.assemble().unwrap().concat();
        let body = r#"{"USERNAME_ACCEPTED": true, "INFO": "Hi", "USER_LIST": ["bob", "ann"], "MESSAGES": [[1], [2]]}"#;
        assert_eq!(u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize, body.len());
        assert_eq!(std::str::from_utf8(&frame[4..]).unwrap(), body);
    }

    #[test]
    fn keys_of_capabilities_stand_behind_those_of_the_base_protocol() {
        let users = [json::string("é")];
        let history = || cut(&[br#"["\u00e9"]"#, b"[2]"]);
        let frame = extended("\u{202e}", &users, history(), true);
        let body = r#"{"USERNAME_ACCEPTED": true, "INFO": "\u202e", "USER_LIST": ["\u00e9"], "MESSAGES": [["\u00e9"], [2]], "IDS": [1, 2], "X": 1}"#;
        let check = |pieces: Vec<Bytes>, body: &str| {
            let frame = pieces.concat();
            assert_eq!(
                u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize,
                frame.len() - 4
            );
            assert_eq!(std::str::from_utf8(&frame[4..]).unwrap().trim_end(), body);
        };
        check(frame.clone(), body);
        check(unescaped(frame).unwrap(), &body.replace("\\u00e9", "é"));
        let base = extended("", &[], cut(&[]), false);
        let body =
            r#"{"USERNAME_ACCEPTED": true, "INFO": "", "USER_LIST": [], "MESSAGES": [], "X": 1}"#;
        check(base, body);
    }

    #[test]
    fn who_is_hidden_is_left_out_of_both_lists() {
        let mut history = cut(&[b"[1]"]);
        history.take_private(5, &Username::stored("Eve"), &Bytes::from_static(b", [5]"));
        let hidden = HashSet::from([Username::stored("eve")]);
        let filter = Arc::new(BlockFilter { hidden, ..BlockFilter::default() });
        let rest = Bytes::from_static(br#""X": 1"#);
        let welcome = Welcome::extended("", [].iter(), history, filter, true, rest);
        let frame = welcome.assemble().unwrap().concat();
        let body = String::from_utf8_lossy(&frame);
        assert!(body.contains(r#""MESSAGES": [[1]], "IDS": [1], "X": 1"#), "{body}");
    }

    #[test]
    fn every_length_is_padded_right() {
        for fill in 0..600 {
            let welcome = Welcome::base(&"x".repeat(fill), [].iter(), cut(&[]));
            let frame = welcome.assemble().unwrap().concat();
            assert_eq!(
                u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize,
                frame.len() - 4
            );
            assert!(!frame[..4].contains(&b'{'));
        }
    }
}
