//! The audit log: a line for each act, none for what was refused.

use serde_json::Value;

use super::scene::{guest, must, must_not, ranked};
use crate::{
    cases::capability::membership::column as values,
    server::{hands::ServerHands, peer::Peer},
    verdict::{Outcome, Verdict},
};

const COLUMNS: [&str; 7] = ["AT", "BY", "ACT", "NAME", "ROOM", "REASON", "UNTIL"];

/// The lines of the log about somebody that one user is the author of, as pairs of ACT and REASON.
async fn lines(
    c: &mut ServerHands,
    reader: &mut Peer,
    (by, name): (&str, &str),
) -> Result<Vec<(String, String)>, Verdict> {
    let result = must(c, reader, "audit", &[name]).await?;
    let table = result.get("DATA").cloned().unwrap_or_default();
    let named: Vec<&Value> =
        table.get("COLUMNS").and_then(Value::as_array).into_iter().flatten().collect();
    if !COLUMNS.iter().all(|column| named.iter().any(|one| one.as_str() == Some(column))) {
        let expected = format!("DATA of audit is a table of {}", COLUMNS.join(", "));
        return Err(Verdict::fail(expected, table.to_string()));
    }
    let text = |column: &str| -> Vec<String> {
        let all = values(&result, column).into_iter();
        all.map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
    };
    let (authors, about) = (text("BY"), text("NAME"));
    let both = text("ACT").into_iter().zip(text("REASON"));
    let lines = authors.into_iter().zip(about).zip(both);
    Ok(lines.filter(|((a, n), _)| a == by && n == name).map(|(_, line)| line).collect())
}

pub(super) async fn each_act_once(c: &mut ServerHands) -> Outcome {
    let mut operator = ranked(c, "operator", 4).await?;
    let equal = ranked(c, "equal", 4).await?;
    let (mut ann, why) = (guest(c, "ann").await?, c.text());
    let (own, name) = (operator.name.clone(), ann.name.clone());
    let kick: &[&str] = &[&equal.name, "not mine to do"];
    must_not(c, &mut operator, ("kick", kick), &["forbidden"]).await?;
    must(c, &mut operator, "mute", &[&name, "1m"]).await?;
    must(c, &mut operator, "unmute", &[&name]).await?;
    must(c, &mut operator, "kick", &[&name, &why]).await?;
    ann.find_closed().await;
    let about = lines(c, &mut operator, (&own, &name)).await?;
    let with_reason = about.iter().filter(|(_, reason)| *reason == why).count();
    if about.len() != 3 || with_reason != 1 {
        let expected = format!(
            "three lines of {own} about {name} in the audit log (mute, unmute, kick), one of them with the reason {why:?}"
        );
        return Ok(Verdict::fail(expected, format!("{about:?}")));
    }
    let vain = lines(c, &mut operator, (&own, &equal.name)).await?;
    if !vain.is_empty() {
        let expected = "no line in the audit log for what was refused";
        return Ok(Verdict::fail(expected, format!("{vain:?}")));
    }
    // A level that was given is an act, too.
    let staff = c.staff().await?.name().to_owned();
    let given = lines(c, &mut operator, (&staff, &own)).await?;
    let expected = format!("one line of {staff} about the level of {own}");
    Ok(Verdict::check(given.len() == 1, expected, format!("{given:?}")))
}
