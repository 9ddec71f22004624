//! What happens in the model.

use proptest::prelude::*;

use super::{ACCOUNTS, ROOMS, USERS};

#[derive(Debug, Clone)]
pub(super) enum Step {
    Connect(usize),
    Cut(usize),
    Resume(usize),
    Create(usize, usize),
    Enter(usize, usize),
    Leave(usize, usize),
    Delete(usize, usize),
    Kick(usize, usize, usize),
    Say(usize, Option<usize>),
    Whisper(usize, usize),
    Rename(usize),
    Block(usize, usize),
    Take(usize),
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..USERS;
    // Half of what happens, happens in two rooms.
    let room = prop_oneof![0..2_usize, 0..ROOMS];
    let step = prop_oneof![
        3 => who.clone().prop_map(Step::Connect),
        1 => who.clone().prop_map(Step::Cut),
        2 => who.clone().prop_map(Step::Resume),
        3 => (0..ACCOUNTS, room.clone()).prop_map(|(who, room)| Step::Create(who, room)),
        6 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Enter(who, room)),
        2 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Leave(who, room)),
        1 => (who.clone(), room.clone()).prop_map(|(who, room)| Step::Delete(who, room)),
        1 => (who.clone(), who.clone(), room.clone()).prop_map(|(by, who, room)| Step::Kick(by, who, room)),
        8 => (who.clone(), prop::option::weighted(0.8, room)).prop_map(|(who, room)| Step::Say(who, room)),
        1 => (who.clone(), who.clone()).prop_map(|(who, to)| Step::Whisper(who, to)),
        1 => who.clone().prop_map(Step::Rename),
        1 => (who.clone(), who.clone()).prop_map(|(who, whom)| Step::Block(who, whom)),
        3 => who.prop_map(Step::Take),
    ];
    prop::collection::vec(step, 0..150)
}
