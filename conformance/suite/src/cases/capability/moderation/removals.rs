//! What others hear of who is removed, and what they don't with `--silent`.

use conformance_kit::wire::{frame::Frame, message::Message};
use serde_json::json;

use super::scene::{account, ended, guest, hears_of, must, notices, ranked, said_by_server};
use crate::{
    server::hands::ServerHands,
    verdict::{Outcome, Verdict},
};

pub(super) async fn told(c: &mut ServerHands) -> Outcome {
    let mut helper = ranked(c, "helper", 2).await?;
    let ann = guest(c, "ann").await?;
    let mut bob = c.join("bob").await?;
    let mut carl = guest(c, "carl").await?;
    let (here, there, why) = (bob.mark(), carl.mark(), c.text());
    let name = ann.name.clone();
    must(c, &mut helper, "kick", &[&name, &why]).await?;
    if !bob.find_left(here, &name).await {
        let expected = format!("USERS_LEFT [\"{name}\"] for a base client");
        return Ok(Verdict::missing(expected, bob.heard(here)));
    }
    let of_it = |frame: &Frame| {
        let all = notices(frame, "kicked");
        all.iter().any(|one| one.get("NAME") == Some(&json!(name))).then_some(())
    };
    if carl.find(there, of_it).await.is_none() {
        let expected = format!("NOTICES with CODE kicked and NAME {name} for who agreed on them");
        return Ok(Verdict::missing(expected, carl.heard(there)));
    }
    let by_server = |message: &Message| {
        message.src == "SERVER" && message.dest == "ALL" && message.content.contains(&name)
    };
    let expected = format!("one message of SERVER to ALL about {name} for a base client");
    if bob.find_message(here, by_server).await.is_none() {
        return Ok(Verdict::missing(expected, bob.heard(here)));
    }
    c.fence(&mut helper, &mut bob).await?;
    let said = said_by_server(&mut bob, here, "ALL");
    let count = said.iter().filter(|text| text.contains(&name)).count();
    Ok(Verdict::check(count == 1, expected, format!("{count}; {}", bob.heard(here))))
}

pub(super) async fn silent(c: &mut ServerHands) -> Outcome {
    let mut moderator = ranked(c, "mod", 3).await?;
    let mut bob = c.join("bob").await?;
    let mut carl = guest(c, "carl").await?;
    let (dora, _) = account(c, "dora").await?;
    let ann = guest(c, "ann").await?;
    for (mut gone, act, word) in [(ann, "kick", "kicked"), (dora, "ban", "banned")] {
        let (since, here, there) = (gone.mark(), bob.mark(), carl.mark());
        let (name, why) = (gone.name.clone(), c.text());
        let args: Vec<&str> = if act == "ban" {
            vec![&name, "2m", "--silent", &why]
        } else {
            vec![&name, "--silent", &why]
        };
        must(c, &mut moderator, act, &args).await?;
        ended(&mut gone, since, word, &why).await?;
        for (peer, since) in [(&mut bob, here), (&mut carl, there)] {
            if !peer.find_left(since, &name).await {
                let expected = format!("USERS_LEFT [\"{name}\"] for {}", peer.role);
                return Ok(Verdict::missing(expected, peer.heard(since)));
            }
            c.fence(&mut moderator, peer).await?;
            let said = said_by_server(peer, since, "ALL");
            let noticed = peer.frames(since).iter().any(|frame| !notices(frame, word).is_empty());
            let told = said.iter().any(|text| text.contains(&name)) || noticed;
            if told || hears_of(peer, since, &why) {
                let expected = format!("{} is not told why {name} has gone", peer.role);
                return Ok(Verdict::fail(expected, peer.heard(since)));
            }
        }
    }
    Ok(Verdict::Pass)
}
