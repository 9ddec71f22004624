//! A command with words that others read, by somebody who is muted (MO-3).

use chatterbox_hub::RoomNumber;
use chatterbox_proto::capability::commands::OutcomeCode;

use crate::commands::context::Context;
use crate::commands::family::moderation::times::until;
use crate::commands::reply::Rejection;

/// Checks that the caller is not muted on the server, nor in the room, where they have something to say: the text of an
/// announcement, or the reason of an act, is read by others as a message is.
///
/// # Errors
/// [`Rejection`] with `muted`.
pub(in crate::commands::family) fn may_say(
    context: &Context<'_>,
    room: Option<RoomNumber>,
    words: &str,
) -> Result<(), Rejection> {
    if words.is_empty() {
        return Ok(());
    }
    let (port, member) = (context.caller.port.moderation(), context.caller.port.id());
    let on_server = port.muted_until(member, None);
    let muted = on_server.or_else(|| room.and_then(|room| port.muted_until(member, Some(room))));
    muted.map_or(Ok(()), |end| {
        let text = format!("You are muted{}.", until(end));
        Err(Rejection { until: end, ..Rejection::new(OutcomeCode::Muted, text) })
    })
}
