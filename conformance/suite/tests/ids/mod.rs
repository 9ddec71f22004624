//! The ids of the cases, which never change once they are published.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the list is a file")]

use std::{collections::BTreeSet, env, fs, path::Path};

/// Compares the ids with those in a file of the tests; new ones are added to it when `UPDATE_GOLDEN`
/// is set, and none is ever taken out.
pub fn never_change(file: &str, now: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    let mut committed = fs::read_to_string(&path).unwrap();
    let unique: BTreeSet<_> = now.iter().collect();
    assert_eq!(unique.len(), now.len(), "an id is used twice");
    for id in committed.lines() {
        assert!(
            now.contains(&id),
            "{id} is gone: retire a case by never passing it on, not by renaming"
        );
    }
    let known: BTreeSet<String> = committed.lines().map(str::to_owned).collect();
    let new: Vec<&str> = now.iter().copied().filter(|id| !known.contains(*id)).collect();
    if env::var_os("UPDATE_GOLDEN").is_some() && !new.is_empty() {
        committed.extend(new.iter().flat_map(|id| [id, "\n"]));
        fs::write(&path, &committed).unwrap();
        return;
    }
    assert!(new.is_empty(), "new: {new:?}; set UPDATE_GOLDEN=1 to add them to {file}");
}
