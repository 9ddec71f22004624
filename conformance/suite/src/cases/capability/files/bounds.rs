//! `files`: how much may be put, and who may.

use serde_json::{Value, json};

use super::transfer::{OFFER, SENDER, Sent, code, is_expired, number, put, sender, sent, sha256};
use crate::{
    server::hands::ServerHands,
    verdict::{Outcome, Verdict},
};

pub(super) async fn quota(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let limits = ann.welcome().and_then(|frame| frame.key("LIMITS").cloned()).unwrap_or_default();
    let Some(most) = number(&limits, "FILE") else {
        // It should be told (CP-13), and need not be.
        return Ok(Verdict::inconclusive(format!("no FILE in LIMITS: {limits}")));
    };
    let id = c.nonces.letters(10);
    let wish = json!({"ID": id, "TO": "ALL", "NAME": "large.bin", "SIZE": most + 1,
        "SHA256": sha256(id.as_bytes())});
    let (file, _) = super::transfer::ask(&mut ann, "FILE_PUT", wish).await?;
    let space = file.get("SPACE").cloned().unwrap_or_default();
    let has_numbers = number(&space, "MOST").is_some() && number(&space, "LEFT").is_some();
    let is_refused = matches!(code(&file), Some("too-long" | "no-space"));
    if !is_refused || !has_numbers || space.get("OF").is_none_or(|of| !of.is_string()) {
        let expected = format!(
            "too-long or no-space with SPACE {{\"OF\", \"MOST\", \"LEFT\"}} for a file of {} bytes",
            most + 1
        );
        return Ok(Verdict::fail(expected, file.to_string()));
    }
    Ok(Verdict::Pass)
}

pub(super) async fn guest(c: &mut ServerHands) -> Outcome {
    let mut eve = c.join_with("eve", SENDER).await?;
    let sent = sent(c, 10);
    let (file, _) = put(c, &mut eve, "ALL", &sent).await?;
    let expected = "a CODE for an upload of a guest";
    Ok(Verdict::check(code(&file).is_some(), expected, file.to_string()))
}

/// Longer than any name of a user or of a file, and than any token.
const LONG: usize = 5_000;

pub(super) async fn long_texts(c: &mut ServerHands) -> Outcome {
    let (mut ann, _) = sender(c, "ann").await?;
    let long = "x".repeat(LONG);
    let named = Sent { name: long.clone(), ..sent(c, 5) };
    let (file, _) = put(c, &mut ann, "ALL", &named).await?;
    if code(&file).is_none() {
        let expected = format!("CODE under its ID for a NAME of {LONG} bytes");
        return Ok(Verdict::fail(expected, file.to_string()));
    }
    // Whether a message to a user who is not here is refused is the server's choice (DE-2); that this is answered is not.
    let other = sent(c, 5);
    put(c, &mut ann, &long, &other).await?;
    for length in [65, LONG] {
        is_expired(c, &mut ann, &"x".repeat(length), "there is no such file").await?;
    }
    Ok(Verdict::Pass)
}

pub(super) async fn malformed(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    for (key, value) in [
        ("FILE_PUT", json!({"ID": "x", "TO": "ALL", "NAME": "x", "SIZE": "1", "SHA256": "00"})),
        ("FILE_CHUNK", json!({"FILE": 5, "AT": 0, "DATA": ""})),
        ("FILE_CREDIT", json!([])),
        ("FILE_STOP", Value::Null),
        ("FILE_GET", json!({"ID": "x", "FILE": "x", "AT": -1, "CREDIT": 0})),
    ] {
        let since = ann.mark();
        ann.send(&json!({key: value})).await;
        ann.expect_error(since, key).await?;
    }
    Ok(Verdict::Pass)
}
