//! `accounts`: names that belong to somebody. An account is made with the command `register` where `commands` is claimed, too,
//! or given with `--account`. Few passwords are tried wrongly, since servers slow that down; `accounts.throttled` does it last.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::{
    agreed::{AGREED_HINT, agreed},
    calling::{Owner, catalogue, code, entry, is_ok, nick, owner, result_of},
    offline,
};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const ACCOUNTS: &str = "accounts";
const OFFER: &str = "accounts/1";

pub const CASES: &[Case] = &[
    Case::must("accounts.agreed", "CP-2", |c| Box::pin(agreed(c, ACCOUNTS)))
        .asks("accounts/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("accounts.guest", "AN-2", |c| Box::pin(guest(c)))
        .asks("Who joins without an account is a guest: ACCOUNT with LEVEL 0")
        .hint("ACCOUNT stands in the welcome of everybody who agreed on accounts.")
        .needs(&["accounts.agreed"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::NoAccount]),
    Case::must("accounts.password", "AN-2", |c| Box::pin(password(c)))
        .asks("The password lets its owner in, with a LEVEL from 1 to 5 and a TOKEN")
        .hint("Compare the password of that name, then answer with {\"ACCOUNT\": {\"LEVEL\": n, \"TOKEN\": text}}.")
        .needs(&["accounts.agreed"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::PasswordIgnored, Fault::NoLoginToken])
        .alone(),
    Case::must("accounts.token", "AN-1", |c| Box::pin(token(c)))
        .asks("The token does the same as the password")
        .hint("Keep the tokens of each account; TOKEN beside USERNAME is as good as PASSWORD.")
        .needs(&["accounts.password"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::TokenUseless])
        .alone(),
    Case::must("accounts.logout", "AN-2", |c| Box::pin(logout(c)))
        .asks("After logging out the token is worth nothing")
        .hint("Forget the token of the login that ends.")
        .needs(&["accounts.token", "commands.result"])
        .extension(ACCOUNTS)
        .also(&["commands"])
        .killed_by(&[Fault::TokenSurvivesLogout])
        .alone(),
    Case::must("accounts.wrong-password", "AN-3", |c| Box::pin(wrong_password(c)))
        .asks("A wrong password and an account that does not exist are answered alike: wrong-password")
        .hint("Don't tell a guesser which names have accounts: the same CODE, the same INFO.")
        .needs(&["accounts.password"])
        .extension(ACCOUNTS)
        .killed_by(&[
            Fault::AnyPasswordLogsIn,
            Fault::UnknownAccountTold,
            Fault::RefusedWithoutCode,
        ])
        .alone(),
    Case::must("accounts.wrong-token", "AN-3", |c| Box::pin(wrong_token(c)))
        .asks("A token that is none is refused with wrong-token")
        .hint("A token is good for the account that it was made for, and for nothing else.")
        .needs(&["accounts.token"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::AnyTokenLogsIn])
        .alone(),
    Case::must("accounts.codes", "AN-3", |c| Box::pin(codes(c)))
        .asks("A refusal carries CODE beside INFO: taken for a name in use")
        .hint("CODE is for programs, INFO for people; send both.")
        .needs(&["accounts.agreed", "join.taken"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::RefusedWithoutCode]),
    Case::must("accounts.code-unasked", "CP-5", |c| Box::pin(code_unasked(c)))
        .asks("Who did not agree on accounts gets no CODE with a refusal")
        .hint("CODE is a key of the capability.")
        .needs(&["join.taken", "accounts.agreed"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::CodeToEverybody]),
    Case::must("accounts.malformed", "AN-1", |c| Box::pin(malformed(c)))
        .asks("A PASSWORD or TOKEN that is no string is answered with ERROR")
        .hint("Check it with the offer, before the name is looked at.")
        .needs(&["accounts.agreed"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::ProofUnchecked]),
    Case::must("accounts.nothing-created", "AN-4", |c| Box::pin(nothing_created(c)))
        .asks("A failed login makes no account, takes no name and is not announced")
        .hint("Look first, and write nothing before everything is right.")
        .needs(&["accounts.wrong-password"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::FailedLoginRegisters])
        .alone(),
    Case::must("accounts.retry", "AN-4", |c| Box::pin(retry(c)))
        .asks("After a failed login the connection may try again")
        .hint("Refuse, and wait for the next USERNAME on the same connection.")
        .needs(&["accounts.wrong-password"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::RefusedForGood])
        .alone(),
    Case::must("accounts.registered", "AN-5", |c| Box::pin(registered(c)))
        .asks("Nobody joins under a registered name without proof, and everybody is told why")
        .hint("CODE registered for who agreed on accounts, a sentence in INFO for all others.")
        .needs(&["accounts.password"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::RegisteredTaken, Fault::RegisteredUntold])
        .alone(),
    Case::must("accounts.lookalike", "AN-5", |c| Box::pin(lookalike(c)))
        .asks("Nobody joins under a name that looks like a registered one")
        .hint("Compare skeletons as Unicode UTS 39 makes them: 1, l and I are one.")
        .needs(&["accounts.registered"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::LookalikeTaken])
        .alone(),
    Case::must("accounts.nick", "AN-5", |c| Box::pin(by_nick(c)))
        .asks("Nobody is renamed to a registered name")
        .hint("Renaming asks the same questions as joining.")
        .needs(&["accounts.registered", "commands.result"])
        .extension(ACCOUNTS)
        .also(&["commands", "rename"])
        .killed_by(&[Fault::NickTakesRegistered])
        .alone(),
    Case::should("accounts.offline-private", "AN-7", |c| Box::pin(offline::private(c)))
        .asks("A private message to an account whose user is away is told at the next join, or refused")
        .hint("Acknowledge what is stored, and send it with the welcome of its recipient; or answer with REFUSED.")
        .needs(&["accounts.password", "tags.ack"])
        .extension(ACCOUNTS)
        .also(&["commands", "ids"])
        .killed_by(&[Fault::OfflinePrivateLost])
        .alone(),
    Case::should("accounts.offline-full", "AN-7", |c| Box::pin(offline::full(c)))
        .asks("At most 200 of them wait for one recipient; what is too much is refused with busy")
        .hint("Count what waits for each account, and refuse the next one: never acknowledge what is not kept.")
        .needs(&["accounts.offline-private"])
        .extension(ACCOUNTS)
        .also(&["commands", "ids"])
        .killed_by(&[Fault::OfflinePrivateUnbounded])
        .alone(),
    Case::must("accounts.throttled", "AN-6", |c| Box::pin(throttled(c)))
        .asks("Whoever tries passwords is slowed down: throttled")
        .hint("Count failures for each name and each address before the password is looked at.")
        .needs(&["accounts.wrong-password"])
        .extension(ACCOUNTS)
        .killed_by(&[Fault::NeverThrottled])
        .marking(),
];

/// Connects and asks for a name with these keys.
async fn try_in(
    c: &mut ServerHands,
    name: &str,
    proof: &[(&str, Value)],
) -> Result<(Peer, Option<Frame>), Verdict> {
    let mut peer = c.connect("ann").await?;
    let answer = peer.offer(name, OFFER, proof).await;
    Ok((peer, answer))
}

/// The word of a refusal.
fn refused(answer: Option<&Frame>) -> Option<&str> {
    let frame = answer.filter(|frame| frame.accepted() == Some(false))?;
    frame.key("CODE")?.as_str()
}

/// Somebody with an account.
async fn somebody(c: &mut ServerHands) -> Result<Owner, Verdict> {
    let name = c.name("own");
    owner(c, &name).await
}

/// Waits for a name of a user who was just here to be free, and logs in.
async fn log_in(c: &mut ServerHands, owner: &Owner) -> Result<(Peer, Frame), Verdict> {
    let proof = [("PASSWORD", json!(owner.password))];
    let mut last = String::new();
    // The one who made the account, or the case before, may still be there as far as the server knows.
    for _ in 0..20 {
        let (mut peer, answer) = try_in(c, &owner.name, &proof).await?;
        match answer {
            Some(frame) if frame.accepted() == Some(true) => return Ok((peer, frame)),
            Some(frame) if refused(Some(&frame)) == Some("taken") => c.settle().await,
            _ => {
                let expected = "USERNAME_ACCEPTED: true for the owner's name and password";
                return Err(Verdict::fail(expected, peer.heard(Mark::START)));
            }
        }
        last = peer.heard(Mark::START);
        c.dismiss(peer).await;
    }
    Err(Verdict::inconclusive(format!("the owner's name is not free: {last}")))
}

fn account(frame: &Frame) -> (Option<u64>, Option<String>) {
    let account = frame.key("ACCOUNT");
    let level = account.and_then(|account| account.get("LEVEL")).and_then(Value::as_u64);
    let token = account.and_then(|account| account.get("TOKEN")).and_then(Value::as_str);
    (level, token.map(str::to_owned))
}

async fn guest(c: &mut ServerHands) -> Outcome {
    let name = c.name("ann");
    let (mut ann, answer) = try_in(c, &name, &[]).await?;
    if refused(answer.as_ref()) == Some("no-guests") {
        return Ok(Verdict::not_applicable("this server has no guests"));
    }
    let level = answer.as_ref().map(account).and_then(|(level, _)| level);
    let expected = "ACCOUNT {\"LEVEL\": 0} in the welcome";
    Ok(Verdict::check(level == Some(0), expected, ann.heard(Mark::START)))
}

async fn password(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    let (mut ann, welcome) = log_in(c, &owner).await?;
    let (level, token) = account(&welcome);
    let good =
        level.is_some_and(|level| (1..=5).contains(&level)) && token.is_some_and(|t| !t.is_empty());
    let expected = "ACCOUNT {\"LEVEL\": 1 to 5, \"TOKEN\": string} in the welcome";
    Ok(Verdict::check(good, expected, ann.heard(Mark::START)))
}

/// Logs in, leaves, and gives back the token.
async fn token_of(c: &mut ServerHands, owner: &Owner) -> Result<(String, Option<u64>), Verdict> {
    let mut watcher = c.join("watcher").await?;
    let (ann, welcome) = log_in(c, owner).await?;
    ann.close(Closing::Polite).await;
    watcher.find_left(Mark::START, &owner.name).await;
    match account(&welcome) {
        (level, Some(token)) => Ok((token, level)),
        _ => Err(Verdict::inconclusive("no token after the password")),
    }
}

async fn token(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    let (token, level) = token_of(c, &owner).await?;
    let (mut ann, answer) = try_in(c, &owner.name, &[("TOKEN", json!(token))]).await?;
    let same = answer.as_ref().is_some_and(|frame| frame.accepted() == Some(true))
        && answer.as_ref().map(account).and_then(|(level, _)| level) == level;
    let expected = format!("USERNAME_ACCEPTED: true and LEVEL {level:?} for the token");
    Ok(Verdict::check(same, expected, ann.heard(Mark::START)))
}

async fn logout(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    let (token, _) = token_of(c, &owner).await?;
    let mut watcher = c.join("watcher").await?;
    let mut ann = c.connect("ann").await?;
    let proof = [("TOKEN", json!(token))];
    ann.offer(&owner.name, "accounts/1 commands/1", &proof).await;
    let known = catalogue(&mut ann).await?;
    if entry(&known, "logout").is_none() {
        return Ok(Verdict::not_applicable("no command logout in the catalogue"));
    }
    let result = result_of(c, &mut ann, "logout", &[]).await?;
    if !is_ok(&result) {
        return Ok(Verdict::inconclusive(format!("logout: {result}")));
    }
    ann.close(Closing::Polite).await;
    watcher.find_left(Mark::START, &owner.name).await;
    let (mut ann, answer) = try_in(c, &owner.name, &proof).await?;
    let expected = "wrong-token for the token of a login that was ended";
    let heard = ann.heard(Mark::START);
    let good = refused(answer.as_ref()) == Some("wrong-token");
    c.dismiss(ann).await;
    Ok(Verdict::check(good, expected, heard))
}

/// A refusal without what differs from name to name.
fn without(frame: &Frame, name: &str) -> String {
    String::from_utf8_lossy(&frame.body).trim_end().replace(name, "NAME")
}

async fn wrong_password(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    let nobody = c.name("own");
    let mut answers = Vec::new();
    for name in [&owner.name, &nobody] {
        let proof = [("PASSWORD", json!("certainly not this one"))];
        let (mut ann, answer) = try_in(c, name, &proof).await?;
        let heard = ann.heard(Mark::START);
        c.dismiss(ann).await;
        if refused(answer.as_ref()) != Some("wrong-password") {
            let whose =
                if *name == nobody { "without an account" } else { "with another password" };
            let expected = format!("false with CODE wrong-password for a name {whose}");
            return Ok(Verdict::fail(expected, heard));
        }
        answers.extend(answer.map(|frame| without(&frame, name)));
    }
    let same = answers.first() == answers.last();
    Ok(Verdict::check(same, "the same answer to both", answers.join(" and ")))
}

async fn wrong_token(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    let (token, _) = token_of(c, &owner).await?;
    // Nearly the right one.
    let mut near: String = token.chars().rev().collect();
    near.push('x');
    for (name, token) in [(owner.name.clone(), near), (c.name("own"), token)] {
        let (mut ann, answer) = try_in(c, &name, &[("TOKEN", json!(token))]).await?;
        let heard = ann.heard(Mark::START);
        c.dismiss(ann).await;
        if refused(answer.as_ref()) != Some("wrong-token") {
            let expected = "false with CODE wrong-token for a token that is not that name's";
            return Ok(Verdict::fail(expected, heard));
        }
    }
    Ok(Verdict::Pass)
}

async fn codes(c: &mut ServerHands) -> Outcome {
    let bob = c.join("bob").await?;
    let (mut ann, answer) = try_in(c, &bob.name.clone(), &[]).await?;
    let told = answer.as_ref().and_then(|frame| frame.key("INFO")).is_some_and(Value::is_string);
    let heard = ann.heard(Mark::START);
    c.dismiss(ann).await;
    let good = refused(answer.as_ref()) == Some("taken") && told;
    Ok(Verdict::check(good, "false with CODE taken and INFO for a name in use", heard))
}

async fn code_unasked(c: &mut ServerHands) -> Outcome {
    let bob = c.join("bob").await?;
    for offer in [None, Some("ping/1")] {
        let mut ann = c.connect("ann").await?;
        match offer {
            Some(offer) => _ = ann.offer(&bob.name, offer, &[]).await,
            None => _ = ann.ask_for(&bob.name).await,
        }
        let answered = ann.frames(Mark::START).iter().any(|f| f.accepted() == Some(false));
        let found = ann.frames(Mark::START).iter().any(|frame| frame.key("CODE").is_some());
        let heard = ann.heard(Mark::START);
        c.dismiss(ann).await;
        if !answered {
            return Ok(Verdict::inconclusive("the name in use was not refused"));
        }
        if found {
            return Ok(Verdict::fail("a refusal without CODE", heard));
        }
    }
    Ok(Verdict::Pass)
}

async fn malformed(c: &mut ServerHands) -> Outcome {
    let name = c.name("ann");
    for (key, value) in [
        ("PASSWORD", json!(5)),
        ("PASSWORD", json!(["secret"])),
        ("PASSWORD", json!(null)),
        ("TOKEN", json!(5)),
        ("TOKEN", json!({"TOKEN": "x"})),
    ] {
        let (mut ann, answer) = try_in(c, &name, &[(key, value.clone())]).await?;
        let heard = ann.heard(Mark::START);
        c.dismiss(ann).await;
        if answer.is_none_or(|frame| frame.error().is_none() || frame.accepted().is_some()) {
            return Ok(Verdict::fail(format!("ERROR for {key} {value}"), heard));
        }
    }
    Ok(Verdict::Pass)
}

async fn nothing_created(c: &mut ServerHands) -> Outcome {
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let (name, since) = (c.name("ann"), bob.mark());
    let (ann, answer) = try_in(c, &name, &[("PASSWORD", json!("a new password"))]).await?;
    if answer.as_ref().and_then(Frame::accepted) != Some(false) {
        return Ok(Verdict::inconclusive("the login did not fail"));
    }
    c.dismiss(ann).await;
    c.fence(&mut carl, &mut bob).await?;
    let told = |frame: &Frame| frame.joined().is_some_and(|names| names.contains(&name));
    if bob.frames(since).iter().any(told) {
        return Ok(Verdict::fail("a failed login is not announced", bob.heard(since)));
    }
    // Neither in use nor registered: a base client can have it.
    let mut dora = c.connect("dora").await?;
    let free = dora.ask_for(&name).await == Some(true);
    let expected = "the name of a failed login is free for a guest";
    Ok(Verdict::check(free, expected, dora.heard(Mark::START)))
}

async fn retry(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    let mut ann = c.connect("ann").await?;
    ann.offer(&owner.name, OFFER, &[("PASSWORD", json!("certainly not this one"))]).await;
    let since = ann.mark();
    let answer = ann.offer(&owner.name, OFFER, &[("PASSWORD", json!(owner.password))]).await;
    if answer.is_none() && ann.is_closed() {
        return Ok(Verdict::not_applicable("one try is all that this server gives (TK-4)"));
    }
    let good = answer.is_some_and(|frame| frame.accepted() == Some(true));
    let expected = "USERNAME_ACCEPTED: true for the right password after a wrong one";
    Ok(Verdict::check(good, expected, ann.heard(since)))
}

async fn registered(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    let (mut ann, answer) = try_in(c, &owner.name, &[]).await?;
    let heard = ann.heard(Mark::START);
    c.dismiss(ann).await;
    if refused(answer.as_ref()) != Some("registered") {
        let expected = "false with CODE registered for a registered name without a password";
        return Ok(Verdict::fail(expected, heard));
    }
    let mut base = c.connect("base").await?;
    let answer = base.ask_for(&owner.name).await;
    let told = base.frames(Mark::START).iter().any(|frame| {
        frame.key("INFO").and_then(Value::as_str).is_some_and(|text| !text.is_empty())
    });
    let heard = base.heard(Mark::START);
    c.dismiss(base).await;
    let expected = "false for a base client, with INFO that says why";
    Ok(Verdict::check(answer == Some(false) && told, expected, heard))
}

async fn lookalike(c: &mut ServerHands) -> Outcome {
    let name = format!("{}l", c.name("own"));
    let owner = owner(c, &name).await?;
    let mut alike = Vec::new();
    if owner.name.contains('l') {
        alike.push(owner.name.replacen('l', "1", 1));
    }
    if owner.name.contains('a') {
        alike.push(owner.name.replacen('a', "\u{430}", 1));
    }
    if alike.is_empty() {
        return Ok(Verdict::not_applicable("nothing in the name of --account has a look-alike"));
    }
    for name in alike {
        let (mut eve, answer) = try_in(c, &name, &[]).await?;
        let heard = eve.heard(Mark::START);
        c.dismiss(eve).await;
        if answer.as_ref().and_then(Frame::accepted) != Some(false) {
            let expected = format!("false for {name:?} where {:?} is registered", owner.name);
            return Ok(Verdict::fail(expected, heard));
        }
    }
    Ok(Verdict::Pass)
}

async fn by_nick(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    let mut eve = c.join_with("eve", "accounts/1 commands/1 rename/1").await?;
    let result = nick(c, &mut eve, &owner.name).await?;
    let good = !is_ok(&result) && code(&result) == "registered";
    let expected = "CODE registered for a name that belongs to somebody";
    Ok(Verdict::check(good, expected, result.to_string()))
}

/// The most wrong passwords that are tried.
const TRIES: usize = 40;

async fn throttled(c: &mut ServerHands) -> Outcome {
    let owner = somebody(c).await?;
    for _ in 0..TRIES {
        let proof = [("PASSWORD", json!("certainly not this one"))];
        let (ann, answer) = try_in(c, &owner.name, &proof).await?;
        // Not dismissed by a name: whoever is throttled would be asked for one more.
        ann.close(Closing::Polite).await;
        match refused(answer.as_ref()) {
            Some("throttled") => return Ok(Verdict::Pass),
            Some("wrong-password") => {}
            other => {
                let expected = "wrong-password, then throttled";
                return Ok(Verdict::fail(expected, format!("{other:?}")));
            }
        }
    }
    Ok(Verdict::fail(format!("throttled within {TRIES} wrong passwords for one name"), "never"))
}
