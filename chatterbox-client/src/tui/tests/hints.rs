//! Hints: what is told of a conversation goes when it was read.

use super::super::control::Control;
use super::super::notify::Notifier;
use super::*;

const WELCOME: &str = r##"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "CAPABILITIES":
    "accounts/1 commands/1 devices/1 ids/1 marks/1 rename/1 rooms/1", "RESUME": "session", "ACCOUNT": {"LEVEL": 1},
    "DEFAULT": "ALL", "MESSAGES": [], "IDS": [], "READ": {}, "UNREAD": {}}"##;

fn control() -> Control {
    let notifier = Notifier::new(&crate::config::Config::default(), &|_| None);
    let time = TimeFormatter::new(TimeZone::UTC);
    #[allow(clippy::disallowed_methods, reason = "a moment to count from")]
    let now = Instant::now();
    Control::new(ui(), Keymap::default(), Theme::Mono, time, notifier, now)
}

#[test]
fn a_hint_at_what_another_device_has_read_goes() {
    let mut world = World::connected();
    world.gets(WELCOME);
    world.says("bob", "ann", "psst");
    let alert = world.app.take_alert().unwrap();
    let mut control = control();
    control.tell(&alert);
    let is_told = |control: &mut Control, world: &World| {
        control.expire_hint(world.app.model());
        control.ui.hint.is_some()
    };
    assert!(is_told(&mut control, &world));
    world.says("bob", "ann", "are you there?");
    world.gets(r#"{"READ": {"ALL": 102, "bob": 101}}"#);
    assert!(is_told(&mut control, &world), "the second one is unread");
    world.gets(r#"{"READ": {"bob": 102}}"#);
    assert!(!is_told(&mut control, &world), "there is nothing left to go to");
    // A hint about something else has nothing to do with what is read.
    control.hint("The mouse is taken");
    assert!(is_told(&mut control, &world));
}
