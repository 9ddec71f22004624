//! When users were here last.

use std::collections::{BTreeMap, HashMap, HashSet};

use chatterbox_proto::Username;

/// Who was here.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// By folded name.
    pub(super) guests: BTreeMap<String, (Username, i64)>,
    /// By the number of the account.
    pub(super) accounts: HashMap<i64, i64>,
    pub(super) hiding: HashSet<i64>,
}
