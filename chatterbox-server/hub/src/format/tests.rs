mod arbitrary;
mod garbage;
mod level1;
mod level2;
mod level3;
mod level4;

use bytes::Bytes;
use chatterbox_proto::{Capabilities, Capability, Username};
use proptest::prelude::*;

use super::{FormatError, decode, encode};
use crate::hub::Hub;
use crate::identity::Identity;
use crate::ids::{SessionId, SessionKey, Verifier};
use crate::membership::{JoinRequest, Resuming};
use crate::replica::proposal::{Group, Incarnation, Proposal};
use crate::{Keep, TimelineLimits};

/// A group of one proposal.
fn group(proposal: Proposal) -> Group {
    Group { from: Incarnation(u64::MAX), number: 7, proposals: vec![proposal] }
}

#[test]
fn what_has_a_number_gets_it_from_its_place() {
    let say = |number| {
        let mut say = level1::say();
        say.number = number;
        group(Proposal::Say(say))
    };
    let read = decode(&encode(&say(4711)).unwrap()).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", say(0)));
}

#[test]
fn a_group_has_as_many_proposals_as_there_are_numbers() {
    let of = |proposals| Group { proposals, ..group(Proposal::Down(Incarnation(1))) };
    let many = of(vec![Proposal::Down(Incarnation(1)); Group::PROPOSALS]);
    assert_eq!(decode(&encode(&many).unwrap()).unwrap().proposals.len(), Group::PROPOSALS);
    let too_many = of(vec![Proposal::Down(Incarnation(1)); Group::PROPOSALS + 1]);
    assert_eq!(encode(&too_many), Err(FormatError::TooMany));
    let forged = postcard::to_extend(&too_many, vec![1]).unwrap();
    assert_eq!(decode(&forged).unwrap_err(), FormatError::NotUnderstood);
}

#[test]
fn what_another_version_wrote_is_not_read() {
    let written = encode(&group(Proposal::Down(Incarnation(1)))).unwrap();
    let with_first = |first: u8| Bytes::from([&[first], &written[1..]].concat());
    assert!(decode(&with_first(1)).is_ok());
    // Level 5 is of commands alone, so no group is written in it.
    for level in [0, 5, 6, 255] {
        assert_eq!(decode(&with_first(level)).unwrap_err(), FormatError::Level { level });
    }
    assert_eq!(decode(&[]).unwrap_err(), FormatError::Empty);
    let longer = [&written[..], &[0, 0]].concat();
    assert_eq!(decode(&longer).unwrap_err(), FormatError::LeftOver { bytes: 2 });
    // Sender, number, one proposal, of a kind that is none.
    assert_eq!(decode(&[1, 1, 1, 1, 99]).unwrap_err(), FormatError::NotUnderstood);
}

#[test]
fn a_length_that_is_not_there_takes_no_memory() {
    // Each of these announces 2^60 of something.
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    let kinds: [&[u8]; 4] = [&[], &[1, 13], &[1, 8, 1], &[1, 6, 1, 0]];
    for kind in kinds {
        let bytes = [&[1, 1, 1], kind, &huge[..]].concat();
        assert_eq!(decode(&bytes).unwrap_err(), FormatError::NotUnderstood);
    }
}

#[test]
fn nobody_resumes_a_session_with_what_the_order_or_a_snapshot_has() {
    let (fresh, shown) = (0x1234_5678_9abc_def0_0fed_cba9_8765_4321, u128::MAX / 3);
    let key = SessionKey { id: SessionId(5), secret: shown };
    let name = Username::stored("ann");
    let request = || {
        let identity = Identity {
            agreed: Some(Capabilities::NONE.with(Capability::Ids)),
            ..Identity::guest(name.clone())
        };
        let resume = Some(Resuming { key: Some(key), after: 0, only: false });
        let base = JoinRequest::base(&name, "");
        JoinRequest { identity, extra: br#""X": 1"#, resume, random: fresh, ..base }
    };
    let (join, _) = request().into_parts();
    let written = encode(&group(Proposal::Join(Box::new(join)))).unwrap();
    let mut hub = Hub::new(
        TimelineLimits { events: 64, bytes: 1 << 20 },
        Keep { messages: 10, bytes: 1 << 20 },
    );
    hub.admit(request()).unwrap();
    let frozen = hub.freeze().unwrap();
    let has = |bytes: &[u8], number: u128| {
        let number = postcard::to_extend(&number, Vec::new()).unwrap();
        bytes.windows(number.len()).any(|window| window == number)
    };
    for secret in [fresh, shown] {
        assert!(!has(&written, secret) && !has(&frozen, secret));
        assert!(has(&written, Verifier::of(secret).0));
    }
    assert!(has(&frozen, Verifier::of(fresh).0), "it is what the session is known by");
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(group in arbitrary::group()) {
        let written = encode(&group).unwrap();
        let read = decode(&written).unwrap();
        prop_assert_eq!(format!("{read:?}"), format!("{group:?}"));
        // Debug hides what is secret, and what names are looked up by.
        prop_assert_eq!(encode(&read).unwrap(), written);
    }

    #[test]
    fn a_group_without_its_end_is_an_error(group in arbitrary::group(), at in any::<prop::sample::Index>()) {
        let written = encode(&group).unwrap();
        prop_assert!(decode(&written[..at.index(written.len())]).is_err());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        let _ = decode(&[&[1], &bytes[..]].concat());
    }

    #[test]
    fn no_broken_group_panics(
        group in arbitrary::group(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut written = encode(&group).unwrap().to_vec();
        let at = at.index(written.len());
        written[at] = byte;
        if let Ok(read) = decode(&written) {
            // What is read can be written again.
            prop_assert!(encode(&read).is_ok());
        }
    }
}
