//! Renames of a moment ago: messages to the old name were on their way when it changed (RN-3).

use std::collections::VecDeque;

use chatterbox_proto::Username;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::ids::MemberId;
use crate::plain;

/// Messages to an old name are redirected for this long, in milliseconds: they were on their way when it changed.
const RENAME_FOLLOWED: u64 = 10_000;

/// Renames that are followed; the oldest are forgotten first.
/// From one /48 network come at most 400 in that time, a tenth (`guard::pace`).
const RECENT_RENAMES: usize = 4096;

/// A member that had another name a moment ago.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RecentRename {
    #[serde(with = "plain::name")]
    old: Username,
    /// The user that had it, by the number of their first device.
    member: MemberId,
    /// When it is forgotten.
    until: u64,
}

/// The newest renames, in order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RecentRenames(VecDeque<RecentRename>);

impl RecentRenames {
    /// Notes that a user had this name until now.
    pub(crate) fn note(&mut self, old: Username, member: MemberId, now: u64) {
        if self.0.len() == RECENT_RENAMES {
            self.0.pop_front();
        }
        self.0.push_back(RecentRename { old, member, until: now + RENAME_FOLLOWED });
    }

    /// The user that had this name a moment ago.
    pub(crate) fn who(&self, name: &Username, now: u64) -> Option<MemberId> {
        let newest = self.0.iter().rev();
        newest
            .take_while(|followed| now < followed.until)
            .find(|followed| followed.old == *name)
            .map(|followed| followed.member)
    }
}

impl Digest for RecentRename {
    fn digest(&self, to: &mut Digester) {
        let Self { old, member, until } = self;
        to.add(old).add(member).add(until);
    }
}

impl Digest for RecentRenames {
    fn digest(&self, to: &mut Digester) {
        let Self(all) = self;
        to.add(all);
    }
}
