//! The cases for clients as a whole: clauses that exist, none left out, ids that never change.

mod ids;

use std::collections::BTreeSet;

use conformance_suite::{
    case::Side,
    cases,
    clause::{self, Level},
};

/// What a client can break; the other clauses bind servers, or are judged on that side.
const MUSTS: [&str; 17] = [
    "FR-1", "FR-3", "FR-4", "LG-1", "JS-1", "JS-2", "TL-1", "NM-1", "IN-1", "MM-1", "T4-1", "TS-1",
    "DE-1", "MD-1", "AI-1", "DS-1", "ER-1",
];

#[test]
fn every_case_cites_a_clause_and_is_no_stricter_than_it() {
    for case in cases::client_cases() {
        let clause = clause::find(case.clause);
        let clause = clause.unwrap_or_else(|| panic!("{} cites {}", case.id, case.clause));
        assert!(case.level <= clause.level || case.level == Level::Open, "{}", case.id);
        assert!(!case.title.is_empty(), "{} has no title", case.id);
        assert!(case.level == Level::Open || !case.hint.is_empty(), "{} has no hint", case.id);
        assert_eq!(case.side, Side::Client, "{}", case.id);
    }
}

#[test]
fn every_must_for_clients_has_a_case() {
    let musts = cases::client_cases().filter(|case| case.level == Level::Must);
    let cited: BTreeSet<_> = musts.map(|case| case.clause).collect();
    for clause in MUSTS.iter().chain(&["PB-1", "QT-1"]) {
        assert!(cited.contains(clause), "nothing judges {clause}");
    }
}

#[test]
fn needs_exist_and_run_in_no_circle() {
    for case in cases::client_cases() {
        let mut open: Vec<&str> = case.needs.to_vec();
        let mut steps = 0;
        while let Some(id) = open.pop() {
            let need = cases::find(id).unwrap_or_else(|| panic!("{} needs {id}", case.id));
            open.extend(need.needs);
            steps += 1;
            assert!(steps < 2_000 && need.id != case.id, "{} needs itself", case.id);
            assert_eq!(need.side, Side::Client, "{}", case.id);
        }
    }
}

#[test]
fn groups_have_their_cases() {
    for (group, title, cases) in cases::CLIENT_GROUPS {
        assert!(cases.iter().all(|case| case.group() == *group), "{group}");
        assert_eq!(cases::group_title(group), *title);
    }
}

#[test]
fn ids_never_change() {
    let now: Vec<&str> = cases::client_cases().map(|case| case.id).collect();
    ids::never_change("client_ids.txt", &now);
}
