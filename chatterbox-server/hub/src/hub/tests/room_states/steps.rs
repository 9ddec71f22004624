//! What happens: who comes and goes, and who wishes what.

use proptest::prelude::*;

use crate::{Level, RoomKeep, RoomSetting, RoomShow};

/// The first have accounts, and these levels on the server.
pub(super) const USERS: [(&str, &str, Option<Level>); 7] = [
    ("ann", "Anna", Some(Level::USER)),
    ("bob", "rob", Some(Level::USER)),
    ("cyd", "cydney", Some(Level::HELPER)),
    ("dan", "daniel", Some(Level::ADMIN)),
    ("eve", "yve", None),
    ("fay", "fayence", None),
    ("gus", "gustav", None),
];
pub(super) const ACCOUNTS: usize = 4;
pub(super) const ROOMS: [&str; 4] = ["#lab", "#talk", "#staff", "#old"];

#[derive(Debug, Clone)]
pub(super) enum Step {
    Come(usize, bool, bool),
    Go(usize),
    Resume(usize),
    Rename(usize),
    Promote(usize, usize),
    Register(usize),
    RemoveAccount(usize),
    Wish(usize, Wish),
    Wait(i64),
}

#[derive(Debug, Clone)]
pub(super) enum Wish {
    Create(usize),
    Enter(usize),
    Leave(usize),
    Delete(usize),
    Set(usize, Setting),
    Invite(usize, usize),
    Uninvite(usize, usize),
    Clear(usize),
    SetLevel(usize, usize, usize),
    SetDefault(Option<usize>),
    Remove(usize, usize),
    Configure(usize, bool, Option<usize>),
    Release(usize),
    EnterAuto(usize),
}

#[derive(Debug, Clone)]
pub(super) enum Setting {
    Topic(u8),
    Description(u8),
    Limit(u32),
    Password(Option<u8>),
    Hidden(bool),
    Closed(bool),
    Talk(usize),
    Slow(u32),
    Length(u32),
    Keep(u32),
    Show(bool),
    Roster(bool),
}

pub(super) fn settings() -> impl Strategy<Value = Setting> {
    prop_oneof![
        any::<u8>().prop_map(Setting::Topic),
        any::<u8>().prop_map(Setting::Description),
        (0..4_u32).prop_map(Setting::Limit),
        prop::option::of(0..2_u8).prop_map(Setting::Password),
        any::<bool>().prop_map(Setting::Hidden),
        any::<bool>().prop_map(Setting::Closed),
        (0..6_usize).prop_map(Setting::Talk),
        (0..4000_u32).prop_map(Setting::Slow),
        (0..5000_u32).prop_map(Setting::Length),
        (0..5_u32).prop_map(Setting::Keep),
        any::<bool>().prop_map(Setting::Show),
        any::<bool>().prop_map(Setting::Roster),
    ]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..USERS.len();
    let room = || prop_oneof![3 => 0..1_usize, 2 => 0..ROOMS.len()];
    let wish = prop_oneof![
        4 => room().prop_map(Wish::Create),
        12 => room().prop_map(Wish::Enter),
        4 => room().prop_map(Wish::Leave),
        1 => room().prop_map(Wish::Delete),
        4 => (room(), settings()).prop_map(|(room, setting)| Wish::Set(room, setting)),
        3 => (room(), who()).prop_map(|(room, who)| Wish::Invite(room, who)),
        1 => (room(), who()).prop_map(|(room, who)| Wish::Uninvite(room, who)),
        1 => room().prop_map(Wish::Clear),
        4 => (room(), 0..ACCOUNTS, 0..6_usize)
            .prop_map(|(room, who, level)| Wish::SetLevel(room, who, level)),
        1 => prop::option::of(room()).prop_map(Wish::SetDefault),
        2 => (room(), who()).prop_map(|(room, who)| Wish::Remove(room, who)),
        1 => (room(), any::<bool>(), prop::option::of(0..ACCOUNTS))
            .prop_map(|(room, auto, owner)| Wish::Configure(room, auto, owner)),
        1 => room().prop_map(Wish::Release),
        1 => (0..ACCOUNTS).prop_map(Wish::EnterAuto),
    ];
    let step = prop_oneof![
        8 => (who(), any::<bool>(), any::<bool>())
            .prop_map(|(who, nick, second)| Step::Come(who, nick, second)),
        2 => who().prop_map(Step::Go),
        3 => who().prop_map(Step::Resume),
        2 => who().prop_map(Step::Rename),
        1 => (0..ACCOUNTS, 1..6_usize).prop_map(|(who, level)| Step::Promote(who, level)),
        1 => (ACCOUNTS..USERS.len()).prop_map(Step::Register),
        1 => (0..USERS.len()).prop_map(Step::RemoveAccount),
        30 => (who(), wish).prop_map(|(who, wish)| Step::Wish(who, wish)),
        1 => prop_oneof![Just(1), Just(8 * 24 * 60 * 60)].prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..120)
}

impl Setting {
    pub(super) fn setting(&self) -> RoomSetting {
        match self {
            Self::Topic(text) => RoomSetting::Topic(text.to_string().into()),
            Self::Description(text) => RoomSetting::Description(text.to_string().into()),
            Self::Limit(limit) => RoomSetting::Limit(*limit),
            Self::Password(password) => {
                RoomSetting::Password(password.map(|password| password.to_string().into()))
            }
            Self::Hidden(hidden) => RoomSetting::Hidden(*hidden),
            Self::Closed(closed) => RoomSetting::Closed(*closed),
            Self::Talk(level) => RoomSetting::Talk(Level::ALL[*level]),
            Self::Slow(seconds) => RoomSetting::Slow(*seconds),
            Self::Length(length) => RoomSetting::Length(*length),
            Self::Keep(0) => RoomSetting::Keep(RoomKeep::Off),
            Self::Keep(1) => RoomSetting::Keep(RoomKeep::All),
            Self::Keep(messages) => RoomSetting::Keep(RoomKeep::Newest(*messages)),
            Self::Show(true) => RoomSetting::Show(RoomShow::All),
            Self::Show(false) => RoomSetting::Show(RoomShow::Joined),
            Self::Roster(roster) => RoomSetting::Roster(*roster),
        }
    }
}
