//! `rooms`: the rows of the cases about rooms themselves.

use super::{
    belonging, blind, doors, entering, lasting, levels, roster, settings, talking, welcome,
};
use crate::{fault::Fault, server::Case};

const ROOMS: &str = "rooms";

const SETTINGS: &str = "Look at the room's settings and at the writer's level in it before a message gets its id; answer with REFUSED, and ERROR beside it.";
const MEMBERS: &str = "Keep the members of each room, and pass its messages on to those who are here and agreed on rooms.";
const BLIND: &str = "Look, for every receiver, at what that connection agreed on; to all others a name with # is one that nobody has.";
const SESSION: &str = "Keep memberships with the account, or with a guest's session; never with the connection or the name.";

pub const CASES: &[Case] = &[
    Case::must("rooms.agreed", "RM-5", |c| Box::pin(welcome::agreed(c)))
        .asks("rooms/1 is agreed to, and ROOMS and DEFAULT are in the welcome")
        .hint("ROOMS is a list, the lobby first: {\"ROOM\": \"ALL\", \"TOPIC\", \"TALK\", \"SLOW\", \"FLOOR\"}; DEFAULT is \"ALL\" until the user sets another one.")
        .needs(&["cap.answer"])
        .extension(ROOMS)
        .killed_by(&[
            Fault::NothingAgreed,
            Fault::RoomsNotInWelcome,
            Fault::RoomDefaultMissing,
            Fault::RoomKeysMissing,
        ]),
    Case::must("rooms.needs", "CP-8", |c| Box::pin(welcome::needs(c)))
        .asks("Offered without ids, rename and commands, rooms is not agreed to")
        .hint("Leave a capability out of the answer when one that it needs is not in the offer.")
        .needs(&["rooms.agreed"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomsWithoutNeeds]),
    Case::must("rooms.create-join", "RM-6", |c| Box::pin(entering::create_join(c)))
        .asks("A room is made and joined; who joins gets its object, the others are told")
        .hint("Send ROOMS with every key no later than the RESULT, and ROOM_USERS_JOINED {room: [name]} to the others.")
        .needs(&["rooms.agreed"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomJoinUntold, Fault::RoomObjectBehindResult]),
    Case::must("rooms.message", "RM-3", |c| Box::pin(talking::message(c)))
        .asks("A message to a room reaches its members once, and nobody else")
        .hint(MEMBERS)
        .needs(&["rooms.create-join"])
        .extension(ROOMS)
        .killed_by(&[
            Fault::RoomMessageToAll,
            Fault::RoomMessageToBase,
            Fault::RoomMessageLost,
            Fault::RoomMessageTwice,
        ]),
    Case::must("rooms.echo-ack", "RM-3", |c| Box::pin(talking::echo_ack(c)))
        .asks("A message to a room comes back to its sender, is acknowledged with its id, and delivered once for a tag")
        .hint("In a room the sender is a receiver like the others; the acknowledgement comes behind the message.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomEchoMissing, Fault::RoomAckFirst, Fault::RoomTagDelivered]),
    Case::should("rooms.roster-first", "RM-9", |c| Box::pin(talking::roster_first(c)))
        .asks("Who writes is announced in the room before their message")
        .hint("Where comings are told together, tell those that wait before a message of one of them.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomJoinToldLate]),
    Case::must("rooms.not-member", "RM-15", |c| Box::pin(talking::not_member(c)))
        .asks("Who is no member can't write to a room: not-a-member")
        .hint("Look at the membership of the writer; REFUSED with CODE not-a-member, and ERROR beside it.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomStrangerHeard, Fault::RoomStrangerUntold]),
    Case::must("rooms.base-blind", "RM-4", |c| Box::pin(blind::base(c)))
        .asks("A base client sees nothing of a room, and can't write to it")
        .hint(BLIND)
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomsToBase, Fault::RoomOpenToBase]),
    Case::must("rooms.undeclared-blind", "RM-4", |c| Box::pin(blind::undeclared(c)))
        .asks("Nor does a client that did not agree on rooms, be its user a member")
        .hint(BLIND)
        .needs(&["rooms.persist"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomsToUndeclared, Fault::RoomOpenToUndeclared]),
    Case::must("rooms.mixed-frame", "RM-3", |c| Box::pin(talking::mixed_frame(c)))
        .asks("One frame with messages to a room, to ALL and to a user: each goes where it is due")
        .hint("Take one message after the other, each with its own DEST.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomFrameByFirst]),
    Case::must("rooms.spoof", "SR-1", |c| Box::pin(talking::spoof(c)))
        .asks("In a room, too, nobody speaks as another member")
        .hint("Compare SRC with the name of the connection before you look at DEST.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomSpoofDelivered]),
    Case::must("rooms.case", "RM-1", |c| Box::pin(entering::case(c)))
        .asks("A room is found whatever the case, and told in its own spelling")
        .hint("Look rooms up by their folded names, and put the name of the room into DEST.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomCaseSensitive, Fault::RoomDestAsTyped]),
    Case::must("rooms.bad-names", "RM-1", |c| Box::pin(entering::bad_names(c)))
        .asks("No room has a name that is none, or that looks like another room's")
        .hint("# and 1 to 32 characters, no white space, no control and no invisible ones; compare skeletons as Unicode UTS 39 makes them.")
        .needs(&["rooms.create-join"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomNamesUnchecked, Fault::RoomLookalikeMade]),
    Case::must("rooms.leave", "RM-7", |c| Box::pin(entering::leave(c)))
        .asks("Who leaves is told by ROOMS_LEFT, the others by ROOM_USERS_LEFT; nothing comes behind it")
        .hint("Take the member out first, then tell: what is said from then on is for the others.")
        .needs(&["rooms.message", "rooms.not-member"])
        .extension(ROOMS)
        .killed_by(&[
            Fault::RoomLeaveUntold,
            Fault::RoomLeaverUntold,
            Fault::RoomLeaverHears,
        ]),
    Case::must("rooms.rejoin", "RM-6", |c| Box::pin(entering::rejoin(c)))
        .asks("Who joins again gets the whole object and already; nobody else is told")
        .hint("Look for the membership first: OK true, CODE already, ROOMS, and that is all.")
        .needs(&["rooms.create-join"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomRejoinAnnounced, Fault::RoomRejoinBare]),
    Case::must("rooms.no-gap", "RM-6", |c| Box::pin(entering::no_gap(c)))
        .asks("Who joins while others write misses nothing and gets nothing twice")
        .hint("Read LAST and begin to deliver in one step, under one lock.")
        .needs(&["rooms.message", "roompages.members"])
        .extension(ROOMS)
        .by_chance()
        .killed_by(&[Fault::RoomJoinGap, Fault::RoomLastWrong]),
    Case::must("rooms.order", "CP-11", |c| Box::pin(talking::order(c)))
        .asks("Over the lobby, rooms and private messages, ids rise on each connection")
        .hint("One counter for all of them, and one queue for each receiver.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomIdsOwn]),
    Case::must("rooms.persist", "RM-2", |c| Box::pin(lasting::persist(c)))
        .asks("An account is a member on its next connection, and finds what was said")
        .hint(SESSION)
        .needs(&["rooms.message", "roompages.members"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomForgetsAccounts]),
    Case::must("rooms.guest-session", "RH-7", |c| Box::pin(lasting::guest_session(c)))
        .asks("A guest leaves the roster with the connection, comes back with a resume, and not by joining anew")
        .hint(SESSION)
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomGuestLost, Fault::RoomGuestStays, Fault::RoomGuestByName]),
    Case::must("rooms.reconnect-quiet", "RM-8", |c| Box::pin(lasting::reconnect_quiet(c)))
        .asks("A member with an account who goes and comes again is no news in the room")
        .hint("A roster lists members, whether they are here or not; USER_LIST says who is here.")
        .needs(&["rooms.persist", "rooms.guest-session"])
        .extension(ROOMS)
        .by_silence()
        .killed_by(&[Fault::RoomReconnectTold]),
    Case::must("rooms.limit-race", "RM-12", |c| Box::pin(doors::limit_race(c)))
        .asks("Of ten who join a room with three places at once, three come in")
        .hint("Count and let in under one lock; the owner takes no place.")
        .needs(&["rooms.create-join", "rooms.rejoin"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomLimitIgnored]),
    Case::must("rooms.password", "RM-13", |c| Box::pin(doors::password(c)))
        .asks("A room with a password opens to the right one; who is in stays when it changes")
        .hint("Compare where somebody joins, and nowhere else.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomPasswordIgnored, Fault::RoomPasswordEvicts]),
    Case::must("rooms.hidden", "RM-12", |c| Box::pin(doors::hidden(c)))
        .asks("Of a hidden room nobody else learns that it is there")
        .hint("Ask for the membership first, and take a hidden room for none from then on.")
        .needs(&["rooms.password", "roompages.members"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomHiddenListed, Fault::RoomHiddenTold]),
    Case::must("rooms.closed-invite", "RM-13", |c| Box::pin(doors::closed_invite(c)))
        .asks("A closed room is joined by an invitation, which is good once")
        .hint("Keep the invitations of a room, and take one out when it was used.")
        .needs(&["rooms.leave"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomClosedOpen, Fault::RoomInvitationLasts]),
    Case::must("rooms.deleted", "RM-14", |c| Box::pin(entering::deleted(c)))
        .asks("Members are told of a room's end; the next one of that name is another room")
        .hint("ROOMS_LEFT with CODE deleted for every member; a new NUMBER, and nothing of the old room under it.")
        .needs(&["rooms.leave", "roompages.members"])
        .extension(ROOMS)
        .killed_by(&[
            Fault::RoomDeletedUntold,
            Fault::RoomNumberReused,
            Fault::RoomHistoryInherited,
        ]),
    Case::must("rooms.topic", "RM-11", |c| Box::pin(talking::topic(c)))
        .asks("Another topic is told to the members before the next message")
        .hint("Queue {\"ROOMS\": [{\"ROOM\", \"NUMBER\", \"TOPIC\"}]} for the members before the RESULT.")
        .needs(&["rooms.message"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomTopicUntold, Fault::RoomTopicLate]),
    Case::must("rooms.talk", "RM-15", |c| Box::pin(settings::talk(c)))
        .asks("Where TALK is above one's level, one reads only: read-only")
        .hint(SETTINGS)
        .needs(&["rooms.not-member"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomTalkIgnored]),
    Case::must("rooms.slow", "CP-12", |c| Box::pin(settings::slow(c)))
        .asks("The slow mode refuses with WAIT; a refused message costs no time")
        .hint("Keep the time of the last message that was taken, and say in WAIT how many seconds are left.")
        .needs(&["rooms.not-member"])
        .extension(ROOMS)
        .killed_by(&[
            Fault::RoomSlowIgnored,
            Fault::RoomSlowWithoutWait,
            Fault::RoomRefusalCosts,
        ]),
    Case::must("rooms.length", "RM-15", |c| Box::pin(settings::length(c)))
        .asks("A message longer than LENGTH, in characters, is refused: too-long")
        .hint(SETTINGS)
        .needs(&["rooms.not-member"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomLengthIgnored]),
    Case::must("rooms.no-roster", "RM-10", |c| Box::pin(roster::none(c)))
        .asks("Without a roster there are no USERS, and nobody's coming or going is told")
        .hint("Look at ROSTER where objects are made and where comings and goings are told; COUNT is enough, twice a minute.")
        .needs(&["rooms.leave", "rooms.rejoin"])
        .extension(ROOMS)
        .by_silence()
        .killed_by(&[Fault::RoomRosterAlways]),
    Case::must("rooms.block", "BL-1", |c| Box::pin(roster::block(c)))
        .asks("Who blocks a user gets nothing of them in rooms, and is not seen by them; the roster is complete")
        .hint("Filter by the pair, in both directions, what is delivered and what is paged, and no names.")
        .needs(&["rooms.message", "roompages.members", "rooms.rejoin"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomBlockHeard, Fault::RoomBlockPaged, Fault::RoomBlockUnlists]),
    Case::must("rooms.rename", "RM-8", |c| Box::pin(roster::rename(c)))
        .asks("Who changes name stays in the room, under the new one")
        .hint("A membership belongs to the session or the account: take the name from there when it is told.")
        .needs(&["rooms.message", "rooms.rejoin"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomRenameUntold, Fault::RoomRenameTwice]),
    Case::must("rooms.level-matrix", "RL-1", |c| Box::pin(levels::matrix(c)))
        .asks("What a level in the room is needed for is forbidden below it, and changes nothing")
        .hint("One function decides by level in the room and command, where the command is done.")
        .needs(&["rooms.rejoin"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomCommandsForAll, Fault::RoomRefusedDone]),
    Case::must("rooms.rank", "RL-2", |c| Box::pin(levels::rank(c)))
        .asks("Nobody removes or changes who is not below them; who is below is removed and told")
        .hint("Compare both levels in the room: the actor's has to be greater.")
        .needs(&["rooms.leave", "rooms.level-matrix"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomRankIgnored]),
    Case::must("rooms.default", "RM-5", |c| Box::pin(belonging::default(c)))
        .asks("DEFAULT is the room that the user has set with default, until it is deleted")
        .hint("Keep it with the account; forget it with the membership.")
        .needs(&["rooms.persist", "rooms.deleted"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomDefaultForgotten, Fault::RoomDefaultStays]),
    Case::must("rooms.grant", "RL-1", |c| Box::pin(belonging::grant(c)))
        .asks("Nobody gives a level above the own one, and guests are given none")
        .hint("Compare the level that is given with that of the giver in the room; levels are kept with accounts.")
        .needs(&["rooms.level-matrix"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomLevelsAbove, Fault::RoomGuestLevels]),
    Case::must("rooms.nick-away", "RM-8", |c| Box::pin(belonging::nick_away(c)))
        .asks("An account that goes while it has another name is in the roster under its own, and the room is told")
        .hint("Where the session of a member ends or begins under another name than the account's, tell ROOM_USERS_LEFT and ROOM_USERS_JOINED.")
        .needs(&["rooms.rename", "rooms.reconnect-quiet"])
        .extension(ROOMS)
        .killed_by(&[Fault::RoomNickStays]),
    Case::must("rooms.too-many", "RM-2", |c| Box::pin(doors::too_many(c)))
        .asks("Nobody is in more rooms than LIMITS says: too-many")
        .hint("Count the memberships of the one who joins or makes a room.")
        .needs(&["rooms.create-join"])
        .extension(ROOMS)
        .heavy()
        .killed_by(&[Fault::RoomsUncounted]),
];
