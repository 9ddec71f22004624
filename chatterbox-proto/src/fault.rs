//! What is wrong with a frame: each fault with its place, and the faults of a frame as one ERROR (IV-5).

use std::fmt::{self, Write as _};

use crate::code::Code;
use crate::limits;
use crate::text::ScreenText;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub code: Code,
    /// The index in MESSAGES; `None` when the whole frame is at fault.
    pub index: Option<usize>,
    /// The name in question, already made safe to show.
    pub name: Option<ScreenText>,
}

impl Fault {
    /// A fault of the frame as a whole.
    pub const fn frame(code: Code) -> Self {
        Self { code, index: None, name: None }
    }

    /// A fault of message number `index` of the frame.
    pub const fn message(index: usize, code: Code) -> Self {
        Self { code, index: Some(index), name: None }
    }

    /// The same fault, saying whose name it is about.
    #[must_use]
    pub fn about(mut self, name: &str) -> Self {
        self.name = Some(ScreenText::shortened(name, limits::USERNAME_CHARS));
        self
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self::frame(code)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.index {
            write!(f, "MESSAGES[{index}]: ")?;
        }
        f.write_str(self.code.text())?;
        if let Some(name) = &self.name {
            write!(f, ": {name}")?;
        }
        write!(f, " ({})", self.code.clause())
    }
}

/// The faults of one frame: the first few in full, the rest counted, so that millions cost nothing (IV-5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    listed: Vec<Fault>,
    more: usize,
    #[expect(
        clippy::box_collection,
        reason = "few frames have any, and every connection has a place for faults"
    )]
    refused: Option<Box<Vec<(String, Code)>>>,
}

impl Faults {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are no faults.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Adds a fault, which is only made if it is going to be listed.
    pub fn note(&mut self, fault: impl FnOnce() -> Fault) {
        if self.listed.len() < limits::FAULTS_LISTED {
            self.listed.push(fault());
        } else {
            self.more += 1;
        }
    }

    /// Adds the rejection of a message with an idempotency key (ID-4); a frame has few of them (ID-3).
    pub fn refuse(&mut self, tag: impl Into<String>, code: Code) {
        self.refused.get_or_insert_default().push((tag.into(), code));
    }

    /// The idempotency keys of rejected messages, with the reasons.
    pub fn refused(&self) -> &[(String, Code)] {
        self.refused.as_ref().map_or(&[], |refused| refused.as_slice())
    }

    /// Takes those of the same frame that were found elsewhere; listed is what comes first in the frame.
    pub fn merge(&mut self, others: Self) {
        self.more += others.more;
        if let Some(refused) = others.refused {
            self.refused.get_or_insert_default().extend(*refused);
        }
        self.listed.extend(others.listed);
        self.listed.sort_by_key(|fault| fault.index);
        self.more += self.listed.len().saturating_sub(limits::FAULTS_LISTED);
        self.listed.truncate(limits::FAULTS_LISTED);
    }

    /// How many there are, listed or not.
    pub fn count(&self) -> usize {
        self.listed.len() + self.more
    }

    /// The faults that are listed in full.
    pub fn listed(&self) -> &[Fault] {
        &self.listed
    }

    /// The one ERROR text for all of them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for fault in &self.listed {
            if !text.is_empty() {
                text.push_str("; ");
            }
            // Writing to a String can't fail.
            let _ = write!(text, "{fault}");
        }
        if self.more > 0 {
            let _ = write!(text, "; and {} more", self.more);
        }
        text
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { listed: vec![fault], ..Self::default() }
    }
}

impl From<Code> for Faults {
    fn from(code: Code) -> Self {
        Fault::frame(code).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_index_subject_and_clause() {
        let fault = Fault::message(3, Code::NoSuchUser).about("bo\u{1b}b");
        assert_eq!(
            fault.to_string(),
            "MESSAGES[3]: nobody by that name is here: bo\\u{1b}b (DE-2)"
        );
        assert_eq!(Fault::frame(Code::NotJson).to_string(), "the body is not valid JSON (JS-1)");
    }

    #[test]
    fn many_faults_make_one_bounded_text() {
        let mut faults = Faults::new();
        for index in 1..1000 {
            faults.note(|| Fault::message(index, Code::SourceNotYou));
        }
        faults.merge(Fault::message(0, Code::NoSuchUser).into());
        let text = faults.text();
        assert!(text.ends_with("; and 992 more"), "{text}");
        assert!(text.contains("MESSAGES[7]") && !text.contains("MESSAGES[8]"));
        assert!(text.starts_with("MESSAGES[0]: nobody"));
        assert!(!Faults::from(Code::NotJson).text().contains("more"));
    }
}
