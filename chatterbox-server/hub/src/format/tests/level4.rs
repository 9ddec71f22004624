//! Level 4: messages that announce files.

use std::sync::Arc;

use super::{group, level1, level2};
use crate::format::{FormatError, decode, encode};
use crate::ids::MemberId;
use crate::record_meta::RecordMeta;
use crate::replica::proposal::{Group, Old, Proposal, Say};

const META: &str = r#"{"FILE": {"FILE": "Qx7"}}"#;

fn announcing() -> Say {
    let mut say = level1::say();
    let meta = RecordMeta { json: META.into(), sealed: "".into() };
    say.record.meta = Some(Arc::new(meta));
    say
}

#[test]
fn a_message_that_announces_a_file_is_of_the_fourth_level_in_the_bytes_of_the_second() {
    let written = encode(&group(Proposal::Say(announcing()))).unwrap();
    let without = encode(&group(Proposal::Say(level1::say()))).unwrap();
    assert_eq!((without[0], written[0]), (1, 4));
    assert_eq!(without[1..], written[1..without.len()], "the group itself is the same");
    // One, which goes with the first proposal: 25 bytes of text, and none for devices.
    let behind = [&b"\x01\x00\x19"[..], META.as_bytes(), b"\x00"].concat();
    assert_eq!(written[without.len()..], behind);
    assert_eq!(level2::metas(&decode(&written).unwrap()), [Some(META.to_owned())]);
    let cut = &written[..written.len() - 1];
    assert_eq!(decode(cut).unwrap_err(), FormatError::NotUnderstood);
}

#[test]
fn it_is_so_beside_what_was_read_too_and_not_for_messages_of_the_time_before() {
    let first = |proposals| {
        let all = Group { proposals, ..group(Proposal::Leave(MemberId(1))) };
        encode(&all).unwrap()[0]
    };
    assert_eq!(first(vec![Proposal::Read(Vec::new()), Proposal::Say(announcing())]), 4);
    assert_eq!(first(vec![Proposal::Read(Vec::new()), Proposal::Say(level2::replying())]), 3);
    let old = Old { number: 3, below: 0, record: announcing().record };
    assert_eq!(first(vec![Proposal::Old(old)]), 2);
}
