//! What was said in the run before, and what of it a server may forget.

use super::{damages::said_before, evidence, others};
use crate::{
    evidence::{Entry, Evidence, Place, Print},
    judge::{Kind, judge, keeps_too_little},
};

/// What is found, and whether the server keeps too little.
fn looked_at(evidence: &Evidence) -> (bool, bool) {
    (judge(evidence).is_clean(), keeps_too_little(evidence))
}

#[test]
fn what_is_gone_from_the_beginning_on_is_not_lost_but_can_not_be_looked_at() {
    let mut evidence = evidence(&[]);
    let told = [(1, 11), (2, 12), (3, 13), (4, 14)];
    said_before(&mut evidence, &told, &told);
    assert_eq!(looked_at(&evidence), (true, false));
    said_before(&mut evidence, &told, &told[2..]);
    assert_eq!(looked_at(&evidence), (true, true));
    // With something behind it, it is lost.
    said_before(&mut evidence, &told, &[(2, 12), (4, 14)]);
    assert_eq!(judge(&evidence).count(Kind::Lost), 6, "two on each of three nodes");
    assert!(!keeps_too_little(&evidence));
    // And so it is where nothing is left.
    said_before(&mut evidence, &told, &[]);
    assert_eq!(judge(&evidence).count(Kind::Lost), 12);
    assert!(!keeps_too_little(&evidence));
}

#[test]
fn each_place_has_a_beginning_of_its_own() {
    let mut evidence = evidence(&[]);
    let said = [(1, 11), (5, 15)];
    said_before(&mut evidence, &said, &said);
    let of_room = |id: u64| Entry { id, print: Print(id), src: None, place: Some(Place::Room(0)) };
    let told = evidence.before.told.iter().copied().chain([2, 3, 4].map(of_room));
    evidence.before.told = told.collect();
    for pages in evidence.pages.iter_mut().filter(|pages| pages.reader.is_none()) {
        pages.older.push(of_room(4));
    }
    assert_eq!(looked_at(&evidence), (true, true));
}

#[test]
fn of_a_run_that_did_not_come_to_rest_something_may_be_stored_later() {
    let mut evidence = evidence(&[]);
    said_before(&mut evidence, &[(1, 11)], &[(1, 11), (2, 12)]);
    let findings = judge(&evidence);
    assert_eq!(findings.count(Kind::Invented), 3);
    assert!(others(&findings, Kind::Invented).is_empty(), "{findings:?}");
    evidence.before.is_all = false;
    assert_eq!(looked_at(&evidence), (true, false));
}
