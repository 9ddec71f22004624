//! Where somebody moderates: on the server, or in a room, where other levels count (RL-1, RL-2).

use std::sync::Arc;

use chatterbox_hub::{
    Actor, Level, Permission, RoomNumber, RoomRef, RoomView, Sanction, SanctionSubject, Target,
    authorise,
};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::OutcomeCode;

use crate::commands::arguments::RoomArgument;
use crate::commands::context::Context;
use crate::commands::family::rooms::levels::level_in;
use crate::commands::family::rooms::place::{find_room, name_of, own_level};
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
            Self::Room(room) => own_level(context, room),
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

    /// Checks that the caller may lift sanctions there: none of them is on the caller, or on an account that they could not
    /// impose it on (RL-2). Those on networks are for who may be told of addresses (MO-7).
    ///
    /// # Errors
    /// [`Rejection`] with `forbidden`.
    pub(super) async fn authorise_lift(
        &self,
        context: &Context<'_>,
        lifted: &[Arc<Sanction>],
    ) -> Result<(), Rejection> {
        let own = context.who().login;
        let actor = Actor { level: self.level(context), ..context.who().actor() };
        for sanction in lifted {
            let target = match &sanction.subject {
                SanctionSubject::Account(on)
                    if own.as_ref().is_some_and(|own| own.account_key.id == on.id) =>
                {
                    Target::Oneself
                }
                SanctionSubject::Account(on) => {
                    let level = Subject::level_of(context, on).await?;
                    Target::User(match self {
                        Self::Server => level,
                        Self::Room(room) => {
                            level.max(context.caller.port.level_in(room.definition.number, on))
                        }
                    })
                }
                SanctionSubject::Guest { member, .. }
                    if *member == Some(context.caller.port.id()) =>
                {
                    Target::Oneself
                }
                SanctionSubject::Guest { .. } | SanctionSubject::Name(_) => {
                    Target::User(Level::GUEST)
                }
                SanctionSubject::Network { .. } => {
                    Self::Server.needs(context, Level::OPERATOR)?;
                    Target::User(Level::GUEST)
                }
            };
            authorise(actor, Permission::Moderate(Level::MODERATOR), target)?;
        }
        Ok(())
    }

    pub(super) fn room(&self) -> Option<RoomRef> {
        match self {
            Self::Server => None,
            Self::Room(room) => Some(room.definition.to_ref()),
        }
    }

    /// The number of the room.
    pub(super) fn number(&self) -> Option<RoomNumber> {
        match self {
            Self::Server => None,
            Self::Room(room) => Some(room.definition.number),
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
