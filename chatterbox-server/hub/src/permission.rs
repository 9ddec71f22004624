//! Every permission, in one pure function (CM-5).
//!
//! Ranks are strict: nobody gives a level above their own, or changes a user who is not below them.

use crate::identity::Actor;
use crate::level::Level;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To use a command of this level.
    Use(Level),
    /// To give somebody a level.
    GiveLevel(Level),
    /// To remove an account.
    RemoveAccount,
    /// To give somebody a level in a room. Both levels are those in the room (RL-1, RL-2).
    GiveRoomLevel(Level),
    /// To remove somebody from a room. Both levels are those in the room (RL-2).
    RemoveFromRoom,
    /// To moderate somebody, which takes this level: on the server or in a room, where both levels are those (RL-2).
    Moderate(Level),
    /// To switch a command off; one that switches the others on again stays on.
    SwitchOff {
        /// Whether the command is such a one.
        stays_on: bool,
    },
    /// To see every account, those of users who are not here included.
    ListAccounts,
    /// To hear what is said by those who block them.
    HearBlockers,
}

/// To whom they do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To nobody, or to themselves.
    Oneself,
    /// To a user of this level: what they have for good or at the moment, whichever is more.
    User(Level),
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The level is too low.
    #[error("This needs level {0}.")]
    Level(Level),
    /// Nobody gives more than they have.
    #[error("Nobody gives a level above the own one.")]
    AboveOwn,
    /// Nobody changes their equals.
    #[error("Only users of a level below the own one can be changed.")]
    NotBelow,
    /// What switches everything on again stays on.
    #[error("This command can't be switched off.")]
    StaysOn,
}

/// Says whether somebody may do something.
///
/// # Errors
/// [`Denied`] says why not.
pub fn authorise(actor: Actor, permission: Permission, target: Target) -> Result<(), Denied> {
    let at_least = |level: Level| {
        // A user who is not logged in is a guest, whatever else may have gone wrong.
        let has = if actor.registered { actor.level } else { Level::GUEST };
        if has >= level { Ok(()) } else { Err(Denied::Level(level)) }
    };
    let below = match target {
        Target::Oneself => true,
        Target::User(level) => level < actor.level,
    };
    match permission {
        Permission::Use(level) => at_least(level),
        Permission::ListAccounts => at_least(Level::USER),
        Permission::HearBlockers => at_least(Level::HELPER),
        Permission::GiveLevel(level) | Permission::GiveRoomLevel(level) => {
            let on_the_server = matches!(permission, Permission::GiveLevel(_));
            at_least(if on_the_server { Level::ADMIN } else { Level::OPERATOR })?;
            if level > actor.level {
                return Err(Denied::AboveOwn);
            }
            // Nobody is below themselves.
            if below && target != Target::Oneself { Ok(()) } else { Err(Denied::NotBelow) }
        }
        Permission::Moderate(_) | Permission::RemoveFromRoom => {
            at_least(match permission {
                Permission::Moderate(level) => level,
                _ => Level::HELPER,
            })?;
            if below && target != Target::Oneself { Ok(()) } else { Err(Denied::NotBelow) }
        }
        Permission::RemoveAccount => {
            at_least(Level::ADMIN)?;
            if below { Ok(()) } else { Err(Denied::NotBelow) }
        }
        Permission::SwitchOff { stays_on } => {
            at_least(Level::ADMIN)?;
            if stays_on { Err(Denied::StaysOn) } else { Ok(()) }
        }
    }
}
