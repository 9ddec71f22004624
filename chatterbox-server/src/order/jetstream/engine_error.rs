//! Why a node can't use the engine.

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Nobody answers, or not now. Whoever tries again may be luckier.
    #[error("the engine can't be reached: {0}")]
    Unreachable(String),
    /// Somebody has to do something first.
    #[error("{0}")]
    Refused(String),
}

impl EngineError {
    /// The same of a list of faults.
    pub(super) fn refused(faults: &[String]) -> Self {
        Self::Refused(faults.join("; "))
    }
}
