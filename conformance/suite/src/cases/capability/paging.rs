//! `paging`: HISTORY, the past in pages (the capability `ids`).

use conformance_kit::wire::frame::Frame;
use serde_json::json;

use super::page::{Page, ask};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const IDS: &str = "ids";
const OFFER: &str = "ids/1";

/// The group. Most of it asks for the private messages between two, where nobody else's are.
pub const CASES: &[Case] = &[
    Case::must("paging.shape", "ID-6", |c| Box::pin(shape(c)))
        .asks("HISTORY is answered with WITH as asked, MESSAGES, IDS as long as it, and MORE")
        .hint("{\"HISTORY\": {\"WITH\": ..., \"MESSAGES\": [...], \"IDS\": [...], \"MORE\": true or false}}")
        .needs(&["ids.live"])
        .extension(IDS)
        .killed_by(&[Fault::PageWithoutIds, Fault::PageWithoutWith]),
    Case::must("paging.newest", "ID-6", |c| Box::pin(newest(c)))
        .asks("Without BEFORE and AFTER the newest messages come, oldest first")
        .hint("Take the end of the list, and don't turn it round.")
        .needs(&["paging.shape"])
        .extension(IDS)
        .killed_by(&[Fault::HistoryOldest, Fault::PageNewestFirst]),
    Case::must("paging.before", "ID-6", |c| Box::pin(before(c)))
        .asks("Paging backwards with BEFORE gives every message once, and MORE until the first one")
        .hint("The newest ones before the id, without that message itself; MORE when older ones are left.")
        .needs(&["paging.newest"])
        .extension(IDS)
        .killed_by(&[Fault::BeforeIncluded, Fault::NeverMore, Fault::AlwaysMore]),
    Case::must("paging.after", "ID-6", |c| Box::pin(after(c)))
        .asks("Paging forwards with AFTER, from 0 on, gives every message once, and MORE until the last one")
        .hint("The oldest ones after the id; MORE when newer ones are left.")
        .needs(&["paging.newest"])
        .extension(IDS)
        .killed_by(&[Fault::AfterGivesNewest, Fault::AfterZeroRefused]),
    Case::must("paging.limit", "ID-6", |c| Box::pin(limit(c)))
        .asks("A page has at most LIMIT messages, 100 without it")
        .hint("LIMIT is 1 to 500; 100 when it is left out.")
        .needs(&["paging.newest"])
        .extension(IDS)
        .killed_by(&[Fault::PagesOfHundred, Fault::PagesOfFifty]),
    Case::must("paging.all", "ID-6", |c| Box::pin(public(c)))
        .asks("WITH ALL gives the public messages, and no private one")
        .hint("DEST is ALL: a private message to the one who asks is not public either.")
        .needs(&["paging.shape", "private.delivered"])
        .extension(IDS)
        .killed_by(&[Fault::PublicPageLeaksPrivate]),
    Case::must("paging.both-ways", "ID-6", |c| Box::pin(both_ways(c)))
        .asks("WITH a name gives the private messages between the two in both directions")
        .hint("From me to them, or from them to me.")
        .needs(&["paging.shape"])
        .extension(IDS)
        .killed_by(&[Fault::PageOneDirection]),
    Case::must("paging.no-leak", "ID-6", |c| Box::pin(no_leak(c)))
        .asks("Nobody else's private messages are ever in a page")
        .hint("Whoever asks is one of the two: never select by WITH alone.")
        .needs(&["paging.shape"])
        .extension(IDS)
        .killed_by(&[Fault::PageLeaksPrivate]),
    Case::must("paging.nobody", "ID-6", |c| Box::pin(nobody(c)))
        .asks("With a name that nobody has had there are no messages, and that is no error")
        .hint("An empty page: MESSAGES [], IDS [], MORE false.")
        .needs(&["paging.shape"])
        .extension(IDS)
        .killed_by(&[Fault::EmptyPageRefused]),
    Case::must("paging.malformed", "ID-6", |c| Box::pin(malformed(c)))
        .asks("A malformed HISTORY is answered with ERROR")
        .hint("Check each value's type and range before you look anything up.")
        .needs(&["paging.shape"])
        .extension(IDS)
        .killed_by(&[Fault::HistoryUnchecked, Fault::LimitUnchecked]),
];

/// Two users who talked in private, to and fro; the texts in their order.
async fn talked(c: &mut ServerHands, count: usize) -> Result<(Peer, Peer, Vec<String>), Verdict> {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut texts = Vec::new();
    for n in 0..count {
        let text = c.text();
        let (from, to) = if n % 2 == 0 { (&mut ann, &mut bob) } else { (&mut bob, &mut ann) };
        from.tell(&to.name, &text).await;
        if to.find_message(Mark::START, |m| m.content == text).await.is_none() {
            return Err(Verdict::inconclusive("a private message did not even arrive live"));
        }
        texts.push(text);
    }
    Ok((ann, bob, texts))
}

async fn shape(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob, texts) = talked(c, 3).await?;
    let page = ask(&mut ann, &json!({"WITH": bob.name})).await?;
    ask(&mut ann, &json!({"WITH": "ALL", "LIMIT": 1})).await?;
    // The ids are those with which the messages came.
    let [_, second, _] = texts.as_slice() else { return Ok(Verdict::inconclusive("no texts")) };
    let live = ann.id_of(second).await?;
    let same =
        page.messages.iter().find(|one| one.message.content == *second).and_then(|one| one.id);
    let expected = format!("the id {live} for the message that came with it");
    Ok(Verdict::check(same == Some(live), expected, page.shown))
}

async fn newest(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob, texts) = talked(c, 5).await?;
    let page = ask(&mut ann, &json!({"WITH": bob.name, "LIMIT": 3})).await?;
    let expected: Vec<_> = texts.iter().skip(2).map(String::as_str).collect();
    Ok(Verdict::check(page.contents() == expected, format!("{expected:?}"), page.shown))
}

/// Whether pages that follow each other are one row with nothing left out; each but the last one says so.
fn judge(pages: &[Page], texts: &[String]) -> Verdict {
    let got: Vec<_> = pages.iter().flat_map(Page::contents).collect();
    let ids: Vec<_> = pages.iter().flat_map(Page::ids).collect();
    let expected = format!("in pages of two, each message once: {texts:?}");
    if got != texts || !ids.is_sorted_by(|a, b| a < b) {
        return Verdict::fail(expected, format!("{got:?}, ids {ids:?}"));
    }
    Verdict::Pass
}

async fn before(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob, texts) = talked(c, 6).await?;
    let mut pages = vec![ask(&mut ann, &json!({"WITH": bob.name, "LIMIT": 2})).await?];
    for _ in 0..2 {
        let first = pages.first().and_then(|page| page.ids().first().copied());
        let asked = json!({"WITH": bob.name, "LIMIT": 2, "BEFORE": first});
        pages.insert(0, ask(&mut ann, &asked).await?);
    }
    let more: Vec<_> = pages.iter().map(|page| page.more).collect();
    if more != [false, true, true] {
        let expected = "MORE: true, true, false, going back over six messages by two";
        return Ok(Verdict::fail(expected, format!("from the first page on: {more:?}")));
    }
    Ok(judge(&pages, &texts))
}

async fn after(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob, texts) = talked(c, 6).await?;
    // 0 is the place before the first message.
    let mut last = Some(0);
    let mut pages = Vec::new();
    for _ in 0..3 {
        let page = ask(&mut ann, &json!({"WITH": bob.name, "LIMIT": 2, "AFTER": last})).await?;
        last = page.ids().last().copied();
        pages.push(page);
    }
    let more: Vec<_> = pages.iter().map(|page| page.more).collect();
    if more != [true, true, false] {
        let expected = "MORE: true, true, false, going on over six messages by two";
        return Ok(Verdict::fail(expected, format!("{more:?}")));
    }
    Ok(judge(&pages, &texts))
}

async fn limit(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let texts: Vec<String> = (0..130).map(|_| c.text()).collect();
    let messages: Vec<_> =
        texts.iter().map(|text| ServerHands::message(&ann.name, &bob.name, text)).collect();
    ann.send(&json!({"MESSAGES": messages})).await;
    let last = texts.last().cloned().unwrap_or_default();
    if bob.find_message(Mark::START, |m| m.content == last).await.is_none() {
        return Ok(Verdict::inconclusive("a list of messages did not even arrive live"));
    }
    for (limit, count) in [(json!(null), 100), (json!(1), 1), (json!(120), 120), (json!(500), 130)]
    {
        let mut asked = json!({"WITH": bob.name});
        if let (Some(asked), false) = (asked.as_object_mut(), limit.is_null()) {
            asked.insert("LIMIT".to_owned(), limit.clone());
        }
        let page = ask(&mut ann, &asked).await?;
        if page.messages.len() != count || page.more != (count < texts.len()) {
            let expected = format!("{count} of 130 messages with LIMIT {limit} (null: without it)");
            let actual = format!("{} messages, MORE {}", page.messages.len(), page.more);
            return Ok(Verdict::fail(expected, actual));
        }
    }
    Ok(Verdict::Pass)
}

async fn public(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob, secrets) = talked(c, 2).await?;
    let (first, second) = (c.text(), c.text());
    ann.say(&first).await;
    let id = bob.id_of(&first).await?;
    ann.tell(&bob.name, &c.text()).await;
    bob.say(&second).await;
    ann.expect_content(&second).await?;
    // Others talk meanwhile; their messages are welcome here, in their order.
    let page = ask(&mut bob, &json!({"WITH": "ALL", "AFTER": id, "LIMIT": 500})).await?;
    let (newest, older) = (
        page.contents().contains(&second.as_str()),
        ask(&mut bob, &json!({"WITH": "ALL", "BEFORE": id + 1, "LIMIT": 1})).await?,
    );
    if !newest || older.contents() != [first.as_str()] {
        let expected = "the public messages before and after an id";
        return Ok(Verdict::fail(expected, format!("{} and {}", older.shown, page.shown)));
    }
    let whole = ask(&mut bob, &json!({"WITH": "ALL", "LIMIT": 500})).await?;
    let private = whole
        .messages
        .iter()
        .chain(&page.messages)
        .find(|one| one.message.dest != "ALL" || secrets.contains(&one.message.content));
    Ok(match private {
        Some(one) => Verdict::fail("public messages alone", format!("{:?}", one.message)),
        None => Verdict::Pass,
    })
}

async fn both_ways(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob, texts) = talked(c, 4).await?;
    let pages = [
        ask(&mut ann, &json!({"WITH": bob.name})).await?,
        ask(&mut bob, &json!({"WITH": ann.name})).await?,
    ];
    let odd = pages.into_iter().find(|page| page.contents() != texts);
    Ok(match odd {
        Some(page) => Verdict::fail(format!("for both of them {texts:?}"), page.shown),
        None => Verdict::Pass,
    })
}

async fn no_leak(c: &mut ServerHands) -> Outcome {
    let (mut ann, bob, _) = talked(c, 4).await?;
    let mut carl = c.join_with("carl", OFFER).await?;
    let text = c.text();
    ann.tell(&carl.name, &text).await;
    carl.expect_content(&text).await?;
    for (with, wanted) in [(&ann.name, vec![text.as_str()]), (&bob.name, Vec::new())] {
        let page = ask(&mut carl, &json!({"WITH": with})).await?;
        if page.contents() != wanted {
            let expected = "between carl and another one only what the two said to each other";
            return Ok(Verdict::fail(expected, page.shown));
        }
    }
    let page = ask(&mut ann, &json!({"WITH": carl.name})).await?;
    let expected = "between ann and carl nothing that ann and bob said";
    Ok(Verdict::check(page.contents() == [text.as_str()], expected, page.shown))
}

async fn nobody(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let nobody = c.name("nobody");
    let page = ask(&mut ann, &json!({"WITH": nobody})).await?;
    let empty = page.messages.is_empty() && !page.more;
    Ok(Verdict::check(empty, "an empty page, and MORE: false", page.shown))
}

async fn malformed(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let bad = [
        json!(5),
        json!("ALL"),
        json!([]),
        json!({}),
        json!({"LIMIT": 5}),
        json!({"WITH": 5}),
        json!({"WITH": ["ALL"]}),
        json!({"WITH": "ALL", "BEFORE": "5"}),
        json!({"WITH": "ALL", "AFTER": 1.5}),
        json!({"WITH": "ALL", "AFTER": -1}),
        json!({"WITH": "ALL", "LIMIT": 0}),
        json!({"WITH": "ALL", "LIMIT": -5}),
        json!({"WITH": "ALL", "LIMIT": 501}),
        json!({"WITH": "ALL", "LIMIT": "5"}),
    ];
    for asked in bad {
        let since = ann.mark();
        ann.send(&json!({"HISTORY": asked})).await;
        let answer = ann.find(since, |frame: &Frame| {
            let page = frame.key("HISTORY").is_some();
            (page || frame.error().is_some()).then_some(page)
        });
        if answer.await != Some(false) {
            return Ok(Verdict::fail(format!("ERROR for HISTORY {asked}"), ann.heard(since)));
        }
    }
    Ok(Verdict::Pass)
}
