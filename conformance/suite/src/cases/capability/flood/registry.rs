//! `flood`: the rows of its cases.

use super::{base, meanwhile, muting, pasting, refusing, rooms};
use crate::{fault::Fault, server::Case};

const FLOOD: &str = "flood";

const BUCKET: &str = "A token bucket for each sender and destination, all private ones together: 40 tokens, and one comes back each second. A frame costs one for each 16 messages or 4 KiB begun.";

pub const CASES: &[Case] = &[
    Case::must("flood.refused", "FL-1", |c| Box::pin(refusing::refused(c)))
        .asks("Of 120 frames of one message 40 are taken; the others are refused with flood and WAIT, and reach nobody")
        .hint(BUCKET)
        .needs(&["private.delivered", "tags.refused"])
        .extension(FLOOD)
        .also(&["ids"])
        .killed_by(&[
            Fault::FloodUnlimited,
            Fault::FloodEarly,
            Fault::FloodWithoutWait,
            Fault::FloodDelivered,
        ])
        .rough(),
    Case::must("flood.paste", "FL-1", |c| Box::pin(pasting::paste(c)))
        .asks("600 lines in one frame are a paste, and no flood: all arrive, in their order, and one more behind them")
        .hint("Count frames, not messages: 16 short messages of one frame cost one token.")
        .needs(&["private.delivered"])
        .extension(FLOOD)
        .also(&["ids"])
        .killed_by(&[Fault::FloodCountsLines])
        .rough(),
    Case::must("flood.wait", "CP-12", |c| Box::pin(refusing::wait(c)))
        .asks("After the time that WAIT says the same tag goes through")
        .hint("Say how long it takes until the bucket holds what the frame costs; a refused tag is not used.")
        .needs(&["flood.refused"])
        .extension(FLOOD)
        .also(&["ids"])
        .killed_by(&[Fault::FloodTagBurnt, Fault::FloodWaitTooShort])
        .rough(),
    Case::must("flood.mute", "FL-2", |c| Box::pin(muting::mute(c)))
        .asks("After twenty refusals one is muted for a minute, and stays connected")
        .hint("REFUSED with CODE muted and UNTIL, in seconds since 1970; a flood is no reason to end a connection.")
        .needs(&["private.delivered", "tags.refused"])
        .extension(FLOOD)
        .also(&["ids"])
        .killed_by(&[
            Fault::FloodNeverMutes,
            Fault::FloodMuteWithoutUntil,
            Fault::FloodMuteForHours,
            Fault::FloodCloses,
        ])
        .rough(),
    Case::must("flood.others", "FL-1", |c| Box::pin(meanwhile::others(c)))
        .asks("What others say meanwhile is delivered, and what the same user says elsewhere")
        .hint(BUCKET)
        .needs(&["private.delivered", "tags.refused"])
        .extension(FLOOD)
        .also(&["ids"])
        .killed_by(&[Fault::FloodCountsTogether, Fault::FloodOneDestination])
        .rough(),
    Case::must("flood.base", "FL-2", |c| Box::pin(base::base(c)))
        .asks("A base client that floods gets ERROR, stays connected, and is heard again after a while")
        .hint("Refuse each frame by itself, with ERROR; nothing of it is kept for later.")
        .needs(&["private.delivered"])
        .extension(FLOOD)
        .killed_by(&[Fault::FloodBaseUntold, Fault::FloodBaseForGood])
        .rough(),
    Case::must("flood.room-busy", "FL-3", |c| Box::pin(rooms::busy(c)))
        .asks("Of a thousand frames of 25 users in one room 400 are taken at once, and some refused with room-busy")
        .hint("A second bucket for each room: 400 tokens, and 40 come back each second.")
        .needs(&["rooms.message", "flood.refused"])
        .extension(FLOOD)
        .also(&["rooms"])
        .killed_by(&[Fault::FloodRoomUncounted])
        .rough(),
];
