//! Where a command acts, and what the caller may do there.

use chatterbox_hub::{
    Actor, Level, Permission, RoomChange, RoomDone, RoomNumber, RoomRef, RoomView, Target,
    authorise,
};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::{ALL, Username};
use serde_json::{Value, json};

use crate::commands::arguments::RoomArgument;
use crate::commands::context::Context;
use crate::commands::family::rooms::refusal::{no_such_room, refused};
use crate::commands::reply::Rejection;
use crate::moderation::Act;

/// The lobby, or a room that the caller may know of.
#[derive(Debug, Clone)]
pub(in crate::commands::family) enum Place {
    Lobby,
    Room(RoomView),
}

impl Place {
    /// The place that an argument names; without one, the room that the caller has set as default (RM-5).
    ///
    /// # Errors
    /// [`Rejection`] with `no-such-room`.
    pub(in crate::commands::family) fn find(
        context: &Context<'_>,
        given: Option<RoomArgument>,
    ) -> Result<Self, Rejection> {
        let port = &context.caller.port;
        let (name, number) = match given {
            Some(RoomArgument::Lobby) => return Ok(Self::Lobby),
            Some(RoomArgument::Unusable { text, .. }) => return Err(no_such_room(&text)),
            Some(RoomArgument::Named(name)) => (name, None),
            None => match port.default_room() {
                Some(room) => (room.name, Some(room.number)),
                None => return Ok(Self::Lobby),
            },
        };
        let view = port.room_named(&name);
        let view = view.filter(|view| number.is_none_or(|number| view.definition.number == number));
        view.map(Self::Room).ok_or_else(|| no_such_room(name.as_str()))
    }

    pub(in crate::commands::family) fn number(&self) -> RoomNumber {
        match self {
            Self::Lobby => RoomNumber::LOBBY,
            Self::Room(view) => view.definition.number,
        }
    }

    /// The room; `None` is the lobby.
    pub(in crate::commands::family) fn to_ref(&self) -> Option<RoomRef> {
        match self {
            Self::Lobby => None,
            Self::Room(view) => Some(view.definition.to_ref()),
        }
    }

    /// Its name, in its own spelling.
    pub(in crate::commands::family) fn name(&self) -> &str {
        match self {
            Self::Lobby => ALL,
            Self::Room(view) => name_of(view),
        }
    }

    /// Checks that the caller has a level there: of the room what they are in it (RL-1), of the lobby what they are on the
    /// server.
    ///
    /// # Errors
    /// [`Rejection`] with `forbidden`.
    pub(in crate::commands::family) fn authorise(
        &self,
        context: &Context<'_>,
        in_room: Level,
        in_lobby: Level,
    ) -> Result<(), Rejection> {
        match self {
            Self::Lobby => context.authorise(Permission::Use(in_lobby), Target::Oneself),
            Self::Room(view) => {
                authorise_in(context, view, Permission::Use(in_room), Target::Oneself)
            }
        }
    }
}

/// The room that an argument names, as [`Place::find`]; `lobby` says why this can't be done in the lobby.
///
/// # Errors
/// [`Rejection`] with `no-such-room`, or `forbidden` for the lobby.
pub(in crate::commands::family) fn find_room(
    context: &Context<'_>,
    given: Option<RoomArgument>,
    lobby: &str,
) -> Result<RoomView, Rejection> {
    match Place::find(context, given)? {
        Place::Room(view) => Ok(view),
        Place::Lobby => Err(Rejection::new(OutcomeCode::Forbidden, lobby)),
    }
}

/// Its name, in its own spelling.
pub(in crate::commands::family) fn name_of(view: &RoomView) -> &str {
    view.definition.name.as_str()
}

/// Checks a permission of the caller with the level that they have in a room (RL-1, RL-2).
///
/// # Errors
/// [`Rejection`] with `forbidden`.
pub(super) fn authorise_in(
    context: &Context<'_>,
    view: &RoomView,
    permission: Permission,
    target: Target,
) -> Result<(), Rejection> {
    let actor = Actor { level: own_level(context, view), ..context.who().actor() };
    Ok(authorise(actor, permission, target)?)
}

/// The level of the caller in a room. Who is banned from it has none there, whatever they were given before.
pub(in crate::commands::family) fn own_level(context: &Context<'_>, view: &RoomView) -> Level {
    let port = &context.caller.port;
    match port.moderation().ban_of(port.id(), view.definition.number) {
        Some(_) => Level::GUEST,
        None => view.level,
    }
}

/// Checks that the caller is a member of a room.
///
/// # Errors
/// [`Rejection`] with `not-a-member`.
pub(super) fn as_member(view: &RoomView) -> Result<(), Rejection> {
    if view.is_member {
        return Ok(());
    }
    Err(refused(OutcomeCode::NotAMember, name_of(view)))
}

/// Counts one more coming or going of the caller, if it may be now.
///
/// # Errors
/// [`Rejection`] with `throttled`.
pub(super) fn paced(context: &Context<'_>) -> Result<(), Rejection> {
    let taken = context.state.room_changes.try_take(context.caller.port.id(), &context.who());
    taken.map_err(Rejection::throttled)
}

/// Counts one more change of a room, or look at all of its members, if it may be now: a change is a commit of its own, for
/// which everybody else waits.
///
/// # Errors
/// [`Rejection`] with `throttled`.
pub(in crate::commands::family) fn costly(context: &Context<'_>) -> Result<(), Rejection> {
    let taken = context.state.room_wishes.try_take(context.caller.port.id(), &context.who());
    taken.map_err(Rejection::throttled)
}

/// Wishes for a change of a place, and waits until it is made.
///
/// # Errors
/// [`Rejection`] with the word of the hub.
pub(in crate::commands::family) async fn change(
    context: &Context<'_>,
    name: &str,
    change: RoomChange,
) -> Result<RoomDone, Rejection> {
    costly(context)?;
    let done = context.caller.port.change_room(change).await;
    done.map_err(|code| refused(code, name))
}

/// The same for what is written down first (MO-10): to whom, and what exactly. What would not be granted is not written down.
///
/// # Errors
/// [`Rejection`] with the word of the hub, or that it can't be written down.
pub(in crate::commands::family) async fn audited_change(
    context: &Context<'_>,
    name: &str,
    change: RoomChange,
    (act, about, detail): (Act, Option<&Username>, &str),
    room: Option<RoomRef>,
) -> Result<RoomDone, Rejection> {
    costly(context)?;
    let port = &context.caller.port;
    port.may_change_room(&change).map_err(|code| refused(code, name))?;
    context.audit(act, about, room, detail).await?;
    port.change_room(change).await.map_err(|code| refused(code, name))
}

/// The `DATA` of what was done with a room.
pub(super) fn data(view: &RoomView) -> Value {
    json!({"ROOM": name_of(view), "NUMBER": view.definition.number.0})
}
