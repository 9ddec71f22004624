//! What users have in common: when they look after themselves, how much they say, when they take a connection for dead.

use std::time::Duration;

use rand::{Rng, RngExt as _};

use crate::{
    evidence::{Micros, Name, SECOND},
    setting::Setting,
};

/// What those offer who speak more than the base protocol.
pub(super) const OFFER: &str = "commands/1 ids/1 notices/1 ping/1 recent/1 rename/1 rooms/1";
/// Joining waits for the engine, which may be without a leader.
pub(super) const JOINING: Duration = Duration::from_secs(15);
/// What a user looks after by itself it looks after so often.
pub(super) const LOOK: Duration = Duration::from_millis(50);
/// What is not answered in this time is on a dead connection, for most users.
const HASTY: Micros = 10 * SECOND;
/// The same for the others: they are still there when a server closes what it can't serve.
pub(super) const PATIENT: Micros = 40 * SECOND;

/// A user who was kept from looking after itself for so long is late itself: nothing that it waits for is.
pub(super) const KEPT: Micros = SECOND;

/// How long a user waits for an answer.
pub(super) const fn patience(user: Name) -> Micros {
    if user % 4 == 3 { PATIENT } else { HASTY }
}

/// Whether a user goes to another node now, without need.
pub(super) fn wanders(setting: &Setting, random: &mut impl Rng) -> bool {
    random.random_range(0..setting.wandering.max(1)) == 0
}

/// How many messages a user says now: seldom some in a burst, mostly none.
pub(super) fn burst(setting: &Setting, random: &mut impl Rng) -> usize {
    let mine = setting.rate / f64::from(setting.users.max(1)) * LOOK.as_secs_f64();
    // Few frames with several messages each.
    if random.random_bool((mine / 3.0).clamp(0.0, 1.0)) { random.random_range(1..=5) } else { 0 }
}

/// Another node than this one.
pub(super) fn other_node(node: u16, nodes: usize, random: &mut impl Rng) -> u16 {
    let nodes = u16::try_from(nodes).unwrap_or(1).max(1);
    (node + random.random_range(1..nodes.max(2))) % nodes
}

/// To whom a user writes.
pub(super) fn peers(me: Name, users: u16, random: &mut impl Rng) -> Vec<Name> {
    (0..4).map(|_| random.random_range(0..users)).filter(|peer| *peer != me).collect()
}
