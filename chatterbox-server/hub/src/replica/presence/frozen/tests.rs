//! What is written of who is here, against what versions write that know of no devices.

use super::*;
use crate::digest::digest_of;

/// The bytes of [`two`], as level 1 has them.
const TWO: &[u8] = b"\x02\
    \x03\x03ann\0\0\0\0\x01\0\xc0\0\x02\x01\x80\xc4\x9f\xd5\x0c\x01\x03tea\0\x07\x01\x05\xe0\xa7\x12\0\
    \x04\x03bob\0\0\0\0\0\x82\xc4\x9f\xd5\x0c\0\0\x07\0\0\0\
    \0\0\xa0\x9c\x01\0\
    \x01\x03\x02";

fn guest(text: &str) -> Identity {
    Identity::guest(chatterbox_proto::Username::parse(text).unwrap())
}

fn of(user: u64) -> Connection {
    Connection { node: Incarnation(7), session: None, hold: 0, user: MemberId(user) }
}

fn two() -> Presence {
    let mut presence = Presence::default();
    let address = Some([192, 0, 2, 1].into());
    let ann = Identity { address, since: 1_700_000_000, away: Some("tea".into()), ..guest("ann") };
    let bob = Identity { since: 1_700_000_001, ..guest("bob") };
    let resumable = Connection { session: Some(SessionId(5)), hold: 300_000, ..of(3) };
    let _ = presence.insert(MemberId(3), ann, Arc::default(), resumable);
    let _ = presence.insert(MemberId(4), bob, Arc::default(), of(4));
    presence
}

fn written(presence: &Presence) -> Vec<u8> {
    postcard::to_extend(presence, Vec::new()).unwrap()
}

fn read(bytes: &[u8], devices: Devices) -> Option<Presence> {
    postcard::from_bytes::<FrozenPresence>(bytes).unwrap().with_devices(devices)
}

#[test]
fn without_devices_it_is_what_it_was_before_there_were_any() {
    let mut presence = two();
    let _ = presence.insert(MemberId(6), guest("ann"), Arc::default(), of(3));
    assert_ne!(digest_of(&presence), 0xc80b_639b_33cf_9258);
    let _ = presence.remove(MemberId(6));
    for presence in [presence, two(), read(TWO, Devices::new()).unwrap()] {
        assert!(presence.of_several().is_empty());
        assert_eq!(written(&presence), TWO);
        // Nodes of both versions compare it, so it is written down here.
        assert_eq!(digest_of(&presence), 0xc80b_639b_33cf_9258);
    }
}

#[test]
fn devices_are_put_to_their_users_or_nothing_is_read() {
    let mut presence = two();
    let _ = presence.insert(MemberId(6), guest("ann"), Arc::default(), of(3));
    let bytes = written(&presence);
    let devices = |all: &[(u64, &[u64])]| -> Devices {
        let each = all.iter();
        each.map(|(user, all)| (MemberId(*user), all.iter().copied().map(MemberId).collect()))
            .collect()
    };
    let again = read(&bytes, devices(&[(3, &[3, 6])])).unwrap();
    assert_eq!((digest_of(&again), written(&again)), (digest_of(&presence), bytes.clone()));
    let others: [&[(u64, &[u64])]; 9] = [
        &[],
        &[(3, &[6])],
        &[(3, &[3])],
        &[(3, &[3, 4, 6])],
        &[(3, &[3, 6, 9])],
        &[(4, &[3, 6])],
        &[(3, &[3, 6]), (4, &[6])],
        &[(3, &[3, 6]), (9, &[9])],
        &[(2, &[]), (3, &[3, 6])],
    ];
    for other in others {
        assert!(read(&bytes, devices(other)).is_none(), "{other:?}");
    }
    // When the first one has gone, the others are devices of its user still.
    let _ = presence.remove(MemberId(3));
    let again = read(&written(&presence), presence.of_several().clone()).unwrap();
    assert_eq!(*again.of_several(), devices(&[(3, &[6])]));
    assert_eq!(digest_of(&again), digest_of(&presence));
}
