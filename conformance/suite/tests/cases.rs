//! The cases as a whole: clauses that exist, none left out, ids that never change.

mod ids;

use std::collections::BTreeSet;

use conformance_suite::{
    cases,
    clause::{self, Level},
};

/// What only a client can break; its cases are on the other side.
const CLIENT_CLAUSES: [&str; 6] = ["NM-1", "IN-1", "MD-1", "AI-1", "DS-1", "ER-1"];

/// What the suite can't bring about: it removes no account of an owner. And what only a client that encrypts can break, which no
/// case judges yet: it would take Olm.
const OUT_OF_REACH: [&str; 7] = ["RL-3", "EE-5", "EE-6", "EE-7", "EE-8", "EE-9", "EE-10"];

#[test]
fn every_case_cites_a_clause_and_is_no_stricter_than_it() {
    for case in cases::server_cases() {
        let clause = clause::find(case.clause);
        let clause = clause.unwrap_or_else(|| panic!("{} cites {}", case.id, case.clause));
        assert!(case.level <= clause.level, "{} is stricter than {}", case.id, clause.id);
        assert!(!case.title.is_empty(), "{} has no title", case.id);
        assert!(case.level == Level::Open || !case.hint.is_empty(), "{} has no hint", case.id);
    }
}

#[test]
fn every_must_for_servers_has_a_case() {
    let cited: BTreeSet<_> = cases::server_cases().map(|case| case.clause).collect();
    for clause in clause::CLAUSES.iter().filter(|clause| clause.level == Level::Must) {
        let excused = CLIENT_CLAUSES.contains(&clause.id) || OUT_OF_REACH.contains(&clause.id);
        assert!(excused || cited.contains(clause.id), "nothing judges {}", clause.id);
    }
}

#[test]
fn needs_exist_and_run_in_no_circle() {
    for case in cases::server_cases() {
        let mut open: Vec<&str> = case.needs.to_vec();
        let mut steps = 0;
        while let Some(id) = open.pop() {
            let need = cases::find(id).unwrap_or_else(|| panic!("{} needs {id}", case.id));
            open.extend(need.needs);
            steps += 1;
            assert!(steps < 2_000 && need.id != case.id, "{} needs itself", case.id);
        }
    }
}

#[test]
fn ids_never_change() {
    let now: Vec<&str> = cases::server_cases().map(|case| case.id).collect();
    ids::never_change("ids.txt", &now);
}
