//! Reports: what was said comes from the server, and only of what their author can read.

use serde_json::{Value, json};

use super::scene::{guest, must, must_not, ranked};
use crate::{
    cases::capability::{
        calling::{code, is_ok},
        membership::{column, enter, host, run, said},
        told::number,
    },
    server::{hands::ServerHands, peer::Peer},
    verdict::{Outcome, Verdict},
};

/// A report as level 3 is shown it.
async fn shown(
    c: &mut ServerHands,
    reader: &mut Peer,
    which: u64,
) -> Result<Option<Vec<(&'static str, Value)>>, Verdict> {
    let result = must(c, reader, "reports", &[]).await?;
    let numbers = column(&result, "NUMBER");
    let Some(at) = numbers.iter().position(|number| number.as_u64() == Some(which)) else {
        return Ok(None);
    };
    let of =
        |name: &'static str| (name, column(&result, name).get(at).cloned().unwrap_or_default());
    Ok(Some(["NAME", "BY", "ID", "TEXT", "REASON"].map(of).to_vec()))
}

pub(super) async fn text(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let mut helper = ranked(c, "helper", 2).await?;
    let (mut ann, mut bob) = (guest(c, "ann").await?, guest(c, "bob").await?);
    let (words, id) = said(c, &mut ann, "ALL").await?;
    bob.expect_content(&words).await?;
    let (why, name) = (c.text(), ann.name.clone());
    let result = must(c, &mut bob, "report", &[&name, &id.to_string(), &why]).await?;
    let Some(which) = result.get("DATA").and_then(|data| number(data, "NUMBER")) else {
        return Ok(Verdict::fail("DATA {\"NUMBER\": number} of report", result.to_string()));
    };
    let report = shown(c, &mut moderator, which).await?;
    let expected = vec![
        ("NAME", json!(name)),
        ("BY", json!(bob.name)),
        ("ID", json!(id)),
        ("TEXT", json!(words)),
        ("REASON", json!(why)),
    ];
    if report.as_ref() != Some(&expected) {
        let expected = format!("report {which} in the table of reports: {expected:?}");
        return Ok(Verdict::fail(expected, format!("{report:?}")));
    }
    for reader in [&mut helper, &mut bob] {
        must_not(c, reader, ("reports", &[]), &["forbidden"]).await?;
    }
    must(c, &mut moderator, "close-report", &[&which.to_string()]).await?;
    let after = shown(c, &mut moderator, which).await?;
    Ok(Verdict::check(
        after.is_none(),
        "a report that was closed is not listed",
        format!("{after:?}"),
    ))
}

pub(super) async fn foreign_id(c: &mut ServerHands) -> Outcome {
    let (mut ann, room) = host(c).await?;
    let (mut carl, mut bob) = (guest(c, "carl").await?, guest(c, "bob").await?);
    enter(c, &mut carl, &room).await?;
    let (_, private) = said(c, &mut ann, &carl.name).await?;
    let (_, inside) = said(c, &mut ann, &room.name).await?;
    let tries = [
        (private, "a private message between two others"),
        (inside, "a message in a room of others"),
        (inside + 1_000_000, "an id that nothing has"),
    ];
    for (id, what) in tries {
        let args: &[&str] = &[&ann.name, &id.to_string(), "it is not mine"];
        let result = run(c, &mut bob, "report", args, &[]).await?;
        if is_ok(&result) || code(&result) != "no-such-message" {
            let expected = format!("no-such-message for a report with {what}");
            return Ok(Verdict::fail(expected, result.to_string()));
        }
    }
    Ok(Verdict::Pass)
}
