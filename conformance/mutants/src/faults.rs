//! The faults of one mutant, and how often each of them came to act.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use conformance_suite::fault::Fault;

/// The faults of one mutant, and how often each of them came to act.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<BTreeMap<Fault, AtomicUsize>>);

impl Faults {
    /// A mutant with these faults.
    #[must_use]
    pub fn new(faults: &[Fault]) -> Self {
        Self(Arc::new(faults.iter().map(|fault| (*fault, AtomicUsize::new(0))).collect()))
    }

    /// Whether the mutant has the fault, without its acting.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains_key(&fault)
    }

    /// Whether the mutant has the fault; counts that it acts now.
    #[must_use]
    pub fn acts(&self, fault: Fault) -> bool {
        let Some(count) = self.0.get(&fault) else { return false };
        count.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// How often a fault came to act.
    #[must_use]
    pub fn times(&self, fault: Fault) -> usize {
        self.0.get(&fault).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}
