//! A server's frame with everything read at once, for programs that trust their server: tests and tools.

use bytes::Bytes;

use super::deviation::Deviations;
use super::keys::ServerKeys;
use super::read::LazyFrame;
use crate::capability::Capabilities;
use crate::code::Code;
use crate::entry::Entry;
use crate::text::WireText;

/// One frame of a server; keys that could not be understood are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerFrame {
    /// `USERNAME_ACCEPTED`: whether the client has joined.
    pub accepted: Option<bool>,
    /// `INFO`: a text for the user.
    pub info: Option<WireText<'static>>,
    /// `USER_LIST`: the users who are present, in the welcome.
    pub user_list: Option<Vec<WireText<'static>>>,
    /// `USERS_JOINED`: users who became present; empty without the key.
    pub joined: Vec<WireText<'static>>,
    /// `MESSAGES`: the history in the welcome, live messages otherwise.
    pub messages: Option<Vec<Entry<'static>>>,
    /// `USERS_LEFT`: users who are no longer present; empty without the key.
    pub left: Vec<WireText<'static>>,
    /// `ERROR`: the faults of a frame of this client.
    pub error: Option<WireText<'static>>,
    /// The keys beyond the base protocol, if any are present.
    pub keys: Option<Box<ServerKeys>>,
}

impl ServerFrame {
    /// Reads the body of one frame, leniently.
    ///
    /// # Errors
    /// The [`Code`] of what kept the body from being a JSON object (or a bare string, which is an ERROR).
    pub fn parse(body: &[u8]) -> Result<(Self, Deviations), Code> {
        Self::parse_as(body, Capabilities::NONE)
    }

    /// The same with the keys of these capabilities: the negotiated ones, or the offered ones before the welcome.
    ///
    /// # Errors
    /// As [`ServerFrame::parse`].
    pub fn parse_as(body: &[u8], known: Capabilities) -> Result<(Self, Deviations), Code> {
        let (frame, notes) = LazyFrame::parse(&Bytes::copy_from_slice(body), known)?;
        Ok((Self::from(frame), notes))
    }
}

impl From<LazyFrame> for ServerFrame {
    fn from(frame: LazyFrame) -> Self {
        let LazyFrame { accepted, info, user_list, joined, messages, left, error, .. } = frame;
        let LazyFrame { ids, times, metas, mut keys, .. } = frame;
        if let Some(ids) = ids {
            keys.get_or_insert_default().ids = Some(ids.collect_with(|id| id));
        }
        if let Some(times) = times {
            keys.get_or_insert_default().times = Some(times.collect_with(|time| time));
        }
        if let Some(metas) = metas {
            keys.get_or_insert_default().meta = Some(metas.collect_with(|meta| meta));
        }
        Self {
            accepted,
            info,
            user_list: user_list.map(|names| names.collect_with(|name| name.into_owned())),
            joined: joined.collect_with(|name| name.into_owned()),
            messages: messages.map(|messages| messages.collect_with(|entry| entry.into_owned())),
            left: left.collect_with(|name| name.into_owned()),
            error,
            keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::deviation::{DEVIATIONS_KEPT, Deviation};
    use super::*;
    use crate::capability::Capability;

    fn read(body: &str) -> (ServerFrame, Vec<Deviation>) {
        let (frame, notes) = ServerFrame::parse(body.as_bytes()).unwrap();
        (frame, notes.into_vec())
    }

    fn names(names: &[&'static str]) -> Vec<WireText<'static>> {
        names.iter().map(|name| WireText::new(*name)).collect()
    }

    #[test]
    fn the_norm_is_read_without_a_note() {
        let (frame, notes) = read(
            r#"{"USERNAME_ACCEPTED": true, "INFO": "hi", "USER_LIST": ["a", "b"],
                "MESSAGES": [["a", "ALL", 5, "x"]], "USERS_JOINED": ["c"], "USERS_LEFT": ["b"], "ERROR": "e"}"#,
        );
        assert_eq!(notes, []);
        assert_eq!(frame.accepted, Some(true));
        assert_eq!(frame.user_list, Some(names(&["a", "b"])));
        assert_eq!((frame.joined, frame.left), (names(&["c"]), names(&["b"])));
        assert_eq!(frame.messages.unwrap()[0].timestamp, 5);
        assert_eq!(frame.info.unwrap().as_wire(), "hi");
        assert_eq!(frame.error.unwrap().as_wire(), "e");
    }

    #[test]
    fn what_real_servers_do_is_forgiven_and_noted() {
        let (frame, notes) = read(
            r#"{"USERNAME_ACCEPTED": "True", "USER_LIST": ["a", {"id": "7", "USERNAME": "b"}, 5],
                "MESSAGES": [["a", "ALL", 5.5, "x"], ["a", "ALL", "7", "y"], ["a"], ["a", "ALL", 1, "z", 9]],
                "USERS_JOINED": "c", "USERS_LEFT": 5, "INFO": null, "EXTRA": [{}]}"#,
        );
        assert_eq!(frame.accepted, Some(true));
        assert_eq!(frame.user_list, Some(names(&["a", "b"])));
        assert_eq!((frame.joined, frame.left), (names(&["c"]), vec![]));
        let times: Vec<_> = frame.messages.unwrap().iter().map(|m| m.timestamp).collect();
        assert_eq!(times, [5, 7, 1]);
        let notes: Vec<_> = notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "USERNAME_ACCEPTED is text, not a boolean (AC-1)",
                "USER_LIST holds objects (UL-1)",
                "USER_LIST has the wrong type (UL-1)",
                "the time of MESSAGES[0] is not an integer (TS-1)",
                "the time of MESSAGES[1] is not an integer (TS-1)",
                "MESSAGES[2] is not a message (T4-1)",
                "USERS_JOINED is one string, not a list (UJ-1)",
                "USERS_LEFT has the wrong type (UX-1)",
                "INFO has the wrong type (IN-1)",
                "unknown key EXTRA (BN-1)",
            ]
        );
    }

    #[test]
    fn what_was_agreed_is_read_and_nothing_else() {
        let body = r#"{"MESSAGES": [["a", "ALL", 1, "x"]], "IDS": [5], "ACKS": {"t": 5}, "PONG": -1, "RESUMED": true,
            "USERS_RENAMED": {"a": "b"}, "CAPABILITIES": "ids/1 zzz/4", "LIMITS": {"FRAME": 9, "X": 1}}"#;
        let known = Capabilities::NONE.with(Capability::Ids);
        let (frame, notes) = ServerFrame::parse_as(body.as_bytes(), known).unwrap();
        let unknown = |key| Deviation::UnknownKey(WireText::new(key));
        assert_eq!(notes.into_vec(), [unknown("PONG"), unknown("USERS_RENAMED")]);
        let keys = frame.keys.unwrap();
        assert_eq!((keys.ids, keys.resumed), (Some(vec![Some(5)]), Some(true)));
        assert_eq!((keys.agreed, keys.limits.unwrap().frame), (Some(known), Some(9)));
        assert_eq!(keys.acks, [(WireText::new("t"), 5)]);
        assert_eq!(read(body).0.keys, None);
        assert_eq!(read(body).1.len(), 7);
    }

    #[test]
    fn what_can_not_be_understood_is_noted() {
        let known = Capability::EVERY.iter().copied().collect();
        for body in [
            r#"{"IDS": 5}"#,
            r#"{"IDS": [0]}"#,
            r#"{"IDS": [9007199254740992]}"#,
            r#"{"ACKS": {"a": "b"}}"#,
            r#"{"HISTORY": {"WITH": "ALL", "MESSAGES": [], "IDS": [1], "MORE": false}}"#,
            r#"{"META": 5}"#,
            r#"{"META": [[]]}"#,
            r#"{"RESULT": {}}"#,
            r#"{"COMMANDS": [5]}"#,
            r#"{"ACCOUNT": {"LEVEL": 256}}"#,
            r#"{"PING": 1.5}"#,
            r#"{"LIMITS": 5}"#,
            r#"{"CAPABILITIES": 5}"#,
            r#"{"USERS_RENAMED": {"a": 5}}"#,
            r#"{"CODE": null}"#,
        ] {
            let (_, notes) = ServerFrame::parse_as(body.as_bytes(), known).unwrap();
            assert!(matches!(notes.into_vec()[..], [Deviation::WrongValue(..)]), "{body}");
        }
    }

    #[test]
    fn a_bare_string_is_an_error() {
        let (frame, notes) = read("\"go away\"");
        assert_eq!(frame.error.unwrap().as_wire(), "go away");
        assert_eq!(notes, [Deviation::BareError]);
        assert_eq!(ServerFrame::parse(b"5"), Err(Code::NotObject));
        assert_eq!(ServerFrame::parse(b"[]"), Err(Code::NotObject));
        assert_eq!(ServerFrame::parse(b"{"), Err(Code::NotJson));
    }

    #[test]
    fn a_hostile_frame_makes_few_notes() {
        let body = format!("{{\"MESSAGES\": [{}5]}}", "5, ".repeat(100_000));
        assert_eq!(read(&body).1.len(), DEVIATIONS_KEPT);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ServerFrame::parse(&body);
        }

        #[test]
        fn no_json_like_text_panics(
            body in r#"\{("MESSAGES"|"USER_LIST"|"USERS_LEFT"|"INFO"|"X"): (\[|\]|\{|\}|,|"a"|:|1|1e99|true| ){0,12}\}"#
        ) {
            let _ = ServerFrame::parse(body.as_bytes());
        }

        #[test]
        fn no_text_that_is_like_rooms_panics(
            body in r##"\{("ROOMS"|"ROOMS_LEFT"|"ROOM_USERS_JOINED"|"NOTICES"|"CLOSED"|"TIMES"|"META"|"HISTORY"|"DEFAULT"|"SERVER"): (\[|\]|\{|\}|,|"ROOM"|"NUMBER"|"CODE"|"USERS"|"KEEP"|"RETRY"|"#a"|:|1|null|true| ){0,14}\}"##
        ) {
            let _ = ServerFrame::parse_as(body.as_bytes(), Capability::EVERY.iter().copied().collect());
        }
    }
}
