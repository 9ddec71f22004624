//! Who was connected, when by the order of messages: from the first to the last message that came over a connection, whatever clocks say.

use std::collections::{BTreeMap, HashMap};

use crate::evidence::{Closing, Evidence, Micros, Name, Print, Session, Testimony, What};

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It has not.
    Open,
    /// Its user wanted it.
    Own,
    /// Its user took it for dead, since nothing was answered for so long.
    GaveUp(Micros),
    /// Its user went on over another one, while this one was there.
    Moved,
    /// It broke, or its server had to go.
    Server,
    /// The server had a reason that has to do with its user.
    Reason,
}

/// A connection of a user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    pub(super) node: u16,
    pub(super) from: Micros,
    pub(super) until: Micros,
    /// The first message that came over it behind the welcome; whoever was told it was there before it was said.
    first: Option<u64>,
    /// The last one.
    last: u64,
    /// How long it took until the newest post that came back over it had: its user may have read the end so much later than it was
    /// there, on a machine that has much to do.
    pub(super) lag: Micros,
    pub(super) resumed: bool,
    pub(super) end: End,
}

impl Stay {
    /// Whether the user was told a message over it that is not newer than this one.
    pub(super) fn has_begun_by(&self, id: u64) -> bool {
        self.first.is_some_and(|first| first <= id)
    }

    /// Whether this message, or one behind it, came over it.
    pub(super) fn goes_on_to(&self, id: u64) -> bool {
        self.last >= id
    }

    /// Whether the user was connected from one message to another, both of which lie within what was told over it.
    pub(super) fn spans(&self, from: u64, to: u64) -> bool {
        self.has_begun_by(from) && self.goes_on_to(to)
    }
}

/// All connections, in the order in which they began.
pub(super) struct Stays(BTreeMap<Name, Vec<Stay>>);

impl Stays {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut all: BTreeMap<Name, Vec<Stay>> = BTreeMap::new();
        for testimony in &evidence.testimonies {
            all.entry(testimony.name).or_default().extend(stays(testimony));
        }
        all.values_mut().for_each(|stays| stays.sort_by_key(|stay| stay.from));
        Self(all)
    }

    /// Each connection, with the name of its user.
    pub(super) fn all(&self) -> impl Iterator<Item = (Name, &Stay)> {
        self.0.iter().flat_map(|(name, stays)| stays.iter().map(|stay| (*name, stay)))
    }

    pub(super) fn of_name(&self, name: Name) -> &[Stay] {
        self.0.get(&name).map_or(&[], Vec::as_slice)
    }
}

fn stays(testimony: &Testimony) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    let mut is_open = false;
    // Posts that were written to the connection and have not come back over it.
    let mut written: HashMap<Print, Micros> = HashMap::new();
    let print = |post: &u32| {
        let post = usize::try_from(*post).ok().and_then(|n| testimony.posts.get(n));
        post.map(|post| post.print)
    };
    for event in &testimony.events {
        // Base clients get no acknowledgement, but what they said to all.
        let back = match &event.what {
            What::Acked(post, _) => print(post),
            What::Saw(seen) => Some(seen.print),
            _ => None,
        };
        if let Some(at) = back.and_then(|print| written.remove(&print))
            && let Some(stay) = stays.last_mut()
        {
            stay.lag = event.at.saturating_sub(at);
        }
        match &event.what {
            What::Welcomed(welcome) => {
                is_open = true;
                written.clear();
                stays.push(Stay {
                    node: welcome.node,
                    from: event.at,
                    until: Micros::MAX,
                    first: None,
                    last: 0,
                    lag: 0,
                    resumed: welcome.session == Session::Resumed,
                    end: End::Open,
                });
            }
            What::Sent(post) => {
                if let Some(print) = print(post) {
                    written.insert(print, event.at);
                }
            }
            What::Saw(seen) if seen.id > 0 => {
                if let Some(stay) = stays.last_mut() {
                    stay.first.get_or_insert(seen.id);
                    stay.last = stay.last.max(seen.id);
                }
            }
            What::Closed(why) if is_open => {
                is_open = false;
                if let Some(stay) = stays.last_mut() {
                    (stay.until, stay.end) = (event.at, end(testimony, why));
                }
            }
            _ => {}
        }
    }
    stays
}

fn end(testimony: &Testimony, why: &Closing) -> End {
    match why {
        Closing::Mine | Closing::Dawdled => End::Own,
        Closing::GaveUp => End::GaveUp(testimony.patience),
        Closing::Moved => End::Moved,
        Closing::Lost => End::Server,
        Closing::Told(code) if code == "shutdown" => End::Server,
        Closing::Told(_) => End::Reason,
    }
}
