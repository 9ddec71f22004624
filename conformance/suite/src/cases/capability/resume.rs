//! `resume`: going on where a connection broke off (the capability `ids`).

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const IDS: &str = "ids";
const OFFER: &str = "ids/1";

pub const CASES: &[Case] = &[
    Case::must("resume.token", "ID-7", |c| Box::pin(token(c)))
        .asks("The welcome carries RESUME, the token of the session")
        .hint("A long random string, another one for each session: whoever knows it can take the session over.")
        .needs(&["ids.agreed"])
        .extension(IDS)
        .killed_by(&[Fault::NoResumeToken]),
    Case::must("resume.missed", "ID-7", |c| Box::pin(missed(c)))
        .asks("A resumed session begins with just what was missed since the id, own messages included")
        .hint("In the welcome: the public messages and those to this user with a greater id, oldest first.")
        .needs(&["resume.token", "ids.stable", "leave.fin"])
        .extension(IDS)
        .killed_by(&[
            Fault::NeverResumes,
            Fault::ResumeSendsAll,
            Fault::ResumeOffByOne,
            Fault::ResumeWithoutPrivate,
            Fault::ResumeWithoutOwn,
        ]),
    Case::must("resume.half-open", "ID-7", |c| Box::pin(half_open(c)))
        .asks("Resuming closes the connection before with ERROR, and the others see neither LEFT nor JOINED")
        .hint("Put the new connection in the place of the old one; nobody has left, so nobody has joined.")
        .needs(&["resume.missed"])
        .extension(IDS)
        .killed_by(&[
            Fault::ResumeAnnounced,
            Fault::OldConnectionStays,
            Fault::OldClosedSilently,
        ]),
    Case::must("resume.same-token", "ID-7", |c| Box::pin(same_token(c)))
        .asks("The token stays the same")
        .hint("A session that goes on is the same session: send its token again.")
        .needs(&["resume.missed"])
        .extension(IDS)
        .killed_by(&[Fault::TokenChanges]),
    Case::must("resume.malformed", "ID-7", |c| Box::pin(malformed(c)))
        .asks("A malformed RESUME is answered with ERROR, and the name is not taken")
        .hint("Check it with the offer, before the name is looked at.")
        .needs(&["resume.token"])
        .extension(IDS)
        .killed_by(&[Fault::MalformedResumeIgnored]),
    Case::must("resume.cut", "ID-5", |c| Box::pin(cut(c)))
        .asks("Over connections that break again and again every message arrives once")
        .hint("The tags belong to the session, not to the connection: keep them when it is resumed.")
        .needs(&["resume.missed", "tags.again"])
        .extension(IDS)
        .killed_by(&[Fault::ResumeForgetsTags]),
    Case::must("resume.bad-token", "ID-8", |c| Box::pin(bad_token(c)))
        .asks("With a token that is none, RESUME is an ordinary join with RESUMED: false")
        .hint("Forget the request, join as usual, and say so.")
        .needs(&["resume.token", "history.public"])
        .extension(IDS)
        .killed_by(&[Fault::BadTokenRefused, Fault::AnyTokenResumes]),
    Case::must("resume.other-name", "ID-8", |c| Box::pin(other_name(c)))
        .asks("A token is good for the name of its session only")
        .hint("Keep the name with the token and compare.")
        .needs(&["resume.missed"])
        .extension(IDS)
        .killed_by(&[Fault::TokenOfAnybody]),
    Case::must("resume.taken", "ID-8", |c| Box::pin(taken(c)))
        .asks("A token that is none does not take a name in use")
        .hint("What can't be resumed needs what every join needs: a free name.")
        .needs(&["resume.token", "join.taken"])
        .extension(IDS)
        .killed_by(&[Fault::BadTokenTakesName]),
];

/// The token of a session.
fn token_of(peer: &mut Peer) -> Result<String, Verdict> {
    let welcome = peer.welcome();
    let token = welcome.and_then(|welcome| Some(welcome.key("RESUME")?.as_str()?.to_owned()));
    token.ok_or_else(|| Verdict::inconclusive("no RESUME in the welcome"))
}

/// Connects and asks to go on; the answer.
async fn resume(
    c: &mut ServerHands,
    role: &str,
    name: &str,
    token: &str,
    after: u64,
) -> Result<(Peer, Option<Frame>), Verdict> {
    let mut peer = c.connect(role).await?;
    let resume = json!({"TOKEN": token, "AFTER": after});
    let answer = peer.offer(name, OFFER, &[("RESUME", resume)]).await;
    Ok((peer, answer))
}

/// The same, when it has to succeed.
async fn resumed(
    c: &mut ServerHands,
    name: &str,
    token: &str,
    after: u64,
) -> Result<(Peer, Frame), Verdict> {
    let (mut peer, answer) = resume(c, "ann", name, token, after).await?;
    match answer.filter(|frame| says(frame) == Some((true, true))) {
        Some(frame) => Ok((peer, frame)),
        None => {
            let expected =
                "USERNAME_ACCEPTED: true with RESUMED: true for the session's own token and name";
            Err(Verdict::fail(expected, peer.heard(Mark::START)))
        }
    }
}

/// Whether the name was accepted and the session resumed.
fn says(frame: &Frame) -> Option<(bool, bool)> {
    Some((frame.accepted()?, frame.key("RESUMED")?.as_bool()?))
}

async fn token(c: &mut ServerHands) -> Outcome {
    let mut tokens = Vec::new();
    for role in ["ann", "bob"] {
        let mut peer = c.join_with(role, OFFER).await?;
        let welcome = peer.welcome();
        let token = welcome.and_then(|welcome| welcome.key("RESUME").cloned());
        match token {
            Some(Value::String(token)) if !token.is_empty() => tokens.push(token),
            other => {
                let expected = "RESUME, a string, in the welcome";
                return Ok(Verdict::fail(expected, format!("{other:?}")));
            }
        }
    }
    tokens.dedup();
    Ok(Verdict::check(tokens.len() == 2, "another token for another session", "the same token"))
}

async fn missed(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let mut carl = c.join("carl").await?;
    let token = token_of(&mut ann)?;
    let (before, seen, own) = (c.text(), c.text(), c.text());
    bob.say(&before).await;
    ann.expect_content(&before).await?;
    bob.say(&seen).await;
    let last = ann.id_of(&seen).await?;
    // Ann says something of which she does not know what became of it, and is gone.
    ann.say(&own).await;
    bob.expect_content(&own).await?;
    let name = ann.name.clone();
    // While she is there as far as the server knows, and when she is not.
    let mut wanted = vec![own];
    let elsewhere = c.text();
    for round in 0..2 {
        if round == 1 {
            ann.close(Closing::Polite).await;
            bob.find_left(Mark::START, &name).await;
            bob.tell(&carl.name, &elsewhere).await;
            carl.expect_content(&elsewhere).await?;
        }
        let (public, private) = (c.text(), c.text());
        bob.say(&public).await;
        carl.expect_content(&public).await?;
        wanted.push(public);
        if round == 0 {
            bob.tell(&name, &private).await;
            c.fence(&mut bob, &mut carl).await?;
            wanted.push(private);
        }
        let (peer, welcome) = resumed(c, &name, &token, last).await?;
        ann = peer;
        let all =
            welcome.numbered().map_err(|why| Verdict::fail("sound IDS in the welcome", why))?;
        let ours: Vec<_> = all
            .iter()
            .map(|one| one.message.content.clone())
            .filter(|text| wanted.contains(text))
            .collect();
        let early = all.iter().any(|one| one.id.is_some_and(|id| id <= last));
        let foreign = all.iter().find(|one| one.message.content == elsewhere);
        if ours != wanted || early || foreign.is_some() {
            let expected =
                format!("of the messages after {last} just those that ann missed: {wanted:?}");
            let actual =
                format!("{ours:?}; ids {:?}", all.iter().map(|one| one.id).collect::<Vec<_>>());
            return Ok(Verdict::fail(expected, actual));
        }
    }
    // And she is there again.
    let text = c.text();
    bob.tell(&name, &text).await;
    ann.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn half_open(c: &mut ServerHands) -> Outcome {
    let mut bob = c.join("bob").await?;
    let mut old = c.join_with("ann", OFFER).await?;
    let name = old.name.clone();
    bob.find_joined(Mark::START, &name).await;
    let token = token_of(&mut old)?;
    let since = bob.mark();
    let (mut ann, _) = resumed(c, &name, &token, 0).await?;
    let told = old.find(Mark::START, Frame::error).await.is_some();
    if !told || !old.find_closed().await {
        let expected = "the connection that the session had before is closed, with ERROR";
        return Ok(Verdict::fail(expected, old.heard(Mark::START)));
    }
    old.close(Closing::Polite).await;
    c.fence(&mut ann, &mut bob).await?;
    let notice = |frame: &Frame| {
        let named = |names: Option<Vec<String>>| names.is_some_and(|names| names.contains(&name));
        named(frame.left()) || named(frame.joined())
    };
    if bob.frames(since).iter().any(notice) {
        let expected = "bob sees neither that ann left nor that she joined";
        return Ok(Verdict::fail(expected, "a notice with her name"));
    }
    // She can be reached, and is listed once.
    let text = c.text();
    bob.tell(&name, &text).await;
    ann.expect_content(&text).await?;
    let mut carl = c.join("carl").await?;
    let list = carl.find(Mark::START, Frame::user_list).await.unwrap_or_default();
    let listed = list.iter().filter(|user| **user == name).count();
    Ok(Verdict::check(listed == 1, "ann is in USER_LIST once", format!("{listed} times")))
}

/// How the connections of `resume.cut` end, one after the other.
const CUTS: [Closing; 6] =
    [Closing::Reset, Closing::Fin, Closing::Polite, Closing::Reset, Closing::Reset, Closing::Fin];

async fn same_token(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let (name, token) = (ann.name.clone(), token_of(&mut ann)?);
    let (mut ann, _) = resumed(c, &name, &token, 0).await?;
    let again = token_of(&mut ann)?;
    Ok(Verdict::check(again == token, "RESUME with the same token as before", "another one"))
}

async fn malformed(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let (name, token) = (c.name("eve"), token_of(&mut ann)?);
    let bad = [
        json!(5),
        json!(token),
        json!([token, 1]),
        json!({}),
        json!({"TOKEN": token}),
        json!({"AFTER": 1}),
        json!({"TOKEN": 5, "AFTER": 1}),
        json!({"TOKEN": token, "AFTER": "1"}),
        json!({"TOKEN": token, "AFTER": -1}),
        json!({"TOKEN": token, "AFTER": 1.5}),
    ];
    for resume in bad {
        let mut eve = c.connect("eve").await?;
        let answer = eve.offer(&name, OFFER, &[("RESUME", resume.clone())]).await;
        if answer.is_none_or(|frame| frame.accepted().is_some()) {
            let shown = resume.to_string().replace(&token, "token");
            let expected = format!("ERROR for RESUME {shown}");
            return Ok(Verdict::fail(expected, eve.heard(Mark::START)));
        }
        c.dismiss(eve).await;
    }
    Ok(Verdict::Pass)
}

async fn cut(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let (name, token) = (ann.name.clone(), token_of(&mut ann)?);
    let start = c.text();
    bob.say(&start).await;
    let mut last = ann.id_of(&start).await?;
    let (mut sent, mut heard, mut got) = (Vec::new(), Vec::new(), Vec::new());
    for how in CUTS {
        let (text, answer, tag) = (c.text(), c.text(), c.nonces.letters(8));
        ann.tagged("ALL", &text, &tag).await;
        // Whether this arrives is left to chance: the connection ends at once.
        bob.say(&answer).await;
        take(&mut ann, &mut last, &mut got);
        ann.close_within(how, std::time::Duration::ZERO).await;
        let (peer, _) = resumed(c, &name, &token, last).await?;
        ann = peer;
        let since = ann.mark();
        ann.tagged("ALL", &text, &tag).await;
        ann.acked(since, &tag).await?;
        sent.push(text);
        heard.push(answer);
    }
    c.fence(&mut ann, &mut bob).await?;
    c.fence(&mut bob, &mut ann).await?;
    take(&mut ann, &mut last, &mut got);
    let times: Vec<_> = sent.iter().map(|text| bob.count(text)).collect();
    if times.iter().any(|times| *times != 1) {
        let expected = "bob gets every message that ann sent again after a cut once";
        return Ok(Verdict::fail(expected, format!("{times:?} times")));
    }
    let times: Vec<_> =
        heard.iter().map(|text| got.iter().filter(|(_, known)| known == text).count()).collect();
    let expected = "ann, who asks for what comes after the last id that she saw, gets everything of bob's once";
    Ok(Verdict::check(times.iter().all(|times| *times == 1), expected, format!("{times:?} times")))
}

/// Takes in what a connection brought: what is new by its id, as a client does that resumes.
fn take(ann: &mut Peer, last: &mut u64, got: &mut Vec<(u64, String)>) {
    for one in ann.numbered(Mark::START) {
        let Some(id) = one.id else { continue };
        if !got.contains(&(id, one.message.content.clone())) {
            got.push((id, one.message.content));
        }
        *last = (*last).max(id);
    }
}

async fn bad_token(c: &mut ServerHands) -> Outcome {
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let text = c.text();
    bob.say(&text).await;
    carl.expect_content(&text).await?;
    for token in ["none", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let name = c.name("ann");
        let (mut ann, answer) = resume(c, "ann", &name, token, 1).await?;
        let expected = "USERNAME_ACCEPTED: true with RESUMED: false and the history";
        let Some(frame) = answer.filter(|frame| says(frame) == Some((true, false))) else {
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        };
        if !frame.messages().iter().any(|message| message.content == text) {
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

async fn other_name(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let token = token_of(&mut ann)?;
    let (secret, name) = (c.text(), c.name("eve"));
    bob.tell(&ann.name, &secret).await;
    ann.expect_content(&secret).await?;
    let (mut eve, answer) = resume(c, "eve", &name, &token, 1).await?;
    let plain = answer.is_some_and(|frame| says(&frame) == Some((true, false)));
    let expected = "an ordinary join with RESUMED: false for another name with ann's token";
    if !plain || eve.count(&secret) > 0 {
        return Ok(Verdict::fail(expected, eve.heard(Mark::START)));
    }
    // Ann is not disturbed.
    let text = c.text();
    bob.tell(&ann.name, &text).await;
    ann.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn taken(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join_with("ann", OFFER).await?, c.join("bob").await?);
    let mut other = c.join_with("other", OFFER).await?;
    let foreign = token_of(&mut other)?;
    for token in ["none", foreign.as_str()] {
        let name = ann.name.clone();
        let (mut eve, answer) = resume(c, "eve", &name, token, 1).await?;
        let refused = answer.is_some_and(|frame| frame.accepted() == Some(false));
        let heard = eve.heard(Mark::START);
        c.dismiss(eve).await;
        if !refused {
            let expected =
                "USERNAME_ACCEPTED: false for a name in use with a token of another session";
            return Ok(Verdict::fail(expected, heard));
        }
    }
    let text = c.text();
    bob.tell(&ann.name, &text).await;
    ann.expect_content(&text).await?;
    Ok(Verdict::Pass)
}
