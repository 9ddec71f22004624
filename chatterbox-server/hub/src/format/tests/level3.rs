//! Level 3: what users have read.

use super::{group, level1, level2};
use crate::format::{FormatError, decode, encode};
use crate::ids::MemberId;
use crate::mark::{Marked, ReadMark};
use crate::replica::proposal::{Group, Proposal};

#[test]
fn what_was_read_is_of_the_third_level_with_nothing_behind_it() {
    let account = level1::account();
    let mark = ReadMark { account, by: MemberId(300), with: Marked::Lobby, upto: 7 };
    let written = encode(&group(Proposal::Read(vec![mark.clone()]))).unwrap();
    // Behind sender and number one proposal, of kind 19, of one mark; behind them no metas.
    let head = [&[3][..], &[0xff; 9], &[1, 7, 1]].concat();
    let read = b"\x13\x01\x0a\x03Ann\x00\xac\x02\x00\x07\x00";
    assert_eq!(written, [&head[..], read].concat());
    match &decode(&written).unwrap().proposals[..] {
        [Proposal::Read(marks)] => assert_eq!(*marks, [mark]),
        other => panic!("{other:?}"),
    }
    let without = &written[..written.len() - 1];
    assert_eq!(decode(without).unwrap_err(), FormatError::NotUnderstood, "the list is missing");
}

#[test]
fn what_goes_with_messages_stands_behind_it_too() {
    let both = vec![Proposal::Say(level2::replying()), Proposal::Read(Vec::new())];
    let written =
        encode(&Group { proposals: both, ..group(Proposal::Leave(MemberId(1))) }).unwrap();
    assert_eq!(written[0], 3);
    assert_eq!(level2::metas(&decode(&written).unwrap()), [Some("{5}".to_owned()), None]);
}
