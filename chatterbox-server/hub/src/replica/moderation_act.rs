//! Acts of moderation: what somebody who may does to others (MO-2 to MO-8).
//!
//! Whoever proposes one has looked whether it may be done, and stored it (MO-10).

use std::sync::Arc;

use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::OutcomeCode;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::identity::Identity;
use crate::ids::MemberId;
use crate::level::Level;
use crate::record::Sequence;
use crate::replica::rooms::definition::AccountRef;
use crate::replica::store_command::StoreCommand;
use crate::sanction::{Sanction, SanctionId};

/// One act.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moderation {
    /// The name of who does it, for those who are told.
    pub by: Arc<str>,
    /// Their level where it counts: nobody of the same or a higher one is touched. `None` is whoever runs the server, who is above
    /// everybody.
    pub level: Option<Level>,
    /// Now, in seconds since 1970 UTC.
    pub now: i64,
    /// Whether nobody but the person is told.
    pub silent: bool,
    /// What the stores of all nodes write down when it is done; nothing where whoever proposes it has stored it already.
    pub written: Option<StoreCommand>,
    /// What.
    pub act: ModerationAct,
}

impl Moderation {
    /// The sanctions that one act may impose.
    pub const SANCTIONS: usize = 64;

    /// Gives the sanctions that have no number yet theirs, which follow from the number of the proposal.
    pub(crate) fn number_by(&mut self, number: Sequence) {
        let ModerationAct::Impose(sanctions) = &mut self.act else { return };
        let first = number.saturating_mul(Self::SANCTIONS as u64);
        for (number, sanction) in (first..).zip(sanctions) {
            if sanction.id == SanctionId::NONE {
                sanction.id = SanctionId(i64::try_from(number).unwrap_or(i64::MAX));
            }
        }
    }
}

/// What is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ModerationAct {
    /// To put somebody out, who may come back in a while (MO-2).
    Kick {
        /// Whom.
        whom: Whom,
        /// Why, for the person; it may be empty.
        reason: Arc<str>,
    },
    /// To impose sanctions, at most [`Moderation::SANCTIONS`] that have no number yet. Of one act they have `about`, end and
    /// reason in common.
    Impose(Vec<Sanction>),
    /// To lift sanctions.
    Lift(Vec<SanctionId>),
}

/// Somebody who may be here or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whom {
    /// An account, under whatever name.
    Account(AccountRef),
    /// The guest of a name, or of this connection, who may have changed names meanwhile.
    Guest(Username, Option<MemberId>),
}

/// What has come of an act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModerationDone {
    /// The names of those who had to go.
    pub removed: Vec<Username>,
    /// How many were told that they are muted, or not any more.
    pub told: usize,
}

/// Why nothing was done: a word for programs.
pub type ModerationRefusal = OutcomeCode;

impl Whom {
    /// Whether somebody is the one.
    pub fn is(&self, identity: &Identity) -> bool {
        match self {
            Self::Account(account) => {
                identity.login.as_ref().is_some_and(|login| login.account_key.id == account.id)
            }
            Self::Guest(name, _) => identity.login.is_none() && identity.name == *name,
        }
    }

    /// Whether this connection is meant, whatever it is called.
    pub fn has(&self, connection: Option<MemberId>) -> bool {
        matches!(self, Self::Guest(_, member) if member.is_some() && *member == connection)
    }
}

/// A connection of somebody, with the level that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The connection.
    pub member: MemberId,
    /// Who they are.
    pub identity: Identity,
}

impl Digest for Whom {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::Account(account) => to.add(&true).add(&account.id).add(&account.name),
            Self::Guest(name, member) => to.add(&false).add(name).add(member),
        };
    }
}
