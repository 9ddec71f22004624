//! `flood`: what all say in one room is counted together.

use conformance_kit::clock::Clock;

use super::volley::{BURST, Shot, answers, fire, only_taken, wait_of};
use crate::{
    cases::capability::membership::{guest, host, member},
    server::hands::ServerHands,
    verdict::{Outcome, Verdict},
};

/// Users who each say as much as one may at once: a thousand frames of one message, about 130 KB, of which each member is
/// told what is taken.
const CROWD: usize = 25;

/// So much of it is taken at once in a room, and so much each second then (FL-3).
const ROOM: usize = 400;
const EACH_SECOND: usize = 40;

fn is_busy(shot: &Shot) -> bool {
    shot.word() == "room-busy" && shot.refusal.as_ref().and_then(wait_of).is_some()
}

pub(super) async fn busy(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let mut carl = guest(c, "carl").await?;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(member(c, "talker", &room).await?);
    }
    let clock = Clock::start();
    let mut sent = Vec::new();
    for talker in &mut crowd {
        let since = talker.mark();
        sent.push((since, fire(c, talker, &room.name, BURST).await));
    }
    let mut shots = Vec::new();
    for (talker, (since, sent)) in crowd.iter_mut().zip(sent) {
        shots.extend(answers(talker, since, sent).await?);
    }
    let seconds = usize::try_from(clock.elapsed().as_secs()).unwrap_or(usize::MAX / 100);
    let most = ROOM + EACH_SECOND * (seconds + 3);
    let taken = shots.iter().filter(|shot| shot.is_taken()).count();
    if taken > most {
        let expected = format!(
            "of {} frames of {CROWD} users in one room at most about {most} are taken within {seconds} s",
            shots.len()
        );
        return Ok(Verdict::fail(expected, format!("{taken} are")));
    }
    if taken < ROOM {
        let expected = format!("{ROOM} frames of {CROWD} users are taken in one room");
        let refused = shots.iter().find(|shot| !shot.is_taken()).map(Shot::shown);
        return Ok(Verdict::fail(expected, format!("{taken} are, then {refused:?}")));
    }
    if taken == shots.len() {
        return Err(Verdict::inconclusive("the server is slower than what it counts"));
    }
    if let Some(odd) = shots.iter().find(|shot| !shot.is_taken() && !is_busy(shot)) {
        let expected = "REFUSED {\"CODE\": \"room-busy\", \"ERROR\": text, \"WAIT\": seconds}";
        return Ok(Verdict::fail(expected, odd.shown()));
    }
    only_taken(c, &mut ann, &mut carl, &shots).await?;
    Ok(Verdict::Pass)
}
