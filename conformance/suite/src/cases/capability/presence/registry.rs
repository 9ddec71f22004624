//! `presence`: the rows of its cases.

use super::{away, last_seen, welcome};
use crate::{
    cases::capability::agreed::{AGREED_HINT, agreed},
    fault::Fault,
    server::Case,
};

const PRESENCE: &str = "presence";

const EVERYBODY: &str = "Keep the accounts and for 30 days the guests, with the time at which they left; tell of that the hour, and nothing where its user hides it.";

pub const CASES: &[Case] = &[
    Case::must("presence.agreed", "CP-2", |c| Box::pin(agreed(c, PRESENCE)))
        .asks("presence/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(PRESENCE)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("presence.welcome", "PR-1", |c| Box::pin(welcome::welcome(c)))
        .asks("The welcome has PRESENCE for everybody in USER_LIST")
        .hint("{name: {\"SINCE\": seconds since 1970, \"AWAY\": null or a text}}, for base clients and the user itself as well.")
        .needs(&["presence.agreed"])
        .extension(PRESENCE)
        .killed_by(&[
            Fault::PresenceNotInWelcome,
            Fault::PresenceIncomplete,
            Fault::PresenceWithoutSince,
        ]),
    Case::must("presence.away", "PR-2", |c| Box::pin(away::away(c)))
        .asks("Who goes away is told to the others, with a text of at most 200 characters")
        .hint("Send PRESENCE {name: {\"SINCE\", \"AWAY\": text}} to all who agreed on presence.")
        .needs(&["presence.agreed"])
        .extension(PRESENCE)
        .also(&["commands"])
        .killed_by(&[Fault::PresenceAwayUntold, Fault::PresenceTextUnbounded]),
    Case::must("presence.away-before", "PR-1", |c| Box::pin(welcome::away_before(c)))
        .asks("Who joins later is told who is away")
        .hint("AWAY stands in the welcome as it was told last.")
        .needs(&["presence.welcome", "presence.away"])
        .extension(PRESENCE)
        .also(&["commands"])
        .killed_by(&[Fault::PresenceAwayForgotten]),
    Case::must("presence.back", "PR-2", |c| Box::pin(away::back(c)))
        .asks("A message ends being away, and so does back")
        .hint("Look at it wherever a message of the connection is taken, private ones too.")
        .needs(&["presence.away"])
        .extension(PRESENCE)
        .also(&["commands"])
        .killed_by(&[Fault::PresenceMessageUnheeded, Fault::PresenceBackUntold]),
    Case::must("presence.batched", "PR-2", |c| Box::pin(away::batched(c)))
        .asks("Many changes are told together, at most every two seconds")
        .hint("Collect who has changed, and tell it when two seconds are over since the last time.")
        .needs(&["presence.away"])
        .extension(PRESENCE)
        .also(&["commands"])
        .killed_by(&[Fault::PresenceAtOnce])
        .alone(),
    Case::must("presence.ever-seen", "PR-3", |c| Box::pin(last_seen::ever_seen(c)))
        .asks("users --all has who has left, too, accounts and guests, and tells the hour at most")
        .hint(EVERYBODY)
        .needs(&["presence.agreed", "commands.result"])
        .extension(PRESENCE)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::LastSeenForgotten, Fault::LastSeenExact]),
    Case::must("presence.hidden-last-seen", "PR-3", |c| Box::pin(last_seen::hidden(c)))
        .asks("Who hides when they were last here is listed without it")
        .hint(EVERYBODY)
        .needs(&["presence.ever-seen"])
        .extension(PRESENCE)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::LastSeenShown]),
    Case::must("presence.base", "CP-5", |c| Box::pin(welcome::base(c)))
        .asks("Who did not agree on presence gets no PRESENCE")
        .hint("Look at what that connection agreed on, in the welcome and later.")
        .needs(&["presence.away"])
        .extension(PRESENCE)
        .also(&["commands"])
        .killed_by(&[Fault::PresenceToEverybody]),
];
