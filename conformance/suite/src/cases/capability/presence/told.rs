//! Reads what a server tells of presence, and waits for it.

use std::time::Duration;

use conformance_kit::wire::frame::Frame;
use serde_json::{Map, Value};

use crate::{
    cases::capability::membership::done,
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::Verdict,
};

/// Who is told of presence.
pub(super) const WATCHER: &str = "presence/1";
/// Who goes away.
pub(super) const WALKER: &str = "commands/1 presence/1";

/// How long a change may wait to be told with others: two seconds, ten where very many are here (PR-2).
const TOGETHER: Duration = Duration::from_secs(10);

/// What a frame tells of presence.
pub(super) fn presence(frame: &Frame) -> Option<&Map<String, Value>> {
    frame.key("PRESENCE")?.as_object()
}

/// What a frame tells of one user, if it is sound.
pub(super) fn of<'a>(frame: &'a Frame, name: &str) -> Option<&'a Value> {
    presence(frame)?.get(name).filter(|state| is_sound(state))
}

/// Whether the state of somebody who is here has all that it needs.
pub(super) fn is_sound(state: &Value) -> bool {
    let since = state.get("SINCE").and_then(Value::as_i64).is_some_and(|since| since > 0);
    let away = state.get("AWAY").is_some_and(|away| away.is_null() || away.is_string());
    since && away
}

/// Waits until a user is told that another one is away with this text, or not any more.
pub(super) async fn told(
    c: &ServerHands,
    peer: &mut Peer,
    since: Mark,
    name: &str,
    away: Option<&str>,
) -> Result<(), Verdict> {
    let patience = c.patience() + TOGETHER;
    let tells = |frame: &Frame| (of(frame, name)?.get("AWAY")?.as_str() == away).then_some(());
    if peer.find_within(patience, since, tells).await.is_some() {
        return Ok(());
    }
    let away = away.map_or(Value::Null, Value::from);
    let expected = format!(
        "{} gets PRESENCE {{\"{name}\": {{\"SINCE\": seconds, \"AWAY\": {away}}}}}",
        peer.role
    );
    Err(Verdict::missing(expected, peer.heard(since)))
}

/// Goes away with a text, and waits until somebody was told.
pub(super) async fn gone(
    c: &mut ServerHands,
    walker: &mut Peer,
    watcher: &mut Peer,
) -> Result<String, Verdict> {
    let (since, text) = (watcher.mark(), c.text());
    done(c, walker, "away", &[&text]).await?;
    let name = walker.name.clone();
    told(c, watcher, since, &name, Some(&text)).await?;
    Ok(text)
}
