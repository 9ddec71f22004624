//! What a run was like for its users: how long acknowledgements took, how long nobody got any, how soon who lost a
//! connection was back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::RangeInclusive,
};

use serde::Serialize;

use crate::evidence::{Closing, Evidence, Micros, Name, SECOND, Session, Struck, What};

/// So long after a fault what its users meet is put down to it.
const AFTERMATH: Micros = 20 * SECOND;

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Times {
    /// How many there were.
    pub count: usize,
    /// The median.
    pub p50: f64,
    /// 90 of 100 are not above it.
    pub p90: f64,
    /// 99 of 100 are not above it.
    pub p99: f64,
    /// The longest.
    pub most: f64,
}

impl Times {
    fn of(mut times: Vec<Micros>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let at = times.len().saturating_mul(percent) / 100;
            times.get(at.min(times.len().saturating_sub(1))).map_or(0.0, |time| millis(*time))
        };
        Self { count: times.len(), p50: at(50), p90: at(90), p99: at(99), most: at(100) }
    }
}

#[allow(clippy::cast_precision_loss, reason = "an hour has 32 bits of microseconds")]
fn millis(time: Micros) -> f64 {
    (time as f64 / 10.0).round() / 100.0
}

/// What one fault cost.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cost {
    /// Its word.
    pub fault: &'static str,
    /// The node that it hit.
    pub node: Option<u16>,
    /// When it began and ended, in milliseconds since the beginning.
    pub from: f64,
    /// The end.
    pub until: f64,
    /// The longest time in which nobody got an acknowledgement.
    pub silence: f64,
    /// The longest time that one user waited for an acknowledgement that came before the next fault.
    pub longest: f64,
    /// How many connections ended that their users wanted to keep.
    pub closed: usize,
    /// How many of them their users took for dead.
    pub given_up: usize,
    /// When the first user was told by the server that something is wrong, in milliseconds since the fault began.
    pub told: Option<f64>,
    /// When the first connection was closed by a server that said so, in the same way.
    pub sent_away: Option<f64>,
    /// How often a node did not let a user in, by the word for why.
    pub turned_away: BTreeMap<String, usize>,
    /// How many users others were told to be gone.
    pub gone: usize,
    /// From the end of a connection to the next welcome, of users whose session went on.
    pub back: Times,
    /// The same of those who had to begin anew: base clients, and whose session could not go on.
    pub anew: Times,
}

/// What a run was like.
#[derive(Debug, Clone, Serialize)]
pub struct Measures {
    /// Posts that were acknowledged.
    pub acknowledged: usize,
    /// Posts that were refused, by the word for why.
    pub refused: BTreeMap<String, usize>,
    /// Posts of which nobody knows, since their session could not go on.
    pub unsure: usize,
    /// Posts that were sent more than once.
    pub sent_again: usize,
    /// Messages that came, at all users together.
    pub deliveries: usize,
    /// From the first sending to the acknowledgement.
    pub latency: Times,
    /// The same for what was sent while nothing was broken, nor shortly before.
    pub calm: Times,
    /// Sessions that went on at once, after a connection was lost.
    pub resumed: usize,
    /// Sessions that could not go on.
    pub not_resumed: usize,
    /// Sessions that went on elsewhere although nothing was wrong.
    pub moved: usize,
    /// Connections that ended otherwise than their users wanted: `lost`, `given-up` (nothing was answered), `dawdled` (their users were
    /// not reading), or the server's word for why.
    pub closed: BTreeMap<String, usize>,
    /// How often a user was not let in, by the word for why.
    pub turned_away: BTreeMap<String, usize>,
    /// From the end of a connection that was lost to the next welcome, where the session went on.
    pub back: Times,
    /// The same of those who had to begin anew.
    pub anew: Times,
    /// What the faults cost.
    pub faults: Vec<Cost>,
}

/// Measures a run.
#[must_use]
pub fn measure(evidence: &Evidence) -> Measures {
    let mut measures = Measures {
        acknowledged: 0,
        refused: BTreeMap::new(),
        unsure: 0,
        sent_again: 0,
        deliveries: 0,
        latency: Times::default(),
        calm: Times::default(),
        resumed: 0,
        not_resumed: 0,
        moved: 0,
        closed: BTreeMap::new(),
        turned_away: BTreeMap::new(),
        back: Times::default(),
        anew: Times::default(),
        faults: Vec::new(),
    };
    let (mut latency, mut calm) = (Vec::new(), Vec::new());
    let (mut acks, mut waits, mut returns) = (Vec::new(), Vec::new(), Vec::new());
    for testimony in &evidence.testimonies {
        let mut sent: HashMap<u32, Micros> = HashMap::new();
        let mut closed: Option<(Micros, bool)> = None;
        for event in &testimony.events {
            match &event.what {
                What::Sent(post) => {
                    let first = *sent.entry(*post).or_insert(event.at);
                    measures.sent_again += usize::from(first != event.at);
                }
                What::Acked(post, _) => {
                    let Some(first) = sent.get(post).copied() else { continue };
                    let took = event.at.saturating_sub(first);
                    acks.push(event.at);
                    waits.push((first, took));
                    latency.push(took);
                    if !disturbed(evidence, first) {
                        calm.push(took);
                    }
                    measures.acknowledged += 1;
                }
                What::Refused(_, code) => *measures.refused.entry(code.clone()).or_default() += 1,
                What::Saw(_) => measures.deliveries += 1,
                What::Welcomed(welcome) => {
                    measures.deliveries += welcome.messages.len();
                    if let Some((at, true)) = closed.take() {
                        let resumed = welcome.session == Session::Resumed;
                        measures.resumed += usize::from(resumed);
                        measures.not_resumed += usize::from(!resumed);
                        returns.push((at, resumed, event.at.saturating_sub(at)));
                    }
                }
                What::Closed(why) => {
                    let lost = matches!(why, Closing::Lost | Closing::GaveUp | Closing::Told(_));
                    measures.moved += usize::from(*why == Closing::Moved);
                    if let Some(word) = word(why) {
                        *measures.closed.entry(word.to_owned()).or_default() += 1;
                    }
                    closed = Some((event.at, lost));
                }
                What::TurnedAway(code) => {
                    *measures.turned_away.entry(code.clone()).or_default() += 1;
                }
                What::Entered(..)
                | What::Came(_)
                | What::Went(_)
                | What::Noticed
                | What::OffClock => {}
            }
        }
        if testimony.base {
            // Nobody answers them.
            continue;
        }
        let answers = testimony.events.iter().filter_map(|event| match event.what {
            What::Acked(post, _) | What::Refused(post, _) => Some(post),
            _ => None,
        });
        let answered: std::collections::HashSet<u32> = answers.collect();
        measures.unsure += sent.keys().filter(|post| !answered.contains(post)).count();
    }
    acks.sort_unstable();
    for struck in &evidence.faults {
        let window = window(evidence, struck);
        let of_it: Vec<Micros> = acks.iter().copied().filter(|at| window.contains(at)).collect();
        let (from, end) = (*window.start(), *window.end());
        let silence = std::iter::once(from)
            .chain(of_it.iter().copied())
            .zip(of_it.iter().copied().chain(std::iter::once(end)))
            .map(|(before, after)| after.saturating_sub(before))
            .max();
        let longest = waits
            .iter()
            .filter(|(first, took)| window.contains(&first.saturating_add(*took)))
            .map(|(_, took)| *took)
            .max();
        let returned = |resumed: bool| {
            let those = returns.iter().filter(|(at, is, _)| window.contains(at) && *is == resumed);
            Times::of(those.map(|(_, _, took)| *took).collect())
        };
        let mut cost = Cost {
            fault: struck.fault.word(),
            node: struck.node,
            from: millis(from),
            until: millis(struck.until),
            silence: millis(silence.unwrap_or_default()),
            longest: millis(longest.unwrap_or_default()),
            back: returned(true),
            anew: returned(false),
            ..Cost::default()
        };
        look_around(evidence, &window, &mut cost);
        measures.faults.push(cost);
    }
    measures.latency = Times::of(latency);
    measures.calm = Times::of(calm);
    let returned = |resumed: bool| {
        let those = returns.iter().filter(|(_, is, _)| *is == resumed);
        Times::of(those.map(|(_, _, took)| *took).collect())
    };
    (measures.back, measures.anew) = (returned(true), returned(false));
    measures
}

/// What a connection ended with; nothing where its user wanted that.
fn word(why: &Closing) -> Option<&str> {
    match why {
        Closing::Mine | Closing::Moved => None,
        Closing::Lost => Some("lost"),
        Closing::GaveUp => Some("given-up"),
        Closing::Dawdled => Some("dawdled"),
        Closing::Told(code) => Some(code),
    }
}

/// What is put down to a fault: not what comes behind the next one, and whoever is silent at the end wants to be.
fn window(evidence: &Evidence, struck: &Struck) -> RangeInclusive<Micros> {
    let next = evidence.faults.iter().map(|other| other.from).filter(|from| *from > struck.from);
    let end = struck.until.saturating_add(AFTERMATH).min(evidence.rest.max(struck.until));
    struck.from..=next.min().map_or(end, |next| end.min(next))
}

/// What users met in this time.
fn look_around(evidence: &Evidence, window: &RangeInclusive<Micros>, cost: &mut Cost) {
    let first = |known: Option<f64>, at: Micros| {
        let since = millis(at.saturating_sub(*window.start()));
        Some(known.map_or(since, |known| known.min(since)))
    };
    let mut gone = BTreeSet::new();
    let events = evidence.testimonies.iter().flat_map(|testimony| &testimony.events);
    for event in events.filter(|event| window.contains(&event.at)) {
        match &event.what {
            What::Noticed => cost.told = first(cost.told, event.at),
            What::TurnedAway(code) => *cost.turned_away.entry(code.clone()).or_default() += 1,
            What::Went(name) => {
                gone.insert(*name);
            }
            What::Closed(Closing::Lost) => cost.closed += 1,
            What::Closed(Closing::GaveUp) => {
                cost.closed += 1;
                cost.given_up += 1;
            }
            What::Closed(Closing::Told(_)) => {
                cost.closed += 1;
                cost.sent_away = first(cost.sent_away, event.at);
            }
            _ => {}
        }
    }
    // Those who compete for names come and go all the time.
    let talkers = evidence.testimonies.iter().filter(|testimony| testimony.settled);
    let talkers: BTreeSet<Name> = talkers.map(|testimony| testimony.name).collect();
    cost.gone = gone.intersection(&talkers).count();
}

fn disturbed(evidence: &Evidence, at: Micros) -> bool {
    evidence.faults.iter().any(|struck| {
        struck.from <= at.saturating_add(SECOND) && at <= struck.until.saturating_add(AFTERMATH)
    })
}
