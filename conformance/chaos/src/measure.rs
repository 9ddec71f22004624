//! What a run was like for its users: how long acknowledgements took, how long nobody got any, how soon who lost a
//! connection was back.

use std::collections::HashMap;

use serde::Serialize;

use crate::evidence::{Closing, Evidence, Micros, SECOND, Session, What};

/// So long after a fault what its users meet is put down to it.
const AFTERMATH: Micros = 20 * SECOND;

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Times {
    /// How many there were.
    pub count: usize,
    /// The median.
    pub p50: f64,
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
        Self { count: times.len(), p50: at(50), p99: at(99), most: at(100) }
    }
}

#[allow(clippy::cast_precision_loss, reason = "an hour has 32 bits of microseconds")]
fn millis(time: Micros) -> f64 {
    (time as f64 / 10.0).round() / 100.0
}

/// What one fault cost.
#[derive(Debug, Clone, Serialize)]
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
    /// The longest time that one user with something under way waited for an acknowledgement.
    pub longest: f64,
    /// How many connections ended that their users wanted to keep.
    pub closed: usize,
}

/// What a run was like.
#[derive(Debug, Clone, Serialize)]
pub struct Measures {
    /// Posts that were acknowledged.
    pub acknowledged: usize,
    /// Posts that were refused, by the word for why.
    pub refused: std::collections::BTreeMap<String, usize>,
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
    /// From the end of a connection that was lost to the next welcome.
    pub back: Times,
    /// What the faults cost.
    pub faults: Vec<Cost>,
}

/// Measures a run.
#[must_use]
pub fn measure(evidence: &Evidence) -> Measures {
    let mut measures = Measures {
        acknowledged: 0,
        refused: std::collections::BTreeMap::new(),
        unsure: 0,
        sent_again: 0,
        deliveries: 0,
        latency: Times::default(),
        calm: Times::default(),
        resumed: 0,
        not_resumed: 0,
        moved: 0,
        back: Times::default(),
        faults: Vec::new(),
    };
    let (mut latency, mut calm, mut back) = (Vec::new(), Vec::new(), Vec::new());
    let (mut acks, mut waits, mut closings) = (Vec::new(), Vec::new(), Vec::new());
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
                    match (closed.take(), welcome.session) {
                        (Some((at, true)), Session::Resumed) => {
                            measures.resumed += 1;
                            back.push(event.at.saturating_sub(at));
                        }
                        (Some((at, true)), Session::New) => {
                            measures.not_resumed += 1;
                            back.push(event.at.saturating_sub(at));
                        }
                        _ => {}
                    }
                }
                What::Closed(why) => {
                    let lost = matches!(why, Closing::Lost | Closing::Told(_));
                    measures.moved += usize::from(*why == Closing::Moved);
                    closed = Some((event.at, lost));
                    if lost {
                        closings.push(event.at);
                    }
                }
                What::Entered(..) | What::Came(_) | What::Went(_) => {}
            }
        }
        let answers = testimony.events.iter().filter_map(|event| match event.what {
            What::Acked(post, _) | What::Refused(post, _) => Some(post),
            _ => None,
        });
        let answered: std::collections::HashSet<u32> = answers.collect();
        measures.unsure += sent.keys().filter(|post| !answered.contains(post)).count();
    }
    acks.sort_unstable();
    let within = |at: Micros, from: Micros, until: Micros| at >= from && at <= until;
    for struck in &evidence.faults {
        // What comes behind the next fault is put down to that one, and whoever is silent at the end wants to be.
        let next =
            evidence.faults.iter().map(|other| other.from).filter(|from| *from > struck.from);
        let end = struck.until.saturating_add(AFTERMATH).min(evidence.rest.max(struck.until));
        let end = next.min().map_or(end, |next| end.min(next));
        let of_it: Vec<Micros> =
            acks.iter().copied().filter(|at| within(*at, struck.from, end)).collect();
        let silence = std::iter::once(struck.from)
            .chain(of_it.iter().copied())
            .zip(of_it.iter().copied().chain(std::iter::once(end)))
            .map(|(before, after)| after.saturating_sub(before))
            .max();
        let longest = waits
            .iter()
            .filter(|(first, took)| *first <= end && first.saturating_add(*took) >= struck.from)
            .map(|(_, took)| *took)
            .max();
        measures.faults.push(Cost {
            fault: struck.fault.word(),
            node: struck.node,
            from: millis(struck.from),
            until: millis(struck.until),
            silence: millis(silence.unwrap_or_default()),
            longest: millis(longest.unwrap_or_default()),
            closed: closings.iter().filter(|at| within(**at, struck.from, end)).count(),
        });
    }
    measures.latency = Times::of(latency);
    measures.calm = Times::of(calm);
    measures.back = Times::of(back);
    measures
}

fn disturbed(evidence: &Evidence, at: Micros) -> bool {
    evidence.faults.iter().any(|struck| {
        struck.from <= at.saturating_add(SECOND) && at <= struck.until.saturating_add(AFTERMATH)
    })
}
