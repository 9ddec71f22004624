//! The catalogue: the commands that a user may use now (CM-1).

use chatterbox_proto::capability::commands as wire;

use crate::commands::online::Desk;
use crate::commands::permission::{Actor, Permission, Target, authorise};
use crate::commands::spec::Spec;

/// Those of `specs` that are switched on, and that this user may use.
pub(super) fn usable(
    specs: &'static [&'static Spec],
    desk: &Desk,
    actor: Actor,
) -> impl Iterator<Item = &'static Spec> {
    specs.iter().copied().filter(move |spec| {
        !desk.is_disabled(spec)
            && authorise(actor, Permission::Use(spec.level), Target::Oneself).is_ok()
    })
}

/// The same as a client gets it.
pub(super) fn catalogue(
    specs: &'static [&'static Spec],
    desk: &Desk,
    actor: Actor,
) -> Vec<wire::Command> {
    usable(specs, desk, actor).map(Spec::to_wire).collect()
}
