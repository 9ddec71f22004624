//! The contract test of every store of moderation.

use chatterbox_hub::{
    AccountRef, Network, RoomNumber, RoomRef, Sanction, SanctionId, SanctionKind, SanctionSubject,
};
use chatterbox_proto::{RoomName, Username};

use super::*;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn room(number: u64, text: &str) -> RoomRef {
    RoomRef { number: RoomNumber(number), name: RoomName::parse(text).unwrap() }
}

fn act(at: i64, act: Act) -> AuditEntry {
    AuditEntry::new(at, "Mod", act)
}

fn ban(of: SanctionSubject) -> NewSanction {
    NewSanction {
        kind: SanctionKind::Ban,
        subject: of,
        about: "Eve".into(),
        room: None,
        by: "Mod".into(),
        reason: "spam\u{1b}[31m\n\"'; DROP TABLE audit".into(),
        since: 100,
        until: None,
    }
}

fn of_name(text: &str) -> SanctionSubject {
    SanctionSubject::Name(name(text))
}

fn of_account(id: i64) -> SanctionSubject {
    SanctionSubject::Account(AccountRef { id, name: name("Eve") })
}

fn of_network(text: &str, guests_only: bool) -> SanctionSubject {
    SanctionSubject::Network { network: Network::parse(text).unwrap(), guests_only }
}

fn ids(sanctions: &[Sanction]) -> Vec<i64> {
    sanctions.iter().map(|sanction| sanction.id.0).collect()
}

/// Runs the contract against fresh stores.
pub fn holds<S: ModerationStore>(fresh: impl Fn() -> S) {
    sanctions(&mut fresh());
    what_goes(&mut fresh());
    bounds(&mut fresh());
    audit(&mut fresh());
    audit_pages(&mut fresh());
    reports(&mut fresh());
    reports_bounds(&mut fresh());
    let mut first = fresh();
    first.note(&act(7, Act::Kick)).unwrap();
    assert_eq!(fresh().audit(&AuditFilter::default()).unwrap(), [], "stores share nothing");
}

fn sanctions(store: &mut impl ModerationStore) {
    assert_eq!(store.sanctions(0).unwrap(), []);
    let guest = SanctionSubject::Guest { name: name("Eve"), session: None, member: None };
    let new = [
        ban(of_account(7)),
        ban(of_name("J\u{f6}rg")),
        NewSanction { until: Some(200), ..ban(guest) },
        ban(of_network("192.0.2.0/24", true)),
        NewSanction {
            kind: SanctionKind::Mute,
            room: Some(RoomNumber(3)),
            until: Some(300),
            ..ban(of_network("2001:db8::1", false))
        },
    ];
    let numbers = store.impose(&act(100, Act::Ban), &new).unwrap();
    let expected: Vec<_> =
        new.iter().zip(&numbers).map(|(sanction, id)| sanction.with_id(*id)).collect();
    assert!(numbers.is_sorted() && numbers.len() == 5);
    assert_eq!(store.sanctions(199).unwrap(), expected, "all of it, and in order");
    let without = |gone: &[usize]| -> Vec<_> {
        let kept = |(place, _): &(usize, &Sanction)| !gone.contains(place);
        expected.iter().enumerate().filter(kept).map(|(_, sanction)| sanction.clone()).collect()
    };
    assert_eq!(store.sanctions(200).unwrap(), without(&[2]), "one has ended");
    store.lift(&act(150, Act::Unban), &[numbers[0], SanctionId(i64::MAX)]).unwrap();
    assert_eq!(store.sanctions(199).unwrap(), without(&[0]));
    store.forget_ended(200).unwrap();
    assert_eq!(store.sanctions(199).unwrap(), without(&[0, 2]));
    let entries = store.audit(&AuditFilter::default()).unwrap();
    let acts: Vec<_> = entries.iter().map(|entry| entry.act).collect();
    assert_eq!(acts, [Act::Unban, Act::Ban], "one line for each act");

    // The newest goes, and its number is used for no other.
    store.lift(&act(201, Act::Unmute), &numbers).unwrap();
    assert_eq!(store.sanctions(0).unwrap(), []);
    let next = store.impose(&act(202, Act::Ban), &[ban(of_name("eve"))]).unwrap();
    assert!(next > numbers, "{next:?} after {numbers:?}");
    assert_eq!(store.impose(&act(203, Act::Ban), &[]).unwrap(), []);
}

fn what_goes(store: &mut impl ModerationStore) {
    let here = |number| Some(RoomNumber(number));
    let new = [
        NewSanction { room: here(3), ..ban(of_account(7)) },
        NewSanction { room: here(4), ..ban(of_account(7)) },
        NewSanction { room: here(3), ..ban(of_name("eve")) },
        ban(of_account(8)),
        ban(of_name("eve")),
        NewSanction { room: here(0), ..ban(of_name("eve")) },
    ];
    let numbers: Vec<_> =
        store.impose(&act(100, Act::Ban), &new).unwrap().into_iter().map(|id| id.0).collect();
    let left = |store: &mut dyn ModerationStore| ids(&store.sanctions(100).unwrap());
    store.forget_room(RoomNumber(3)).unwrap();
    assert_eq!(left(store), [numbers[1], numbers[3], numbers[4], numbers[5]]);
    store.forget_account(7).unwrap();
    assert_eq!(left(store), [numbers[3], numbers[4], numbers[5]]);
    store.forget_room(RoomNumber(9)).unwrap();
    store.forget_account(9).unwrap();
    assert_eq!(left(store), [numbers[3], numbers[4], numbers[5]]);
}

fn bounds(store: &mut impl ModerationStore) {
    let many: Vec<_> = (0..SANCTIONS)
        .map(|number| NewSanction { until: Some(200), ..ban(of_name(&format!("x{number}"))) })
        .collect();
    store.impose(&act(100, Act::Ban), many.get(1..).unwrap()).unwrap();
    let before = store.audit(&AuditFilter::default()).unwrap();
    let two = [ban(of_name("y")), ban(of_name("z"))];
    let refused = store.impose(&act(199, Act::Ban), &two);
    assert!(matches!(refused, Err(ModerationError::TooMany)), "{refused:?}");
    assert_eq!(store.audit(&AuditFilter::default()).unwrap(), before, "nothing was done");
    assert_eq!(store.sanctions(199).unwrap().len(), SANCTIONS - 1);
    store.impose(&act(199, Act::Ban), two.get(..1).unwrap()).unwrap();
    assert_eq!(store.sanctions(199).unwrap().len(), SANCTIONS);
    store.impose(&act(200, Act::Ban), &two).unwrap();
    assert_eq!(store.sanctions(0).unwrap().len(), 3, "those that have ended take no room");
}

fn audit(store: &mut impl ModerationStore) {
    let long = "\u{e4}".repeat(2000);
    let full = AuditEntry {
        by_account: Some(4),
        about: Some(About::user(&name("J\u{f6}rg"))),
        room: Some(room(3, "#Lab")),
        detail: "3".into(),
        reason: "\u{1b}]0;x\u{7} 'quoted'".into(),
        until: Some(500),
        ..act(100, Act::Ban)
    };
    let network = Network::parse("192.0.2.7").unwrap();
    let entries = [
        full,
        AuditEntry { about: Some(About::network(network)), ..act(101, Act::Ban) },
        AuditEntry {
            room: Some(room(4, "#lab")),
            by: "ann".into(),
            reason: long.as_str().into(),
            ..act(102, Act::Slow)
        },
        act(103, Act::Reload),
    ];
    for entry in &entries {
        store.note(entry).unwrap();
    }
    let all = store.audit(&AuditFilter::default()).unwrap();
    assert!(all.is_sorted_by(|a, b| a.id > b.id), "the newest first");
    let same: Vec<_> =
        all.iter().rev().map(|entry| AuditEntry { id: 0, ..entry.clone() }).collect();
    assert_eq!(same, entries, "all of it");
    assert_eq!(all[1].reason.chars().count(), 500);
    assert_eq!((all[2].about.as_ref().unwrap().text(), all[3].id > 0), ("192.0.2.7", true));
    assert_eq!(all[2].about.as_ref().unwrap().masked(), MASKED);
    assert_eq!(all[3].about.as_ref().unwrap().masked(), "J\u{f6}rg");

    let of = AuditFilter::default;
    let at = |number| Some(AuditRoom::Number(RoomNumber(number)));
    let named = Some(AuditRoom::Name(RoomName::parse("#LAB").unwrap()));
    for (filter, expected) in [
        (of().about("JO\u{308}RG"), &[100][..]),
        (of().about("192.0.2.7"), &[101]),
        (of().about("192.0.2"), &[]),
        (of().about("ann"), &[]),
        (of().by("MOD"), &[103, 101, 100]),
        (of().by("Ann"), &[102]),
        (of().by("mod").about("j\u{f6}rg"), &[100]),
        (of().by("ann").about("j\u{f6}rg"), &[]),
        (AuditFilter { room: at(3), ..of() }, &[100]),
        (AuditFilter { room: at(4), ..of() }, &[102]),
        (AuditFilter { room: at(5), ..of() }, &[]),
        (AuditFilter { room: at(3), ..of().about("eve") }, &[]),
        (AuditFilter { room: at(3), ..of().by("mod").about("j\u{f6}rg") }, &[100]),
        (AuditFilter { room: named, ..of() }, &[102, 100]),
        (AuditFilter { limit: 2, ..of() }, &[103, 102]),
        (AuditFilter { before: Some(all[1].id), limit: 2, ..of() }, &[101, 100]),
        (AuditFilter { before: Some(all[3].id), ..of() }, &[]),
    ] {
        let found = store.audit(&filter).unwrap();
        let times: Vec<_> = found.iter().map(|entry| entry.at).collect();
        assert_eq!(times, expected, "{filter:?}");
    }

    assert!(!store.forget_audit(101).unwrap());
    let left = store.audit(&of()).unwrap();
    assert_eq!(left, all.get(..3).unwrap(), "age only");
    assert!(!store.forget_audit(1000).unwrap());
    store.note(&act(1001, Act::Reload)).unwrap();
    let newest = store.audit(&of()).unwrap();
    assert!(newest.len() == 1 && newest[0].id > all[0].id, "no number is used twice");
}

fn audit_pages(store: &mut impl ModerationStore) {
    let count = i64::try_from(AUDIT_PAGE).unwrap() + 5;
    for at in 0..count {
        store.note(&act(at, Act::Kick)).unwrap();
    }
    for limit in [0, AUDIT_PAGE + 1] {
        let filter = AuditFilter { limit, ..AuditFilter::default() };
        let page = store.audit(&filter).unwrap();
        assert_eq!((page.len(), page[0].at), (AUDIT_PAGE, count - 1));
        let before = page.last().map(|entry| entry.id);
        let rest = store.audit(&AuditFilter { before, ..filter.clone() }).unwrap();
        let times: Vec<_> = rest.iter().map(|entry| entry.at).collect();
        assert_eq!(times, [4, 3, 2, 1, 0]);
    }
    // Many go in steps.
    let left = |store: &mut dyn ModerationStore| -> Vec<_> {
        let page = store.audit(&AuditFilter::default()).unwrap();
        page.into_iter().rev().map(|entry| entry.at).collect()
    };
    assert!(store.forget_audit(count - 1).unwrap());
    assert_eq!(left(store), (count - 5..count).collect::<Vec<_>>(), "the oldest first");
    assert!(!store.forget_audit(count - 1).unwrap());
    assert_eq!(left(store), [count - 1]);
}

fn new_report(at: i64) -> NewReport {
    NewReport {
        reporter: "ann".into(),
        reporter_account: None,
        subject: "Eve".into(),
        message: None,
        text: None,
        room: None,
        reason: Reason::default(),
        at,
    }
}

fn reports(store: &mut impl ModerationStore) {
    assert_eq!(store.report_of(1).unwrap(), None);
    let full = NewReport {
        reporter_account: Some(4),
        message: Some(9),
        text: Some("\u{e4}".repeat(5000).as_str().into()),
        room: Some(room(3, "#lab")),
        reason: "rude".into(),
        ..new_report(100)
    };
    let first = store.report(&full).unwrap();
    let second = store.report(&new_report(101)).unwrap();
    assert!(second > first);
    let reported = store.report_of(first).unwrap().unwrap();
    assert_eq!(reported, Report { number: first, what: full, closed: None });
    assert_eq!(reported.what.text.as_ref().unwrap().chars().count(), 4_000);

    let numbers = |store: &mut dyn ModerationStore, filter| -> Vec<i64> {
        store.reports(filter).unwrap().into_iter().map(|report| report.number).collect()
    };
    let all = ReportFilter { closed_too: true, ..ReportFilter::default() };
    let in_room = ReportFilter { room: Some(RoomNumber(3)), ..ReportFilter::default() };
    assert_eq!(numbers(store, ReportFilter::default()), [second, first], "the newest first");
    assert_eq!(numbers(store, in_room), [first]);
    assert_eq!(numbers(store, ReportFilter { limit: 1, ..all }), [second]);
    assert_eq!(numbers(store, ReportFilter { before: Some(second), ..all }), [first]);
    assert_eq!(numbers(store, ReportFilter { before: Some(first), ..all }), [0; 0]);

    assert!(store.close_report(&act(200, Act::CloseReport), first).unwrap());
    let closed = store.report_of(first).unwrap().unwrap().closed;
    assert_eq!(closed, Some(Closed { by: "Mod".into(), at: 200 }));
    for gone in [first, 999] {
        assert!(!store.close_report(&act(201, Act::CloseReport), gone).unwrap());
    }
    assert_eq!(store.report_of(first).unwrap().unwrap().closed, closed, "the first one counts");
    let entries = store.audit(&AuditFilter::default()).unwrap();
    assert_eq!(entries.len(), 1, "what did nothing is no act");
    assert_eq!(numbers(store, ReportFilter::default()), [second]);
    assert_eq!(numbers(store, in_room), [0; 0]);
    assert_eq!(numbers(store, all), [second, first]);

    assert!(!store.forget_reports(101).unwrap());
    assert_eq!(numbers(store, all), [second], "age only");
    assert!(!store.forget_reports(102).unwrap());
    assert!(store.report(&new_report(103)).unwrap() > second, "no number is used twice");
}

fn reports_bounds(store: &mut impl ModerationStore) {
    let fill = |store: &mut dyn ModerationStore| {
        let numbers: Vec<_> =
            (0..OPEN_REPORTS).map(|_| store.report(&new_report(7)).unwrap()).collect();
        let refused = store.report(&new_report(8));
        assert!(matches!(refused, Err(ModerationError::TooMany)), "{refused:?}");
        numbers
    };
    let numbers = fill(store);
    assert!(store.close_report(&act(9, Act::CloseReport), numbers[0]).unwrap());
    let last = store.report(&new_report(9)).unwrap();
    let all = ReportFilter { closed_too: true, limit: REPORTS, ..ReportFilter::default() };
    let found = store.reports(all).unwrap();
    assert_eq!((found.len(), found[0].number), (OPEN_REPORTS, last), "a page");
    // Those that were dealt with don't pile up either.
    let mut open = numbers.get(1..).unwrap().to_vec();
    open.push(last);
    for _ in 0..=REPORTS / OPEN_REPORTS {
        for number in open {
            assert!(store.close_report(&act(9, Act::CloseReport), number).unwrap());
        }
        open = fill(store);
    }
    let left =
        (1..=*open.last().unwrap()).filter(|number| store.report_of(*number).unwrap().is_some());
    let left: Vec<_> = left.collect();
    assert_eq!(left.len(), REPORTS);
    assert!(left.ends_with(&open) && !left.contains(&last), "the oldest has gone");
    for step in (0..REPORTS / FORGOTTEN).rev() {
        assert!(store.forget_reports(10).unwrap(), "{step} more");
    }
    assert!(!store.forget_reports(10).unwrap());
    assert_eq!(store.reports(all).unwrap(), []);
}
