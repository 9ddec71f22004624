//! Scripted servers: what members understand of their bytes, however these are split.

use proptest::prelude::*;

use super::{PeerSession, envelope};
use crate::{
    content::{Facts, Purpose, Texts},
    dialect::Dialect,
    frame_summary::{FrameSummary, Reading},
    user_names::UserNames,
};

const TEXT: usize = 40;

fn reading() -> Reading {
    let names = UserNames::new("ab3de");
    Reading { texts: Texts::new(&names, TEXT), names }
}

fn name(user: u32) -> String {
    reading().names.name(user)
}

fn text(sender: u32, sequence: u32) -> Vec<u8> {
    let mut text = Vec::new();
    let micros = u64::from(sequence) * 10;
    let facts = Facts { purpose: Purpose::Public, sender, sequence, micros };
    reading().texts.write(facts, &mut text);
    text
}

/// What a member makes of a stream that comes in pieces of `step` bytes.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    /// Sender and sequence number of each message.
    messages: Vec<(u32, u32)>,
    joined: Vec<u32>,
    left: Vec<u32>,
    welcomes: Vec<(bool, Option<Vec<u32>>, Option<String>)>,
    errors: Vec<String>,
    nonsense: usize,
    strangers: u32,
    altered: u32,
    answers: Vec<u8>,
}

impl Heard {
    fn of(dialect: Dialect, stream: &[u8], step: usize) -> Self {
        let mut session = PeerSession::new(dialect).unwrap();
        let (mut heard, mut answers) = (Self::default(), Vec::new());
        for chunk in stream.chunks(step) {
            session.push(chunk, &reading(), &mut answers, |summary| heard.note(summary));
        }
        heard.answers = answers;
        heard
    }

    fn note(&mut self, summary: &FrameSummary) {
        let before = self.messages.len();
        for run in &summary.runs {
            self.messages.extend((0..run.count).map(|n| (run.sender, run.first + n)));
        }
        assert_eq!(self.messages.len() - before, summary.messages as usize);
        self.joined.extend(&summary.joined);
        self.left.extend(&summary.left);
        match summary.accepted {
            // A welcome's messages would be taken for its history.
            Some(accepted) => {
                assert_eq!(summary.messages, 0);
                self.welcomes.push((accepted, summary.listed.clone(), summary.error.clone()));
            }
            None => self.errors.extend(summary.error.clone()),
        }
        self.nonsense += usize::from(summary.nonsense.is_some());
        self.strangers += summary.strangers;
        self.altered += summary.altered;
    }
}

fn line(text: &str) -> Vec<u8> {
    format!("{text}\r\n").into_bytes()
}

fn said(sender: u32, sequence: u32) -> Vec<u8> {
    let text = String::from_utf8(text(sender, sequence)).unwrap();
    line(&format!(":{}!load@127.0.0.1 PRIVMSG #load :{text}", name(sender)))
}

/// A welcome as servers of IRC send it.
fn welcome() -> Vec<u8> {
    let [me, two, three] = [1, 2, 3].map(name);
    [
        format!(":peer.example 001 {me} :Welcome {me}!load@127.0.0.1"),
        format!(":peer.example 005 {me} NICKLEN=30 PREFIX=(ov)@+ :are supported by this server"),
        format!(":peer.example 422 {me} :Message of the day file is missing."),
        format!(":{me}!load@127.0.0.1 JOIN :#load"),
        format!(":peer.example 353 {me} = #load :@{two} ann"),
        format!(":peer.example 353 {me} = #load :+{three} {me}"),
        format!(":peer.example 366 {me} #load :End of /NAMES list."),
    ]
    .iter()
    .flat_map(|text| line(text))
    .collect()
}

#[test]
fn a_member_of_irc_registers_joins_and_listens() {
    let [me, four] = [1, 4].map(name);
    let session = PeerSession::new(Dialect::Irc).unwrap();
    let opening = format!("NICK {me}\r\nUSER load 0 * :load\r\n");
    assert_eq!(session.opening(&me), opening.as_bytes());
    let stream = [
        welcome(),
        line("PING :peer.example"),
        line(&format!("@time=now :{four}!~load@127.0.0.1 JOIN #load")),
        said(4, 0),
        said(4, 1),
        said(2, 0),
        line(":ann!a@b PRIVMSG #load :hello"),
        line(&format!(":{four}!load@127.0.0.1 QUIT :gone")),
    ]
    .concat();
    let expected = Heard {
        messages: vec![(4, 0), (4, 1), (2, 0)],
        joined: vec![1, 4],
        left: vec![4],
        welcomes: vec![(true, Some(vec![2, 3, 1]), None)],
        strangers: 1,
        answers: b"JOIN #load\r\nPONG :peer.example\r\n".to_vec(),
        ..Heard::default()
    };
    assert_eq!(Heard::of(Dialect::Irc, &stream, stream.len()), expected);
}

#[test]
fn a_server_of_irc_refuses_a_name_or_complains_later() {
    let taken = line(":peer.example 433 * ann :Nickname is already in use");
    let heard = Heard::of(Dialect::Irc, &taken, 500);
    let words = "ann :Nickname is already in use".to_owned();
    assert_eq!(heard.welcomes, [(false, None, Some(words))]);
    let closed = Heard::of(Dialect::Irc, b"ERROR :Too many connections\n", 500);
    assert_eq!(closed.welcomes, [(false, None, Some("Too many connections".to_owned()))]);
    let later = [welcome(), line(":peer.example 404 me #load :Cannot send to channel")].concat();
    let heard = Heard::of(Dialect::Irc, &later, 500);
    assert_eq!((heard.welcomes.len(), heard.errors.len()), (1, 1), "{heard:?}");
}

#[test]
fn what_is_altered_on_irc_is_noticed() {
    let mut changed = said(4, 0);
    let place = changed.len() - 4;
    changed[place] ^= 1;
    let foreign = text(5, 0);
    let foreign = String::from_utf8(foreign).unwrap();
    let stream = [
        changed,
        // It says that somebody else has said it.
        line(&format!(":{}!load@127.0.0.1 PRIVMSG #load :{foreign}", name(4))),
        line(&format!(":{}!load@127.0.0.1 PRIVMSG #other :{foreign}", name(5))),
    ]
    .concat();
    let heard = Heard::of(Dialect::Irc, &stream, stream.len());
    assert_eq!((heard.altered, heard.strangers), (2, 1), "{heard:?}");
    assert!(heard.messages.is_empty());
}

#[test]
fn a_line_without_an_end_is_told_once() {
    let stream = [vec![b'x'; 30_000], line(""), said(4, 0)].concat();
    let heard = Heard::of(Dialect::Irc, &stream, 4_096);
    assert_eq!((heard.nonsense, heard.messages.len()), (1, 0), "{heard:?}");
    let nothing = Heard::of(Dialect::Irc, b":source-without-a-command\r\n", 100);
    assert_eq!(nothing.nonsense, 1);
}

fn published(text: &[u8]) -> Vec<u8> {
    let (head, tail) = envelope(Dialect::Mqtt, text.len()).unwrap();
    [&head[..], text, tail].concat()
}

#[test]
fn a_member_of_mqtt_connects_subscribes_and_listens() {
    let mut altered = text(3, 0);
    altered[39] ^= 1;
    let stream = [
        b"\x20\x02\x00\x00".to_vec(),
        b"\x90\x03\x00\x01\x00".to_vec(),
        published(&text(1, 0)),
        b"\xD0\x00".to_vec(),
        published(&text(2, 0)),
        published(&altered),
        published(b"hello"),
        b"\x30\x08\x00\x05otherx".to_vec(),
        // One with an identifier, which nobody has asked for; and a kind that no server sends.
        b"\x32\x09\x00\x04load\x00\x01x".to_vec(),
        b"\xC0\x00".to_vec(),
    ]
    .concat();
    let expected = Heard {
        messages: vec![(1, 0), (2, 0)],
        welcomes: vec![(true, None, None)],
        altered: 1,
        strangers: 2,
        // Both are in one read, and one is told of.
        nonsense: 1,
        answers: b"\x82\x09\x00\x01\x00\x04load\x00".to_vec(),
        ..Heard::default()
    };
    assert_eq!(Heard::of(Dialect::Mqtt, &stream, stream.len()), expected);
}

#[test]
fn a_server_of_mqtt_refuses() {
    let heard = Heard::of(Dialect::Mqtt, b"\x20\x02\x00\x05", 100);
    let words = "the connection is refused with code 5".to_owned();
    assert_eq!(heard.welcomes, [(false, None, Some(words))]);
    let stream = b"\x20\x02\x00\x00\x90\x03\x00\x01\x80";
    let heard = Heard::of(Dialect::Mqtt, stream, 100);
    assert_eq!(heard.welcomes, [(false, None, Some("the subscription is refused".to_owned()))]);
}

#[test]
fn a_packet_without_an_end_is_told_once() {
    let stream = [b"\x30\xFF\xFF\xFF\x7F".to_vec(), published(&text(1, 0))].concat();
    for step in [1, 3, 100] {
        let heard = Heard::of(Dialect::Mqtt, &stream, step);
        assert_eq!((heard.nonsense, heard.messages.len()), (1, 0), "{heard:?}");
    }
}

#[test]
fn what_a_sender_writes_is_what_a_server_passes_on() {
    assert!(envelope(Dialect::Chatterbox, TEXT).is_none());
    let (head, tail) = envelope(Dialect::Irc, TEXT).unwrap();
    let spoken = [&head[..], &text(4, 7), tail].concat();
    let passed_on = [format!(":{}!load@127.0.0.1 ", name(4)).into_bytes(), spoken].concat();
    assert_eq!(Heard::of(Dialect::Irc, &passed_on, 1_000).messages, [(4, 7)]);
}

fn piece_of_irc() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => (0..4_u32, 0..50_u32).prop_map(|(sender, sequence)| said(sender, sequence)),
        1 => Just(welcome()),
        2 => prop::sample::select(vec![
            "PING :a", "PING", "", ":", "@", ":x", "ERROR :no", "QUIT", "353", "353 a = b :", "001",
            ":a!b@c PRIVMSG", ":a!b@c PRIVMSG #load", ":peer 404 a b :c", "NOTICE * :hello",
        ]).prop_map(line),
    ]
}

fn piece_of_mqtt() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => (0..4_u32, 0..50_u32).prop_map(|(sender, sequence)| published(&text(sender, sequence))),
        3 => prop::sample::select(vec![
            &b"\x20\x02\x00\x00"[..], b"\x20\x02\x00\x01", b"\x90\x03\x00\x01\x00", b"\xD0\x00",
            b"\x30\x00", b"\x30\x03\x00\x09a", b"\xE0\x00", b"\x20\x00", b"\x90\x01\x00",
        ]).prop_map(<[u8]>::to_vec),
    ]
}

proptest! {
    #[test]
    fn any_split_of_irc_means_the_same(
        pieces in prop::collection::vec(piece_of_irc(), 0..20), step in 1..300_usize,
    ) {
        let stream = pieces.concat();
        let (whole, split) = (
            Heard::of(Dialect::Irc, &stream, stream.len().max(1)),
            Heard::of(Dialect::Irc, &stream, step),
        );
        // What came together is told of together, and trouble only once.
        prop_assert_eq!(whole.nonsense > 0, split.nonsense > 0);
        prop_assert_eq!(Heard { nonsense: 0, ..whole }, Heard { nonsense: 0, ..split });
    }

    #[test]
    fn any_split_of_mqtt_means_the_same(
        pieces in prop::collection::vec(piece_of_mqtt(), 0..20), step in 1..300_usize,
    ) {
        let stream = pieces.concat();
        let (whole, split) = (
            Heard::of(Dialect::Mqtt, &stream, stream.len().max(1)),
            Heard::of(Dialect::Mqtt, &stream, step),
        );
        prop_assert_eq!(whole.nonsense > 0, split.nonsense > 0);
        prop_assert_eq!(Heard { nonsense: 0, ..whole }, Heard { nonsense: 0, ..split });
    }

    #[test]
    fn anything_may_come(bytes in prop::collection::vec(any::<u8>(), 0..3_000), step in 1..500_usize) {
        for dialect in [Dialect::Irc, Dialect::Mqtt] {
            let heard = Heard::of(dialect, &bytes, step);
            // Nobody can be made to say more than a little for each line.
            prop_assert!(heard.answers.len() <= 16 * bytes.len() + 16);
        }
    }
}
