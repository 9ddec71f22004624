//! The oracle of the fuzzer. Whatever a stranger sends, two users go on talking to each other, the server
//! lives, breaks no invariant, and stays within its memory.
#![allow(clippy::disallowed_methods, reason = "reads how much memory a process has")]

use std::{fmt, time::Duration};

use conformance_kit::wire::frame::Frame;

use crate::{
    invariants::{Invariant, Invariants},
    server::{hands::ServerHands, host::Host, peer::Peer},
};

/// Something that must not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The server ended.
    Died(String),
    /// Two users who had done nothing could not talk any more.
    NotServed(String),
    /// A frame of the server broke an invariant.
    Broke(String),
    /// The server took more memory than it may: so many MiB.
    Memory(u64),
}

impl Finding {
    /// Whether another one is of the same kind.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Died(last) => write!(f, "the server ended; it printed last: {last}"),
            Self::NotServed(what) => write!(f, "other users are not served any more: {what}"),
            Self::Broke(what) => write!(f, "the server breaks an invariant: {what}"),
            Self::Memory(mib) => write!(f, "the server has taken {mib} MiB of memory"),
        }
    }
}

/// Two users who do nothing wrong.
pub struct Pair {
    ann: Peer,
    /// The user who listens.
    pub bob: Peer,
    hands: ServerHands,
    asked: usize,
}

/// After so many questions the two come anew: what they heard is kept as long as they stay, and who says much more in a row
/// may be taken for a flooder.
const LONGEST_STAY: usize = 20;

/// How often and how long the two wait where a server refuses what they say, which it may do when very much is said.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_secs(1);

impl Pair {
    pub(super) async fn join(host: &Host, seed: u64) -> Result<Self, Finding> {
        let mut hands = ServerHands::new(std::sync::Arc::clone(&host.shared), "pair", seed);
        let joined = async {
            let (ann, bob) = (hands.join("ann").await?, hands.join("bob").await?);
            Ok::<_, crate::verdict::Verdict>((ann, bob))
        };
        match joined.await {
            Ok((ann, bob)) => Ok(Self { ann, bob, hands, asked: 0 }),
            Err(verdict) => Err(Finding::NotServed(format!("{verdict:?}"))),
        }
    }

    /// Whether they have stayed long enough.
    pub(super) const fn is_tired(&self) -> bool {
        self.asked >= LONGEST_STAY
    }

    /// Whether they can still talk.
    pub(super) async fn talk(&mut self) -> Result<(), Finding> {
        self.asked += 1;
        let text = self.hands.text();
        let since = self.bob.mark();
        for _ in 0..TRIES {
            let asked = self.ann.mark();
            self.ann.say(&text).await;
            let arrived = tokio::select! {
                arrived = self.bob.find_message(since, |m| m.content == text) => arrived.is_some(),
                Some(_) = self.ann.find(asked, Frame::error) => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            if arrived {
                return Ok(());
            }
            break;
        }
        let heard = format!("{}; {}", self.bob.heard(since), self.ann.heard(since));
        Err(Finding::NotServed(format!("\"{text}\" did not arrive; {heard}")))
    }
}

/// How many violations there are so far, and the first of the last kind.
#[must_use]
pub fn violations(invariants: &Invariants) -> (usize, String) {
    const ALL: [Invariant; 9] = [
        Invariant::Length,
        Invariant::JsonObject,
        Invariant::AcceptedBool,
        Invariant::UserListStrings,
        Invariant::JoinedList,
        Invariant::LeftList,
        Invariant::Tuple,
        Invariant::TimestampInt,
        Invariant::ErrorString,
    ];
    let mut all = (0, String::new());
    for invariant in ALL {
        let tally = invariants.tally(invariant);
        if let Some((_, what)) = tally.first {
            all.0 += tally.broken;
            all.1 = format!("{invariant:?}: {what}");
        }
    }
    all
}

/// The memory of a process in MiB, where the system tells it.
#[must_use]
pub fn memory(process: Option<u32>) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process?)).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

/// How long a connection of the fuzzer may take to be taken.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
