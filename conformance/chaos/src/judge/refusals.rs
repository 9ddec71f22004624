//! Private messages that were refused as to nobody, although their recipient was there all the time.

use std::collections::HashMap;

use super::{
    findings::{Findings, Kind},
    stays::Stays,
};
use crate::evidence::{Evidence, Name, Place, SECOND, Testimony, What};

/// The word for a message to nobody.
const NOBODY: &str = "no-such-user";

/// Looks at what was refused.
pub(super) fn look(evidence: &Evidence, stays: &Stays, findings: &mut Findings) {
    let name = |name: Name| evidence.names.get(usize::from(name)).map_or("?", String::as_str);
    for testimony in &evidence.testimonies {
        for (to, from, until, at) in refused(testimony) {
            // It was judged somewhere between what the sender had been told when it was sent, and what it was told next.
            if stays.of_name(to).iter().any(|stay| stay.spans(from, until)) {
                findings.add(Kind::Unreachable, || {
                    let (me, to) = (name(testimony.name), name(to));
                    format!("{me} could not write to {to} at {} s", at / SECOND)
                });
            }
        }
    }
}

/// To whom a private message was refused as to nobody, and between which messages: the newest when it was sent, and the next one behind the
/// refusal.
fn refused(testimony: &Testimony) -> Vec<(Name, u64, u64, u64)> {
    let (mut newest, mut sent, mut pending, mut found) =
        (0, HashMap::new(), Vec::new(), Vec::new());
    for event in &testimony.events {
        match &event.what {
            What::Welcomed(welcome) => {
                newest = welcome.messages.iter().map(|seen| seen.id).fold(newest, u64::max);
                pending.clear();
            }
            What::Saw(seen) => {
                newest = newest.max(seen.id);
                found.extend(pending.drain(..).map(|(to, from, at)| (to, from, seen.id, at)));
            }
            What::Sent(post) => {
                sent.entry(*post).or_insert(newest);
            }
            What::Refused(post, code) if code == NOBODY => {
                let place = usize::try_from(*post).ok().and_then(|n| testimony.posts.get(n));
                if let (Some(Place::User(to)), Some(from)) =
                    (place.map(|post| post.place), sent.get(post))
                {
                    pending.push((to, *from, event.at));
                }
            }
            _ => {}
        }
    }
    found
}
