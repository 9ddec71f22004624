//! `c.recv`: what arrives is shown, and harms nothing.

use super::{messages, notices, strange};
use crate::{clause::Level, client::Case, fault::ClientFault};

const READ_HINT: &str = "recv(n) returns up to n bytes: collect in a buffer until 4 bytes are there, then until as many as the length says are there.";
const GLUE_HINT: &str = "One read can bring several frames: after taking one out of the buffer, look whether another is complete, and keep the rest for later.";
const PIGGYBACK_HINT: &str =
    "One object may carry several keys: test each with its own if, not with elif.";

pub const CASES: &[Case] = &[
    Case::new("c.recv.message", Level::Must, "MD-1", |c| Box::pin(messages::message(c)))
        .asks("A public message is shown, and who says it")
        .hint("Print SRC and CONTENT of every message in MESSAGES.")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::NothingShown, ClientFault::SenderHidden]),
    Case::new("c.recv.private", Level::Must, "MD-1", |c| Box::pin(messages::private(c)))
        .asks("A private message is shown")
        .hint("Messages whose DEST is the own name are shown, too, not only those to ALL.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::PrivateHidden]),
    Case::new("c.recv.unlisted", Level::Must, "MD-1", |c| Box::pin(messages::unlisted(c)))
        .asks("A message of somebody who is in no list is shown")
        .hint("Don't look the sender up in the list of users: servers may speak under a name that is in none.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::UnlistedHidden]),
    Case::new("c.recv.bytewise", Level::Must, "FR-3", |c| Box::pin(messages::bytewise(c)))
        .asks("A frame that arrives byte by byte is one frame")
        .hint(READ_HINT)
        .needs(&["c.recv.split-header", "c.recv.split-body"])
        .killed_by(&[ClientFault::LengthInTwoReads])
        .revised(2),
    Case::new("c.recv.split-header", Level::Must, "FR-3", |c| Box::pin(messages::split_header(c)))
        .asks("A length that arrives in two pieces is one length")
        .hint(READ_HINT)
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::SplitHeaderRaises, ClientFault::OneReadOneBody]),
    Case::new("c.recv.split-body", Level::Must, "FR-3", |c| Box::pin(messages::split_body(c)))
        .asks("A body that arrives in two pieces is one body")
        .hint(READ_HINT)
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::SplitBodyRaises, ClientFault::OneReadOneBody]),
    Case::new("c.recv.coalesced", Level::Must, "FR-4", |c| Box::pin(messages::coalesced(c)))
        .asks("Two frames in one write are both shown")
        .hint(GLUE_HINT)
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::SecondFrameDropped, ClientFault::OneReadOneBody]),
    Case::new("c.recv.len-123", Level::Must, "FR-1", |c| Box::pin(messages::len_123(c)))
        .asks("A body of 123 bytes, whose length byte is 0x7B, the code of {")
        .hint("Take the first 4 bytes as the length; don't search the data for the first {.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::SearchesForBrace]),
    Case::new("c.recv.multi", Level::Must, "MM-1", |c| Box::pin(messages::multi(c)))
        .asks("Three messages in one frame are all shown")
        .hint("Loop over the list in MESSAGES; don't look at its first element only.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::FirstMessageOnly]),
    Case::new("c.recv.whitespace", Level::Must, "JS-1", |c| Box::pin(messages::whitespace(c)))
        .asks("White space around the object and in it means nothing")
        .hint("Give the whole body to a JSON parser; don't look at its first byte.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::RefusesLeadingBlank]),
    Case::new("c.recv.braces", Level::Must, "JS-2", |c| Box::pin(messages::braces(c)))
        .asks("A text with blanks, braces and @ is shown whole")
        .hint("The length says where a body ends; don't look for } in it.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::EndsAtBrace]),
    Case::new("c.recv.escapes", Level::Must, "JS-2", |c| Box::pin(messages::escapes(c)))
        .revised(2)
        .asks("Escapes in JSON strings mean the characters that they stand for")
        .hint("Use a JSON parser; don't cut the text yourself.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::EscapesKept]),
    Case::new("c.recv.raw-utf8", Level::Should, "JS-3", |c| Box::pin(messages::raw_utf8(c)))
        .asks("Unescaped UTF-8 in a message is shown")
        .hint("Decode the body as utf-8, not as ascii.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::AsciiOnly]),
    Case::new("c.recv.echo", Level::Open, "RT-3", |c| Box::pin(messages::echo(c)))
        .asks("What does it do with its own message when the server returns it?")
        .needs(&["c.recv.message", "c.send.public"])
        .killed_by(&[ClientFault::OwnEchoHidden, ClientFault::SendsEchoAgain]),
    Case::new("c.recv.piggyback", Level::Must, "PB-1", |c| Box::pin(notices::piggyback(c)))
        .asks("A message beside INFO, USERS_JOINED and USERS_LEFT is shown")
        .hint(PIGGYBACK_HINT)
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::OneKeyAFrame]),
    Case::new("c.recv.piggyback-accept", Level::Must, "PB-1", |c| Box::pin(notices::piggyback_accept(c)))
        .asks("A welcome that carries USERS_JOINED, too, is a welcome")
        .hint(PIGGYBACK_HINT)
        .needs(&["c.send.public"])
        .killed_by(&[ClientFault::NoticeBesideWelcomeRaises]),
    Case::new("c.recv.joined", Level::Should, "UJ-1", |c| Box::pin(notices::joined(c)))
        .asks("The user is told who joined")
        .hint("Print the names in USERS_JOINED; it is a list.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::JoinedHidden]),
    Case::new("c.recv.left", Level::Should, "UX-1", |c| Box::pin(notices::left(c)))
        .asks("The user is told who left")
        .hint("Print the names in USERS_LEFT; it is a list.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::LeftHidden]),
    Case::new("c.recv.error", Level::Must, "DS-1", |c| Box::pin(notices::error(c)))
        .asks("The text of ERROR is shown")
        .hint("Print the text under ERROR, wherever it turns up.")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::ErrorHidden]),
    Case::new("c.recv.unknown-key", Level::Should, "BN-2", |c| Box::pin(strange::unknown_key(c)))
        .asks("An unknown key beside a message is ignored, before it and behind it")
        .hint("Ignore keys that you don't know, whatever the type of their value is, and look for those that you know by name: the first key of an object says nothing.")
        .needs(&["c.recv.message", "c.recv.braces", "c.send.public"])
        .killed_by(&[ClientFault::UnknownKeyRaises, ClientFault::UnknownKeyFirst])
        .revised(2),
    Case::new("c.recv.left-unknown", Level::Should, "UX-2", |c| Box::pin(strange::left_unknown(c)))
        .asks("USERS_LEFT for somebody who is in no list harms nothing")
        .hint("list.remove raises when the name is not in it: look first.")
        .needs(&["c.recv.message", "c.send.public"])
        .killed_by(&[ClientFault::LeftUnknownRaises]),
    Case::new("c.recv.control", Level::Should, "MD-2", |c| Box::pin(strange::control(c)))
        .asks("Escape sequences in a message don't reach the terminal")
        .hint("Replace control characters before you print what came from the network, and nothing else: \"\".join(c if c.isprintable() else \"?\" for c in text) in Python.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::ControlsRaw]),
    Case::new("c.recv.bad-json", Level::Should, "IV-2", |c| Box::pin(strange::bad_json(c)))
        .asks("A frame that is not JSON harms nothing")
        .hint("Catch the parser's error, and go on with the next frame.")
        .needs(&["c.recv.message"])
        .killed_by(&[ClientFault::JunkRaises]),
];
