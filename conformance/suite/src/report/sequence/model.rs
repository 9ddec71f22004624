//! The sequence of one case as data: lanes and steps.

/// The sequence of one case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagram {
    /// The connections, in the order in which they appear.
    pub lanes: Vec<Lane>,
    /// The subject in a word: "server" or "client".
    pub subject: &'static str,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// What was left out, one sentence each.
    pub left_out: Vec<String>,
}

/// One connection to the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// The part that it plays in the case.
    pub role: String,
    /// The name that it asked for last.
    pub name: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Microseconds since the first thing that happened.
    pub at: u64,
    /// The lane; `None` is the subject's own.
    pub lane: Option<usize>,
    /// What it was.
    pub what: What,
}

/// What a step shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A connection was opened.
    Opens(String),
    /// A frame, or a part of one.
    Frame(Frame),
    /// A connection ended.
    Closes {
        /// Whether the suite closed it.
        by_suite: bool,
        /// How.
        text: String,
    },
    /// It was waited for, and never came.
    Missing(String),
    /// What should have been; no wait was recorded for it.
    Expected(String),
    /// A remark.
    Note(String),
    /// Steps that are not shown.
    Fold {
        /// How many.
        count: usize,
        /// Whether all of them are frames.
        frames: bool,
    },
}

/// A frame on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Whether the suite wrote it.
    pub from_suite: bool,
    /// Its body as it came.
    pub text: String,
    /// Its size, and how it was cut.
    pub remark: String,
    /// Whether the reason of the failure speaks of what it carries.
    pub telling: bool,
    /// Which frame of its direction it belongs to, when this is a part of one.
    pub(super) part_of: Option<usize>,
    pub(super) bytes: usize,
}

impl Diagram {
    /// Whether the subject stands left of its peers.
    #[must_use]
    pub fn subject_is_first(&self) -> bool {
        self.subject == "client"
    }

    /// The lane of a role.
    pub(super) fn lane(&self, role: &str) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.role == role)
    }
}
