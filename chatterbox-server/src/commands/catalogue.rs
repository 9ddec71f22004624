//! The catalogue: the commands that a user may use now (CM-1).

use chatterbox_hub::{Actor, Permission, Target, authorise};
use chatterbox_proto::Capabilities;
use chatterbox_proto::capability::commands as wire;

use crate::commands::spec::Spec;
use crate::commands::state::CommandState;

/// Those of `specs` that are switched on, and that this user may use with what was agreed.
pub(super) fn usable(
    specs: &'static [&'static Spec],
    state: &CommandState,
    actor: Actor,
    agreed: Capabilities,
) -> impl Iterator<Item = &'static Spec> {
    specs.iter().copied().filter(move |spec| {
        !state.is_disabled(spec)
            && spec.needs.is_none_or(|needs| agreed.has(needs))
            && authorise(actor, Permission::Use(spec.level), Target::Oneself).is_ok()
    })
}

/// The same as a client gets it.
pub(super) fn catalogue(
    specs: &'static [&'static Spec],
    state: &CommandState,
    actor: Actor,
    agreed: Capabilities,
) -> Vec<wire::Command> {
    usable(specs, state, actor, agreed).map(|spec| spec.to_wire(agreed)).collect()
}
