//! The observer of a run: it is told of every result as soon as it is there.

use crate::{
    case::Row,
    report::{CaseResult, Header},
};

/// Told of a run while it goes on; everything is optional.
pub trait Watch: Send {
    /// The subject answers, and these cases will run.
    fn begins(&mut self, header: &Header, cases: &[&'static Row]) {
        let _ = (header, cases);
    }

    /// A case is done.
    fn done(&mut self, result: &CaseResult) {
        let _ = result;
    }
}

/// Nobody.
pub struct Unwatched;

impl Watch for Unwatched {}
