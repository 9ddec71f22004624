//! Connections that end, and what others are told of it.

use super::{World, others};
use crate::{
    evidence::{Closing, Event, Fault, Micros, Place, SECOND, Struck, What},
    judge::{Kind, judge},
};

/// What is found when the users of a node lose their connections like this, and are announced as gone.
fn announced(fault: Fault, after: Micros, how: &Closing) -> u64 {
    let mut world = World::new();
    for who in 0..6 {
        world.say(who, Place::Lobby, true);
    }
    world.strike(fault, 1, after, how, true);
    for who in 0..6 {
        world.say(who, Place::Lobby, true);
    }
    let findings = judge(&world.end());
    assert!(others(&findings, Kind::FalseAccusation).is_empty(), "{findings:?}");
    findings.count(Kind::FalseAccusation)
}

fn shutdown() -> Closing {
    Closing::Told("shutdown".to_owned())
}

#[test]
fn whoever_is_back_in_time_is_not_announced_as_gone_after_a_kill() {
    // Users 1 and 4 are there. Users of a node that was paused for long are missed.
    assert_eq!(announced(Fault::NodeKilled, SECOND, &Closing::Lost), 2);
    assert_eq!(announced(Fault::NodeNew, SECOND, &Closing::Lost), 2);
    assert_eq!(announced(Fault::NodeStopped, SECOND, &shutdown()), 2);
    assert_eq!(announced(Fault::NodePaused, 15 * SECOND, &shutdown()), 0);
    assert_eq!(announced(Fault::DiskFull, 15 * SECOND, &shutdown()), 0);
}

#[test]
fn a_node_that_was_well_is_not_to_send_its_users_away() {
    let early = announced(Fault::LeaderKilled, 12 * SECOND, &shutdown());
    assert_eq!(early, 2, "an election sends nobody away");
    assert_eq!(announced(Fault::LeaderHung, 21 * SECOND, &shutdown()), 2);
    assert_eq!(announced(Fault::EngineKilled, 12 * SECOND, &shutdown()), 2);
    // Nothing comes round for 20 s: then each node closes its connections.
    assert_eq!(announced(Fault::EngineKilled, 21 * SECOND, &shutdown()), 0);
    assert_eq!(announced(Fault::QuorumLost, 20 * SECOND, &shutdown()), 0);
    assert_eq!(announced(Fault::QuorumLost, 35 * SECOND, &shutdown()), 2);
}

#[test]
fn whoever_gives_up_or_is_closed_with_a_reason_has_left() {
    assert_eq!(announced(Fault::LeaderKilled, 12 * SECOND, &Closing::GaveUp), 0);
    assert_eq!(announced(Fault::LeaderKilled, SECOND, &Closing::Told("slow".to_owned())), 0);
    assert_eq!(announced(Fault::LeaderKilled, SECOND, &Closing::Mine), 0);
}

/// What is found at a server that is alone when its users lose their connections like this.
fn ended_alone(fault: Fault, after: Micros, how: &Closing) -> u64 {
    let mut world = World::new();
    for who in 0..6 {
        world.say(who, Place::Lobby, true);
    }
    world.strike(fault, 1, after, how, true);
    let mut evidence = world.end();
    evidence.alone = true;
    judge(&evidence).count(Kind::SentAway)
}

#[test]
fn a_server_that_is_alone_ends_no_connection_unless_something_hits_it() {
    assert_eq!(ended_alone(Fault::ConnectionsCut, SECOND, &Closing::Lost), 0);
    assert_eq!(ended_alone(Fault::NodeKilled, SECOND, &Closing::Lost), 0);
    assert_eq!(ended_alone(Fault::NodeStopped, SECOND, &shutdown()), 0);
    assert_eq!(ended_alone(Fault::NodePaused, 15 * SECOND, &Closing::Lost), 0);
    // Users 1 and 4 are there.
    assert_eq!(ended_alone(Fault::ClockStepped, SECOND, &Closing::Lost), 2);
    assert_eq!(ended_alone(Fault::Flood, SECOND, &shutdown()), 2);
    assert_eq!(ended_alone(Fault::SlowReaders, SECOND, &Closing::Dawdled), 0);
    assert_eq!(ended_alone(Fault::Flood, SECOND, &Closing::Told("slow".to_owned())), 0);
}

/// What is found at a server that is alone when two users get no answer for ten seconds, where a fault was over so long before they give up.
fn fell_silent(fault: Fault, before: Micros) -> u64 {
    let mut world = World::new();
    for who in 0..6 {
        world.say(who, Place::Lobby, true);
    }
    world.now += 60 * SECOND;
    world.strike(fault, 1, 0, &Closing::GaveUp, true);
    let mut evidence = world.end();
    evidence.alone = true;
    evidence.testimonies.iter_mut().for_each(|testimony| testimony.patience = 10 * SECOND);
    for struck in &mut evidence.faults {
        (struck.from, struck.until) = (struck.from - before, struck.until - before);
    }
    judge(&evidence).count(Kind::Silent)
}

#[test]
fn a_server_that_is_alone_answers_unless_something_hits_it() {
    assert_eq!(fell_silent(Fault::NodePaused, 0), 0);
    assert_eq!(fell_silent(Fault::NodeKilled, 14 * SECOND), 0);
    assert_eq!(fell_silent(Fault::NodePaused, 16 * SECOND), 2);
    assert_eq!(fell_silent(Fault::Flood, 0), 2);
    assert_eq!(fell_silent(Fault::ClockStepped, 0), 2);
}

/// What is found when a connection ends 13 s after all were cut, where the user's post came back at once or not before 12 s.
fn ended_late(who: usize, reads_late: bool) -> u64 {
    let mut world = World::new();
    world.say(who, Place::Lobby, true);
    let node = world.nodes[who];
    let mut evidence = world.end();
    evidence.alone = true;
    let events = &mut evidence.testimonies[who].events;
    let sent = events.iter().rposition(|event| matches!(event.what, What::Sent(_))).unwrap();
    let from = events[sent].at;
    if reads_late {
        events[sent + 1..].iter_mut().for_each(|event| event.at += 12 * SECOND);
    }
    events.push(Event { at: from + 13 * SECOND, what: What::Closed(Closing::Lost) });
    let fault = Fault::ConnectionsCut;
    evidence.faults.push(Struck { fault, node: Some(node), from, until: from, ended: None });
    judge(&evidence).count(Kind::SentAway)
}

#[test]
fn an_end_that_was_read_late_may_be_that_of_a_fault_before() {
    // User 5 speaks the base protocol alone, and knows by what comes back.
    for who in [1, 5] {
        assert_eq!(ended_late(who, true), 0);
        assert_eq!(ended_late(who, false), 1);
    }
}

#[test]
fn whoever_took_the_session_over_from_a_connection_that_was_there_has_not_left() {
    assert_eq!(announced(Fault::LeaderKilled, SECOND, &Closing::Moved), 2);
}

#[test]
fn a_witness_that_hears_of_it_much_later_accuses_nobody() {
    let mut world = World::new();
    for who in 0..6 {
        world.say(who, Place::Lobby, true);
    }
    world.strike(Fault::EngineKilled, 1, 21 * SECOND, &shutdown(), true);
    for who in 0..6 {
        world.say(who, Place::Lobby, true);
    }
    let mut evidence = world.end();
    // The node of user 0 finds the engine again eight seconds later than the others.
    let events = &mut evidence.testimonies[0].events;
    let gone = events.iter().position(|event| matches!(event.what, What::Went(_))).unwrap();
    events[gone..].iter_mut().for_each(|event| event.at += 8 * SECOND);
    assert!(judge(&evidence).is_clean(), "{:?}", judge(&evidence));
}
