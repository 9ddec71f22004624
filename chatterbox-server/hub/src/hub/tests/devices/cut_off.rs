//! Devices that were cut off, and come back to a user who is here on others.

use super::*;

/// A device comes back with its session.
fn back(
    hub: &mut Hub,
    text: &str,
    device: &Device,
    speaks: &[Capability],
    only: bool,
) -> Result<Device, JoinError> {
    let resume = Resuming { key: device.session, after: 0, only };
    come_with(hub, text, ann(), speaks, Some(resume))
}

fn reason(came: Result<Device, JoinError>) -> Option<Refusal> {
    match came {
        Err(JoinError::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

fn is_resumed(device: &Device) -> Option<bool> {
    device.welcome.keys.as_ref().and_then(|keys| keys.resumed)
}

fn nick(hub: &mut Hub, by: MemberId, text: &str) {
    let rename = Rename { name: name(text), owns: false, blocked_by: vec![], now: 0 };
    let _ = hub.rename(by, rename).unwrap();
}

#[test]
fn one_that_does_not_speak_of_devices_any_more_goes_on_only_alone() {
    let mut hub = hub();
    let (one, two) = (come(&mut hub, "ann", ann()), come(&mut hub, "ann", ann()));
    // Whether its connection is there still or not.
    for _ in 0..2 {
        for only in [false, true] {
            let came = back(&mut hub, "ann", &two, ALONE, only);
            assert_eq!(reason(came), Some(Refusal::Taken), "{only}");
        }
        let _ = hub.leave(two.id);
    }
    let _ = hub.leave(one.id);
    let alone = back(&mut hub, "ann", &two, ALONE, true).unwrap();
    assert_eq!(is_resumed(&alone), Some(true));
    assert_eq!(refused(&mut hub, "ann", ann(), DEVICES), Refusal::Taken);
}

#[test]
fn the_sixth_that_comes_back_is_told_that_there_are_too_many() {
    let mut hub = hub();
    let all: Vec<_> = (0..limits::DEVICES).map(|_| come(&mut hub, "ann", ann())).collect();
    let cut_off = &all[3];
    let _ = hub.leave(cut_off.id);
    let another = come(&mut hub, "ann", ann());
    for only in [false, true] {
        let came = back(&mut hub, "ann", cut_off, DEVICES, only);
        assert_eq!(reason(came), Some(Refusal::TooManyDevices), "{only}");
    }
    let _ = hub.leave(another.id);
    assert_eq!(is_resumed(&back(&mut hub, "ann", cut_off, DEVICES, true).unwrap()), Some(true));
}

#[test]
fn nobody_is_away_again_by_a_device_that_was_cut_off_meanwhile() {
    let mut hub = hub();
    let (phone, laptop) = (come(&mut hub, "ann", ann()), come(&mut hub, "ann", ann()));
    hub.set_away(phone.id, Some("lunch"));
    let _ = hub.leave(phone.id);
    say(&mut hub, laptop.id, None, "back");
    let _ = hub.leave(laptop.id);
    let again = back(&mut hub, "ann", &phone, DEVICES, true).unwrap();
    assert_eq!(hub.identity(again.id).unwrap().away, None);
    // The last one that goes keeps it.
    hub.set_away(again.id, Some("out"));
    let _ = hub.leave(again.id);
    let again = back(&mut hub, "ann", &phone, DEVICES, true).unwrap();
    assert_eq!(hub.identity(again.id).unwrap().away.as_deref(), Some("out"));
}

#[test]
fn one_that_was_cut_off_comes_back_to_its_user_whatever_that_is_called_now() {
    let mut hub = hub();
    let (phone, laptop) = (come(&mut hub, "ann", ann()), come(&mut hub, "ann", ann()));
    let _ = hub.leave(phone.id);
    nick(&mut hub, laptop.id, "annie");
    assert_eq!(hub.resumable(phone.session.unwrap(), &name("ann")), Some(ann()));
    for asks in ["ann", "annie"] {
        let again = back(&mut hub, asks, &phone, DEVICES, true).unwrap();
        assert_eq!((is_resumed(&again), users(&again.welcome)), (Some(true), vec!["annie"]));
        assert_eq!((hub.name_of(again.id), hub.members()), (Some(&name("annie")), 1));
        assert_eq!(hub.who(&name("ann")), None);
        let _ = hub.leave(again.id);
    }
    // One that does not speak of devices, or has not the account, finds nothing by the former name.
    assert!(matches!(back(&mut hub, "ann", &phone, ALONE, true), Err(JoinError::NotResumable)));
    let resume = phone.session.map(|key| (key, 0));
    let eve = come_as(&mut hub, "ann", account(8, "eve"), DEVICES, resume).unwrap();
    assert_eq!((is_resumed(&eve), hub.name_of(eve.id)), (Some(false), Some(&name("ann"))));
    // Whoever has the former name now keeps it.
    assert_eq!(reason(back(&mut hub, "ann", &phone, DEVICES, false)), Some(Refusal::Taken));
    let _ = (hub.leave(eve.id), hub.leave(laptop.id));
    // Where nobody of theirs is here, the name is as good as any, and the session is not under it.
    come(&mut hub, "annie", None);
    let anew = back(&mut hub, "ann", &phone, DEVICES, false).unwrap();
    assert_eq!((is_resumed(&anew), hub.name_of(anew.id)), (Some(false), Some(&name("ann"))));
}
