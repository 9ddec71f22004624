//! Who may moderate whom, as a table of every pair of levels; and what is kept of it.

use chatterbox_hub::Level;
use serde_json::{Value, json};

use crate::commands::tests::fake::House;
use crate::moderation::{AuditFilter, NewReport};

/// What is done to somebody on the server, and from which level on.
const ACTS: &[(&str, u8, &[&str])] =
    &[("kick", 2, &[]), ("mute", 3, &["10m"]), ("ban", 3, &["1h", "spam"])];

#[tokio::test]
async fn who_comes_under_a_name_while_it_is_banned_is_the_one_who_is_meant() {
    let house = House::new().await;
    let (_eve, _bob) = (house.guest("eve").await, house.guest("bob").await);
    assert!(!house.asks_before_it_bans("Eve") && !house.asks_before_it_bans("nobody"));
}

#[tokio::test]
async fn b13_nobody_moderates_who_is_not_above_them() {
    let (mut allowed, mut refused) = (0, 0);
    for (act, least, more) in ACTS {
        for actor in Level::ALL {
            for target in Level::ALL {
                let house = House::new().await;
                let mut bob = if target == Level::GUEST {
                    house.guest("bob").await
                } else {
                    house.user("bob", target).await
                };
                let mut ann = house.user("ann", actor).await;
                let arguments = [&["bob"], *more].concat();
                let result = ann.call(act, &arguments).await;
                let (has, its) = (actor.number(), target.number());
                let may = has >= *least && has > its;
                let cell = format!("{actor} {act} {target}: {result}");
                assert_eq!(result["CODE"] == "ok", may, "{cell}");
                if may {
                    allowed += 1;
                } else {
                    refused += 1;
                    assert_eq!(result["CODE"], "forbidden", "{cell}");
                }
                // What was refused changes nothing, and is not written down.
                let is_here =
                    bob.call("name", &[]).await["DATA"]["NAME"] == "bob" && house.is_here("bob");
                let has_gone = may && *act != "mute";
                assert_eq!(!is_here, has_gone, "{cell}");
                let audit = house.state.moderation.audit(AuditFilter::default()).await.unwrap();
                assert_eq!(audit.len(), usize::from(may), "{cell}: {audit:?}");
                assert_eq!(house.sanctions().len(), usize::from(may && *act != "kick"), "{cell}");
            }
        }
    }
    println!("act x actor x target: {allowed} allowed, {refused} refused");
}

#[tokio::test]
async fn nobody_moderates_themselves() {
    let house = House::new().await;
    let mut root = house.user("root", Level::ADMIN).await;
    for act in ["kick", "mute", "ban"] {
        assert_eq!(root.call(act, &["root"]).await["CODE"], "forbidden", "{act}");
    }
    // By their address, or by a network that has it, neither.
    for network in ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0"] {
        let result = root.call("ban", &[network]).await;
        assert_eq!(result["CODE"], "would-lock-out", "{result}");
    }
    let result = root.call("ban", &["127.0.0.1", "guests"]).await;
    assert_eq!(result["CODE"], "ok", "only guests, and nobody is one: {result}");
}

#[tokio::test]
async fn a_wide_network_is_for_admins() {
    let house = House::new().await;
    let mut prof = house.user("prof", Level::MODERATOR).await;
    let mut chief = house.user("chief", Level::OPERATOR).await;
    // How many come from an address, and that somebody does at all, is what only level 4 is told (MO-7).
    assert_eq!(prof.call("ban", &["192.0.2.1", "1h"]).await["CODE"], "forbidden");
    for (network, code) in [
        ("192.0.0.0/15", "forbidden"),
        ("192.0.0.0/16", "ok"),
        ("2001:d00::/31", "forbidden"),
        ("2001:db8::/32", "ok"),
    ] {
        let result = chief.call("ban", &[network, "1h"]).await;
        assert_eq!(result["CODE"], code, "{network}: {result}");
    }
    let mut root = house.user("root", Level::ADMIN).await;
    assert_eq!(root.call("ban", &["192.0.0.0/8"]).await["CODE"], "ok");
    let lifted = prof.call("unban", &["192.0.0.0/16"]).await;
    assert_eq!(lifted["CODE"], "forbidden", "what is not read is not lifted: {lifted}");
    // Below level 4 nobody reads an address.
    let shown = prof.call("banned-users", &[]).await.to_string();
    assert!(!shown.contains("192.0.") && !shown.contains("2001:"), "{shown}");
    assert!(root.call("banned-users", &[]).await.to_string().contains("2001:db8::/32"));
    assert_eq!(prof.call("audit", &[]).await["CODE"], "forbidden");
    let audit = root.call("audit", &[]).await;
    assert_eq!(audit["DATA"]["ROWS"].as_array().unwrap().len(), 3, "{audit}");
}

#[tokio::test]
async fn a_ban_that_hits_others_asks_first() {
    let house = House::new().await;
    let (_eve, _bob) = (house.guest("eve").await, house.guest("bob").await);
    let mut root = house.user("root", Level::ADMIN).await;
    // Guests of the same address, of whom none is the author.
    let cancelled = root.call_and_answer("ban", &["127.0.0.1", "1h", "guests"], None).await;
    assert_eq!(cancelled["CODE"], "cancelled");
    let no = root.call_and_answer("ban", &["127.0.0.1", "1h", "guests"], Some("no")).await;
    assert_eq!(no["CODE"], "cancelled");
    assert!(house.is_here("eve") && house.is_here("bob") && house.sanctions().is_empty());
    let done = root.call_and_answer("ban", &["127.0.0.1", "1h", "guests"], Some("Yes")).await;
    assert_eq!((&done["CODE"], &done["DATA"]["CONNECTIONS"]), (&json!("ok"), &json!(2)));
    assert!(!house.is_here("eve") && !house.is_here("bob") && house.is_here("root"));
}

#[tokio::test]
async fn b10_every_ban_can_be_found_and_lifted() {
    let house = House::new().await;
    let _eve = house.guest("eve").await;
    let mut prof = house.user("prof", Level::OPERATOR).await;
    house.away("bob", Level::USER).await;
    for (whom, kind) in
        [("eve", "name"), ("bob", "account"), ("nobody", "name"), ("192.0.2.0/24", "address")]
    {
        let done = prof.call("ban", &[whom, "7d", "spam", "and", "more"]).await;
        assert_eq!(done["CODE"], "ok", "{done}");
        let listed = prof.call("banned-users", &[]).await;
        let rows = listed["DATA"]["ROWS"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{listed}");
        let (number, reason) = (rows[0][0].clone(), &rows[0][6]);
        assert_eq!((&rows[0][1], &rows[0][2]), (&json!(kind), &json!(whom)));
        assert_eq!(reason, "spam and more");
        assert!(rows[0][5].as_i64().is_some_and(|until| until > 1_700_000_000));
        // By name, by number, in whatever case.
        let by = match kind {
            "account" => number.to_string(),
            _ => whom.to_uppercase(),
        };
        let lifted = prof.call("unban", &[&by]).await;
        assert_eq!(lifted["DATA"]["NUMBERS"], json!([number]), "{lifted}");
        assert_eq!(prof.call("unban", &[whom]).await["CODE"], "already");
        assert!(house.sanctions().is_empty());
        assert_eq!(house.state.moderation.load(0).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_mute_replaces_another_and_ends() {
    let house = House::new().await;
    let _eve = house.guest("eve").await;
    let mut prof = house.user("prof", Level::MODERATOR).await;
    let until = |result: &Value| result["DATA"]["UNTIL"].as_i64();
    let short = prof.call("mute", &["eve"]).await;
    let long = prof.call("mute", &["eve", "2h", "please", "stop"]).await;
    assert!(until(&long) > until(&short).map(|short| short + 6_000), "{short} {long}");
    assert_eq!(house.sanctions().len(), 1, "one at a time");
    assert_eq!(until(&prof.call("mute", &["eve", "forever"]).await), None);
    for bad in ["10", "0s", "-1m", "forever and ever", "99999d"] {
        // What is no duration is the reason.
        let result = prof.call("mute", &["eve", bad]).await;
        assert_eq!(result["CODE"], "ok", "{bad}: {result}");
    }
    assert_eq!(prof.call("unmute", &["eve"]).await["CODE"], "ok");
    assert!(house.sanctions().is_empty());
    assert_eq!(prof.call("unmute", &["eve"]).await["CODE"], "already");
    assert_eq!(prof.call("mute", &["nobody"]).await["CODE"], "no-such-user");
}

#[tokio::test]
async fn a_report_has_the_text_of_the_server() {
    let house = House::new().await;
    let mut eve = house.guest("eve").await;
    let _bob = house.guest("bob").await;
    let mut prof = house.user("prof", Level::MODERATOR).await;
    let unknown = eve.call("report", &["bob", "8", "forged"]).await;
    assert_eq!(unknown["CODE"], "no-such-message");
    assert_eq!(eve.call("report", &["ghost", "boo"]).await["CODE"], "no-such-user");
    let reported = eve.call("report", &["bob", "7", "insults", "me"]).await;
    assert_eq!(reported["CODE"], "ok", "{reported}");
    assert_eq!(eve.call("reports", &[]).await["CODE"], "forbidden");
    let shown = prof.call("reports", &[]).await;
    let row = &shown["DATA"]["ROWS"][0];
    let number = row[0].to_string();
    assert_eq!(
        (&row[1], &row[2], &row[4], &row[5], &row[6]),
        (&json!("bob"), &json!("eve"), &json!(7), &json!("said by bob"), &json!("insults me"))
    );
    // Nobody else can close it, or tell whether it is there.
    let others = eve.call("close-report", &[&number]).await;
    let none = eve.call("close-report", &["99"]).await;
    assert_eq!((&others["CODE"], &others["ERROR"]), (&none["CODE"], &none["ERROR"]));
    assert_eq!(prof.call("close-report", &[&number]).await["CODE"], "ok");
    assert_eq!(prof.call("close-report", &[&number]).await["CODE"], "failed");
    assert_eq!(prof.call("reports", &[]).await["DATA"]["ROWS"], json!([]));
    // Ten an hour, of which three were no reports or no more than tries.
    let mut last = json!(null);
    for _ in 0..10 {
        last = eve.call("report", &["bob", "again"]).await;
    }
    assert_eq!(last["CODE"], "throttled", "{last}");
    assert!(last["WAIT"].as_u64().is_some_and(|wait| wait <= 360));
}

#[tokio::test]
async fn guests_are_let_in_or_not() {
    let house = House::new().await;
    let mut prof = house.user("prof", Level::OPERATOR).await;
    assert_eq!(prof.call("guests", &["off"]).await["CODE"], "ok");
    assert!(!house.state.guests());
    let stored = house.state.accounts.settings().await.unwrap();
    assert_eq!(stored.guests, Some(false), "over restarts");
    assert_eq!(prof.call("guests", &["perhaps"]).await["CODE"], "bad-arguments");
    assert_eq!(prof.call("guests", &["on"]).await["CODE"], "ok");
    assert!(house.state.guests());
}

#[tokio::test]
async fn nobody_closes_a_report_about_themselves() {
    let house = House::new().await;
    let mut eve = house.guest("eve").await;
    let mut prof = house.user("Prof", Level::MODERATOR).await;
    let number = eve.call("report", &["prof", "insults"]).await["DATA"]["NUMBER"].to_string();
    assert_eq!(prof.call("close-report", &[&number]).await["CODE"], "failed");
    assert_eq!(prof.call("nick", &["dean"]).await["CODE"], "ok");
    assert_eq!(prof.call("close-report", &[&number]).await["CODE"], "failed", "by the account");
    let by_nick = eve.call("report", &["DEAN", "more"]).await["DATA"]["NUMBER"].to_string();
    assert_eq!(prof.call("close-report", &[&by_nick]).await["CODE"], "failed", "by the name");
    let mut other = house.user("other", Level::MODERATOR).await;
    assert_eq!(other.call("close-report", &[&number]).await["CODE"], "ok");
}

#[tokio::test]
async fn a_page_of_reports_is_a_short_answer_whatever_was_reported() {
    let house = House::new().await;
    let mut prof = house.user("prof", Level::MODERATOR).await;
    // The longest in JSON: each character of it is twelve bytes there, or six for one that is not shown.
    let (text, reason) = ("\u{1f600}".repeat(4_000), "\u{1}".repeat(500));
    let count = 250;
    for number in 0..count {
        let new = NewReport {
            reporter: "ann".into(),
            reporter_account: None,
            subject: format!("eve{number}").as_str().into(),
            message: None,
            text: Some(if number < 150 { "short" } else { &text }.into()),
            room: None,
            reason: reason.as_str().into(),
            at: 7,
        };
        house.state.moderation.report(new, None).await.unwrap();
    }
    let (mut before, mut seen, mut largest) = (None::<i64>, Vec::new(), 0);
    loop {
        let arguments: Vec<_> = before.iter().map(ToString::to_string).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let page = prof.call("reports", &arguments).await;
        let escaped = |char: char| if char.is_ascii() { 1 } else { 6 * char.len_utf16() };
        let bytes: usize = page.to_string().chars().map(escaped).sum();
        assert!(bytes < 1 << 20, "{bytes} bytes");
        let info = page["INFO"].as_str().unwrap();
        assert!(info.len() < 64 * 1024, "{} bytes of INFO", info.len());
        let rows = page["DATA"]["ROWS"].as_array().unwrap();
        largest = largest.max(rows.len());
        assert!(rows.iter().all(|row| row[5] == "short" || row[5] == *text), "whole in DATA");
        seen.extend(rows.iter().map(|row| row[0].as_i64().unwrap()));
        before = seen.last().copied();
        if page["DATA"]["MORE"] == false {
            break;
        }
        assert!(info.contains(&format!("/reports {}", before.unwrap())), "{info}");
    }
    assert_eq!(seen, (1..=count).rev().collect::<Vec<_>>(), "each of them once");
    assert_eq!(largest, 100);
}

#[tokio::test]
async fn nobody_registers_a_name_that_is_banned() {
    let house = House::new().await;
    let mut eve = house.guest("Eve").await;
    house.ban_name_of_who_stays("eve");
    let refused = eve.call("register", &["correct horse"]).await;
    assert_eq!(refused["CODE"], "banned", "{refused}");
    assert!(refused["ERROR"].as_str().unwrap().contains("spam"), "{refused}");
    assert_eq!(house.account("eve").await, None);
    let mut bob = house.guest("bob").await;
    assert_eq!(bob.call("register", &["correct horse"]).await["CODE"], "ok");
}
