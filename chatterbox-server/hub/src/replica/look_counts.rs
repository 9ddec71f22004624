//! How many names there are that look like something: a name in use, or that of a room.

use std::collections::HashMap;

use crate::digest::{Digest, Digester};

/// What names look like ([`Username::looks`](chatterbox_proto::Username::looks)), with how many do.
#[derive(Debug, Clone, Default)]
pub(crate) struct LookCounts(HashMap<Box<str>, usize>);

impl LookCounts {
    /// Whether any name looks like one of these.
    pub(crate) fn has_any(&self, looks: [&str; 3]) -> bool {
        looks.iter().any(|look| self.0.contains_key(*look))
    }

    /// Counts a name.
    pub(crate) fn add(&mut self, looks: [&str; 3]) {
        for look in looks {
            match self.0.get_mut(look) {
                Some(count) => *count += 1,
                None => {
                    self.0.insert(look.into(), 1);
                }
            }
        }
    }

    /// Takes a name that was counted out again.
    pub(crate) fn remove(&mut self, looks: [&str; 3]) {
        for look in looks {
            if let Some(count) = self.0.get_mut(look) {
                *count -= 1;
                if *count == 0 {
                    self.0.remove(look);
                }
            }
        }
    }
}

impl Digest for LookCounts {
    fn digest(&self, to: &mut Digester) {
        let Self(counts) = self;
        to.add(counts);
    }
}
