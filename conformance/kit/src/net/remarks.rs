//! What the layer below the frames has to tell of a connection: no verdict, and evidence in its transcript.

use std::sync::{Arc, Mutex, PoisonError};

/// The most remarks of one connection: a subject that goes on for ever must not fill the memory.
const MOST: usize = 32;

/// The remarks of one connection; clones hold the same.
#[derive(Debug, Clone, Default)]
pub struct Remarks(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Vec<String>,
    made: usize,
    ending: Option<String>,
}

impl Remarks {
    /// Tells something, unless much was told before.
    pub fn push(&self, remark: impl Into<String>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.made += 1;
        match inner.made {
            MOST => inner.waiting.push("the suite stops counting these".to_owned()),
            made if made < MOST => inner.waiting.push(remark.into()),
            _ => {}
        }
    }

    /// Tells how the other end took its leave; the first word counts.
    pub fn end(&self, how: impl Into<String>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.ending.get_or_insert(how.into());
    }

    /// Takes what was told since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting)
    }

    /// How the other end took its leave.
    #[must_use]
    pub fn ending(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ending.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_have_an_end() {
        let remarks = Remarks::default();
        for number in 0..1_000 {
            remarks.push(number.to_string());
        }
        assert_eq!(remarks.take().len(), MOST);
        remarks.push("more");
        assert!(remarks.take().is_empty());
        remarks.end("first");
        remarks.end("second");
        assert_eq!(remarks.ending().as_deref(), Some("first"));
    }
}
