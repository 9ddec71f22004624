//! Level 2: what goes with messages, behind the group.

use std::sync::Arc;

use super::{group, level1};
use crate::format::{FormatError, decode, encode};
use crate::ids::MemberId;
use crate::record_meta::RecordMeta;
use crate::replica::proposal::{Group, Old, Proposal, Say};

pub(super) fn replying() -> Say {
    let mut say = level1::say();
    let meta = RecordMeta { json: "{5}".into(), sealed: "{6}".into() };
    say.record.meta = Some(Arc::new(meta));
    say
}

pub(super) fn metas(group: &Group) -> Vec<Option<String>> {
    let json = |meta: &Option<Arc<RecordMeta>>| {
        meta.as_ref().map(|meta| String::from_utf8_lossy(&meta.json).into_owned())
    };
    let each = group.proposals.iter().map(|proposal| match proposal {
        Proposal::Say(say) => json(&say.record.meta),
        Proposal::Old(old) => json(&old.record.meta),
        _ => None,
    });
    each.collect()
}

#[test]
fn a_group_without_any_is_of_the_first_level_still() {
    let of_first = encode(&group(Proposal::Say(level1::say()))).unwrap();
    let of_second = encode(&group(Proposal::Say(replying()))).unwrap();
    assert_eq!((of_first[0], of_second[0]), (1, 2));
    assert_eq!(of_first[1..], of_second[1..of_first.len()], "the group itself is the same");
    // One, which goes with the first proposal: both texts with their lengths.
    assert_eq!(of_second[of_first.len()..], *b"\x01\x00\x03{5}\x03{6}");
}

#[test]
fn each_comes_back_to_its_message() {
    let old = Old { number: 3, below: 0, record: replying().record };
    let proposals = vec![
        Proposal::Leave(MemberId(1)),
        Proposal::Say(level1::say()),
        Proposal::Say(replying()),
        Proposal::Old(old),
    ];
    let all = Group { proposals, ..group(Proposal::Leave(MemberId(1))) };
    let read = decode(&encode(&all).unwrap()).unwrap();
    let there = Some("{5}".to_owned());
    assert_eq!(metas(&read), [None, None, there.clone(), there]);
}

#[test]
fn what_belongs_to_no_message_is_not_understood() {
    let mut written = encode(&group(Proposal::Say(level1::say()))).unwrap().to_vec();
    written[0] = 2;
    let with = |tail: &[u8]| decode(&[&written, tail].concat());
    assert!(with(b"\x00").is_ok());
    assert!(with(b"\x01\x00\x02{}\x00").is_ok());
    for tail in [
        &b""[..],
        // There is no second proposal.
        b"\x01\x01\x02{}\x00",
        // Twice the first one.
        b"\x02\x00\x02{}\x00\x00\x02{}\x00",
        // Nothing.
        b"\x01\x00\x00\x00",
        // Less, and lengths that are not there.
        b"\x01\x00\x02{",
        b"\x01\x00\xff\xff\xff\xff\xff\xff\xff\x0f",
        b"\xff\xff\xff\xff\xff\xff\xff\x0f",
    ] {
        assert_eq!(with(tail).unwrap_err(), FormatError::NotUnderstood, "{tail:?}");
    }
    assert_eq!(with(b"\x00\x00").unwrap_err(), FormatError::LeftOver { bytes: 1 });
    let leaving = encode(&group(Proposal::Leave(MemberId(1)))).unwrap();
    let with_something = [&[2], &leaving[1..], b"\x01\x00\x02{}\x00"].concat();
    assert_eq!(decode(&with_something).unwrap_err(), FormatError::NotUnderstood);
}
