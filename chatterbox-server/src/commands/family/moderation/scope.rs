//! Where somebody moderates: on the server, or in a room, where other levels count (RL-1, RL-2).

use chatterbox_hub::{Actor, Level, Permission, RoomRef, RoomView, Target, authorise};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::OutcomeCode;

use crate::commands::arguments::RoomArgument;
use crate::commands::context::Context;
use crate::commands::family::rooms::levels::level_in;
use crate::commands::family::rooms::place::{find_room, name_of};
use crate::commands::family::subject::Subject;
use crate::commands::moderating::{Acts, Author};
use crate::commands::reply::Rejection;

/// The server, or a room that the caller may know of.
#[derive(Debug)]
pub(super) enum Scope {
    Server,
    Room(Box<RoomView>),
}

impl Scope {
    /// The room that an argument names; without one, and for the lobby, the server.
    ///
    /// # Errors
    /// [`Rejection`] with `no-such-room`; `needs-capability` for who does not speak rooms, and so never sees one (RM-4).
    pub(super) fn find(
        context: &Context<'_>,
        given: Option<RoomArgument>,
    ) -> Result<Self, Rejection> {
        let Some(given) = given.filter(|given| *given != RoomArgument::Lobby) else {
            return Ok(Self::Server);
        };
        if !context.caller.agreed.has(Capability::Rooms) {
            let text = "This needs a client that speaks rooms.";
            return Err(Rejection::new(OutcomeCode::NeedsCapability, text));
        }
        Ok(Self::Room(Box::new(find_room(context, Some(given), "")?)))
    }

    /// The level of the caller there.
    pub(super) fn level(&self, context: &Context<'_>) -> Level {
        let Actor { level, registered } = context.who().actor();
        match self {
            Self::Room(room) => room.level,
            Self::Server if registered => level,
            Self::Server => Level::GUEST,
        }
    }

    /// Checks that the caller has a level there.
    ///
    /// # Errors
    /// [`Rejection`] with `forbidden`.
    pub(super) fn needs(&self, context: &Context<'_>, level: Level) -> Result<(), Rejection> {
        let actor = Actor { level: self.level(context), ..context.who().actor() };
        Ok(authorise(actor, Permission::Use(level), Target::Oneself)?)
    }

    /// Checks that the caller may moderate somebody there.
    ///
    /// # Errors
    /// [`Rejection`] with `forbidden`.
    pub(super) fn authorise(
        &self,
        context: &Context<'_>,
        needs: Level,
        subject: &Subject,
    ) -> Result<(), Rejection> {
        let actor = Actor { level: self.level(context), ..context.who().actor() };
        let target = match (subject.is_caller(context), self) {
            (true, _) => Target::Oneself,
            (false, Self::Server) => Target::User(subject.level),
            (false, Self::Room(room)) => Target::User(level_in(context, room, subject)),
        };
        Ok(authorise(actor, Permission::Moderate(needs), target)?)
    }

    pub(super) fn room(&self) -> Option<RoomRef> {
        match self {
            Self::Server => None,
            Self::Room(room) => Some(room.definition.to_ref()),
        }
    }

    /// Its name, for programs; null is the server.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Server => None,
            Self::Room(room) => Some(name_of(room)),
        }
    }

    /// ` in #lab`, or nothing: a part of a sentence.
    pub(super) fn place(&self) -> String {
        self.name().map_or_else(String::new, |name| format!(" in {name}"))
    }

    /// What the caller can do there.
    pub(super) fn acts<'a>(&self, context: &'a Context<'_>) -> Acts<'a> {
        Acts {
            state: context.state,
            port: context.caller.port.moderation(),
            author: Author::member(&context.who(), context.caller.port.id(), self.level(context)),
        }
    }
}
