//! `moderation`: the rows of its cases.

use super::{
    addresses, announcing, audit, bans, kicks, levels, matrix, muted_rooms, mutes, names, race,
    removals, reports, room_bans,
};
use crate::{claims::MODERATION as EXTENSION, fault::Fault, server::Case};

const MUTED: &str = "Look at the mutes of the room, and of the server, before you take a message, a topic or an invitation there.";
const BROADCAST: &str = "For each receiver either NOTICES with announcement, where that was agreed, or a message of SERVER with a null id; store neither.";

pub const KICKS: &[Case] = &[
    Case::must("kick.closes", "MO-2", |c| Box::pin(kicks::closes(c)))
        .asks("Who is kicked is told why, the connection ends, the others get USERS_LEFT, and the name is refused for a while")
        .hint("CLOSED {\"CODE\": \"kicked\", \"INFO\": the reason, \"RETRY\": 30} beside ERROR in the last frame; for 30 s the account, or the guest's name, is refused with CODE kicked.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::KickConnectionStays, Fault::KickUntold, Fault::KickRetryMissing, Fault::KickForgotten, Fault::KickHidden]),
    Case::must("kick.no-resume", "MO-2", |c| Box::pin(kicks::no_resume(c)))
        .asks("The session of who was kicked can't be resumed")
        .hint("Forget the session when its user is kicked; RESUME is asked the same questions as a name.")
        .needs(&["cap.answer"])
        .excused_by(&["kick.closes"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::KickResumable]),
    Case::must("kick.rank", "RL-2", |c| Box::pin(kicks::rank(c)))
        .asks("Nobody kicks somebody of the same or a higher level, or themselves")
        .hint("Compare the levels of both: only a greater one may act.")
        .needs(&["cap.answer"])
        .excused_by(&["kick.closes"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::KickRankIgnored]),
    Case::must("kick.told", "MO-8", |c| Box::pin(removals::told(c)))
        .asks("The others are told of a kick: base clients by USERS_LEFT and one message of SERVER")
        .hint("Let who is removed leave as anybody does, and say once to ALL, as SERVER, that they were kicked; who agreed on notices gets NOTICES.")
        .needs(&["cap.answer"])
        .excused_by(&["kick.closes"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::KickUnexplained]),
];

pub const MUTES: &[Case] = &[
    Case::must("mute.refused", "MO-3", |c| Box::pin(mutes::refuses(c)))
        .asks("What somebody says who is muted is refused, with the end; unmute ends it")
        .hint("REFUSED {\"CODE\": \"muted\", \"UNTIL\": ...}, and ERROR for a base client; tell the person by NOTICES or ERROR when it begins.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::MuteIgnored, Fault::MuteWithoutUntil, Fault::MuteUntold]),
    Case::must("mute.room", "MO-3", |c| Box::pin(muted_rooms::room(c)))
        .asks("Who is muted in a room is refused messages, topics and invitations there, and nothing elsewhere")
        .hint(MUTED)
        .needs(&["rooms.create-join"])
        .extension(EXTENSION)
        .killed_by(&[Fault::MuteTopicsFree, Fault::MuteInvitesFree, Fault::MuteEverywhere]),
    Case::must("mute.expires", "MO-3", |c| Box::pin(muted_rooms::expires(c)))
        .asks("A mute ends by itself, not before its time")
        .hint("Compare its end with the clock whenever somebody writes.")
        .needs(&["rooms.create-join"])
        .excused_by(&["mute.room"])
        .extension(EXTENSION)
        .killed_by(&[Fault::MuteForever]),
    Case::must("mute.appeal", "MO-3", |c| Box::pin(mutes::appeal(c)))
        .asks("Who is muted can write privately to level 3 and above, and to nobody else")
        .hint("Look at the level of the receiver of a private message before you refuse it.")
        .needs(&["mute.refused"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::MuteOfAppeals, Fault::MuteWhispersFree]),
    Case::must("mute.survives", "MO-3", |c| Box::pin(mutes::survives(c)))
        .asks("A mute outlives nick, resuming and coming back")
        .hint("Keep a mute with the account; or with a guest's session and name.")
        .needs(&["mute.refused"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::MuteShedByNick, Fault::MuteShedByReconnect]),
];

pub const BANS: &[Case] = &[
    Case::must("ban.account", "NO-5", |c| Box::pin(bans::of_account(c)))
        .asks("An account is banned under whatever name it is here; it is told why, and refused with reason and end")
        .hint("Ban the account by its number: end its connections, and refuse its login with CODE banned, the reason in INFO, and UNTIL.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanUntold, Fault::BanByNick, Fault::BanWithoutUntil]),
    Case::must("ban.offline", "MO-4", |c| Box::pin(bans::offline(c)))
        .asks("Who is away can be banned")
        .hint("Look for the account among all that there are, not among who is here.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanOfWhoIsHere]),
    Case::must("ban.expires", "MO-4", |c| Box::pin(bans::expires(c)))
        .asks("A ban ends by itself, not before its time")
        .hint("Compare its end with the clock whenever somebody asks for a name.")
        .needs(&["ban.offline"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanNeverEnds]),
    Case::must("ban.unban", "MO-4", |c| Box::pin(bans::unban(c)))
        .asks("A ban can be lifted")
        .hint("unban takes what ban took.")
        .needs(&["ban.offline"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanLiftedInVain]),
    Case::must("ban.listed", "MO-4", |c| Box::pin(bans::listed(c)))
        .asks("A ban is listed with its author, its end and its reason, and can be lifted by its number")
        .hint("banned-users has a table of NUMBER, KIND, VALUE, SCOPE, BY, UNTIL and REASON; unban takes a number as well.")
        .needs(&["ban.offline"])
        .excused_by(&["ban.unban"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BansListedBare]),
    Case::must("ban.name", "MO-4", |c| Box::pin(names::lookalikes(c)))
        .asks("A banned name is refused in any case, and so are its ASCII look-alikes")
        .hint("Compare the folded names, and their skeletons (UTS 39): I, l and 1 look alike.")
        .needs(&["cap.answer"])
        .excused_by(&["ban.account"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanWithCase, Fault::BanLookalikesFree]),
    Case::must("ban.guest-rename", "MO-5", |c| Box::pin(names::no_way_around(c)))
        .asks("A banned guest can't resume the session, and nobody takes the name with nick")
        .hint("Ask at joining, at nick and at resuming alike.")
        .needs(&["cap.answer"])
        .excused_by(&["ban.name"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanShedByNick, Fault::BanResumable]),
    Case::must("ban.shared-address", "MO-5", |c| Box::pin(names::shared_address(c)))
        .asks("A ban of a guest leaves the others at the address alone, where more than five are")
        .hint("Ban the address of a guest only where few are here from it.")
        .needs(&["cap.answer"])
        .excused_by(&["ban.name"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanLocksOutGuests]),
    Case::must("ban.address-asks", "MO-6", |c| Box::pin(addresses::asks(c)))
        .asks("A ban that would end connections of others asks first, and says how many")
        .hint("Count who would be hit before anything is done; PROMPT with the number, and null cancels.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanAddressUnasked]),
    Case::must("ban.lock-out", "MO-6", |c| Box::pin(addresses::lock_out(c)))
        .asks("A ban of the own address, or of who is not below, is refused")
        .hint("Look who would be hit: would-lock-out where the author is among them, or anybody of the same or a higher level.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanLocksOut, Fault::BanRankIgnored]),
    Case::must("ban.wide", "MO-6", |c| Box::pin(addresses::wide(c)))
        .asks("Below level 5 nobody bans more than a /16")
        .hint("Look at the length of the prefix: 16 bits of IPv4 and 32 of IPv6 at least.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BanWideTaken]),
    Case::must("ban.room", "MO-4", |c| Box::pin(room_bans::from_room(c)))
        .asks("Who is banned from a room is out of it, goes on in the chat, and no invitation helps")
        .hint("ROOMS_LEFT with banned; join is refused with banned whoever has invited them.")
        .needs(&["rooms.create-join"])
        .extension(EXTENSION)
        .killed_by(&[Fault::BanRoomForgotten, Fault::BanRoomInvited, Fault::BanRoomFromChat]),
    Case::must("ban.race", "MO-4", |c| Box::pin(race::never_there(c)))
        .asks("Who logs in while they are banned is refused, or closed before the RESULT")
        .hint("Ask whether somebody is banned where they become a member, under the same lock, and not before.")
        .needs(&["ban.offline"])
        .extension(EXTENSION)
        .alone()
        .by_chance()
        .killed_by(&[Fault::BanRace]),
];

pub const MODERATION: &[Case] = &[
    Case::must("mod.levels", "MO-1", |c| Box::pin(levels::named(c)))
        .asks("LEVELS, the names of the levels, stands beside COMMANDS")
        .hint("A list of six names, for 0 to 5.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .killed_by(&[Fault::LevelsUntold]),
    Case::must("mod.silent", "MO-7", |c| Box::pin(removals::silent(c)))
        .asks("With --silent only the person is told why")
        .hint("--silent drops the message of SERVER and the notice; the person is told all the same.")
        .needs(&["cap.answer"])
        .excused_by(&["kick.closes", "ban.account"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::SilentTold]),
    Case::must("mod.no-address", "MO-7", |c| Box::pin(addresses::unseen(c)))
        .asks("No address is in any frame for who is below level 4")
        .hint("Leave addresses out of tables, notices and texts for who may not see them.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::AddressesShown]),
    Case::must("mod.matrix", "CM-5", |c| Box::pin(matrix::pairs(c)))
        .asks("Every act for every pair of levels: whoever is not above is refused, and nothing changes")
        .hint("One function that decides who may, asked by every command, with the level of both.")
        .needs(&["kick.rank"])
        .excused_by(&["kick.closes"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::ModerationForAll, Fault::ModerationRankIgnored]),
    Case::must("mod.room-matrix", "RL-2", |c| Box::pin(matrix::pairs_in_room(c)))
        .asks("Every act in a room for every pair of levels there: whoever is not above is refused, and nothing changes")
        .hint("In a room the greater one of the two levels counts, of the one who acts and of the one who is hit alike.")
        .needs(&["rooms.create-join"])
        .extension(EXTENSION)
        .killed_by(&[Fault::ModerationForAll, Fault::ModerationRankIgnored]),
    Case::must("mod.audit", "MO-10", |c| Box::pin(audit::each_act_once(c)))
        .asks("Each act is one line of the audit log, and what was refused is none")
        .hint("Write the line when it is certain that the act is allowed, before it is done.")
        .needs(&["kick.rank"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::AuditMissing, Fault::AuditTwice, Fault::AuditOfRefusals]),
    Case::must("mod.broadcast", "MO-9", |c| Box::pin(announcing::in_room(c)))
        .asks("What is broadcast in a room is a notice or a message of SERVER, never both, and on no page")
        .hint(BROADCAST)
        .needs(&["rooms.create-join"])
        .extension(EXTENSION)
        .killed_by(&[Fault::BroadcastBothWays, Fault::BroadcastWithId, Fault::BroadcastToMessagesOnly]),
    Case::must("mod.server-broadcast", "MO-9", |c| Box::pin(announcing::everywhere(c)))
        .asks("What is broadcast to all is a notice or a message of SERVER, never both, and no part of the history")
        .hint(BROADCAST)
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::BroadcastBothWays, Fault::BroadcastWithId, Fault::BroadcastToMessagesOnly]),
];

pub const REPORTS: &[Case] = &[
    Case::must("report.text", "MO-11", |c| Box::pin(reports::text(c)))
        .asks("A report has the text that the server keeps, and level 3 reads it")
        .hint("Take id, look the message up yourself, and keep what it says with the report.")
        .needs(&["cap.answer"])
        .extension(EXTENSION)
        .alone()
        .killed_by(&[Fault::ReportTextMadeUp, Fault::ReportsForAll]),
    Case::must("report.foreign-id", "MO-11", |c| Box::pin(reports::foreign_id(c)))
        .asks("A report may name only a message that its author can read")
        .hint("Ask the same question as for a page of the history: no-such-message where there is nothing for this user.")
        .needs(&["rooms.create-join"])
        .extension(EXTENSION)
        .killed_by(&[Fault::ReportOfForeignId]),
];
