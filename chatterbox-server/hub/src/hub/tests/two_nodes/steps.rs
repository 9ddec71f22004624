//! What happens at two nodes.

use proptest::prelude::*;

use crate::{Level, RoomKeep, RoomSetting};

/// The first have accounts.
pub(super) const USERS: [(&str, &str, &str); 7] = [
    ("ann", "Anna", "ids/1 rename/1 commands/1 notices/1 rooms/1 presence/1"),
    ("bob", "rob", "ids/1 rename/1 commands/1 notices/1 rooms/1"),
    ("cyd", "sid", "ids/1 commands/1 rooms/1 utf8/1"),
    ("dan", "daniel", "ids/1 rename/1 commands/1 notices/1 rooms/1"),
    ("eve", "yve", "ids/1 rename/1 rooms/1 presence/1"),
    ("fay", "fayence", ""),
    ("gus", "gustav", "ids/1 rename/1 commands/1 notices/1 rooms/1"),
];
pub(super) const ACCOUNTS: usize = 4;
pub(super) const ROOMS: [&str; 3] = ["#lab", "#talk", "#old"];

#[derive(Debug, Clone)]
pub(super) enum Step {
    Come(usize, usize),
    Go(usize),
    /// Somebody comes back to their session, at either node, with what they have read of it.
    Resume(usize, usize),
    Rename(usize),
    SayToAll(usize),
    Whisper(usize, usize),
    SayIn(usize, usize),
    Block(usize, Vec<usize>),
    Away(usize, bool),
    /// Somebody gives somebody a level, whichever node either is at.
    Promote(usize, usize, usize),
    Room(usize, RoomStep),
    /// A node is asked to put somebody out, to ban them, to mute them, or to lift all that was imposed.
    Kick(usize, usize),
    Ban(usize, usize, bool),
    Lift(usize),
    EndLogins(usize, usize),
    Tell(usize, TellStep),
    /// A node is found to be dead by the other one, and begins another life.
    Down(usize),
    Wait(u64),
    Take(usize),
}

#[derive(Debug, Clone)]
pub(super) enum RoomStep {
    Create(usize),
    Enter(usize),
    Leave(usize),
    Delete(usize),
    Set(usize, Setting),
    Invite(usize, usize),
    Uninvite(usize, usize),
    Clear(Option<usize>),
    Level(usize, usize, usize),
    Remove(usize, usize),
}

#[derive(Debug, Clone)]
pub(super) enum Setting {
    Topic(u8),
    Hidden(bool),
    Keep(u32),
    Roster(bool),
}

#[derive(Debug, Clone)]
pub(super) enum TellStep {
    All,
    Room(usize),
    Staff(Option<usize>, usize),
    Report(Option<usize>, usize),
    One(usize),
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..USERS.len();
    let node = || 0..2_usize;
    // Half of what happens, happens in one room.
    let room = || prop_oneof![0..1_usize, 0..ROOMS.len()];
    let setting = prop_oneof![
        any::<u8>().prop_map(Setting::Topic),
        any::<bool>().prop_map(Setting::Hidden),
        (0..5_u32).prop_map(Setting::Keep),
        any::<bool>().prop_map(Setting::Roster),
    ];
    let in_rooms = prop_oneof![
        3 => room().prop_map(RoomStep::Create),
        8 => room().prop_map(RoomStep::Enter),
        2 => room().prop_map(RoomStep::Leave),
        1 => room().prop_map(RoomStep::Delete),
        3 => (room(), setting).prop_map(|(room, setting)| RoomStep::Set(room, setting)),
        2 => (room(), who()).prop_map(|(room, who)| RoomStep::Invite(room, who)),
        1 => (room(), who()).prop_map(|(room, who)| RoomStep::Uninvite(room, who)),
        1 => prop::option::of(room()).prop_map(RoomStep::Clear),
        2 => (room(), 0..ACCOUNTS, 0..4_usize)
            .prop_map(|(room, who, level)| RoomStep::Level(room, who, level)),
        2 => (room(), who()).prop_map(|(room, who)| RoomStep::Remove(room, who)),
    ];
    let tell = prop_oneof![
        Just(TellStep::All),
        room().prop_map(TellStep::Room),
        (prop::option::of(room()), 0..4_usize)
            .prop_map(|(room, level)| TellStep::Staff(room, level)),
        (prop::option::of(room()), who()).prop_map(|(room, who)| TellStep::Report(room, who)),
        who().prop_map(TellStep::One),
    ];
    let step = prop_oneof![
        8 => (who(), node()).prop_map(|(who, node)| Step::Come(who, node)),
        2 => who().prop_map(Step::Go),
        4 => (who(), node()).prop_map(|(who, node)| Step::Resume(who, node)),
        2 => who().prop_map(Step::Rename),
        4 => who().prop_map(Step::SayToAll),
        6 => (who(), who()).prop_map(|(who, to)| Step::Whisper(who, to)),
        6 => (who(), room()).prop_map(|(who, room)| Step::SayIn(who, room)),
        2 => (who(), prop::collection::vec(who(), 0..3))
            .prop_map(|(who, whom)| Step::Block(who, whom)),
        2 => (who(), any::<bool>()).prop_map(|(who, away)| Step::Away(who, away)),
        2 => (node(), who(), 0..6_usize)
            .prop_map(|(node, who, level)| Step::Promote(node, who, level)),
        14 => (who(), in_rooms).prop_map(|(who, step)| Step::Room(who, step)),
        1 => (node(), who()).prop_map(|(node, who)| Step::Kick(node, who)),
        2 => (node(), who(), any::<bool>()).prop_map(|(node, who, ban)| Step::Ban(node, who, ban)),
        2 => node().prop_map(Step::Lift),
        1 => (node(), 0..ACCOUNTS).prop_map(|(node, who)| Step::EndLogins(node, who)),
        3 => (node(), tell).prop_map(|(node, tell)| Step::Tell(node, tell)),
        1 => node().prop_map(Step::Down),
        2 => (0..70_000_u64).prop_map(Step::Wait),
        6 => who().prop_map(Step::Take),
    ];
    prop::collection::vec(step, 0..120)
}

impl Setting {
    pub(super) fn setting(&self) -> RoomSetting {
        match self {
            Self::Topic(text) => RoomSetting::Topic(text.to_string().into()),
            Self::Hidden(hidden) => RoomSetting::Hidden(*hidden),
            Self::Keep(0) => RoomSetting::Keep(RoomKeep::Off),
            Self::Keep(1) => RoomSetting::Keep(RoomKeep::All),
            Self::Keep(messages) => RoomSetting::Keep(RoomKeep::Newest(*messages)),
            Self::Roster(roster) => RoomSetting::Roster(*roster),
        }
    }
}

pub(super) fn level(index: usize) -> Level {
    Level::ALL[index % Level::ALL.len()]
}
