//! The transcript of one fuzzed connection, which can be replayed.

use serde::{Deserialize, Serialize};

/// The version of the format.
pub const VERSION: u32 = 1;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// TLS `close_notify`, then FIN.
    Polite,
    /// FIN alone.
    Fin,
    /// RST.
    Reset,
}

/// One thing that is done on the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Sends these bytes in one write.
    Send {
        /// In hexadecimal.
        hex: String,
        /// The same as text, for people.
        #[serde(default)]
        text: String,
    },
    /// Waits for so many milliseconds.
    Pause(u16),
    /// Closes the connection; nothing comes behind it.
    Close(End),
}

impl Step {
    /// A step that sends bytes.
    #[must_use]
    pub fn send(bytes: &[u8]) -> Self {
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::Send { hex, text: conformance_kit::escape::bytes(bytes, 200) }
    }
}

/// One session of the fuzzer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// The version of this format.
    pub version: u32,
    /// The seed of the run.
    pub seed: u64,
    /// The number of the session in its run.
    pub case: u64,
    /// The finding.
    pub finding: String,
    /// What was done.
    pub steps: Vec<Step>,
}

impl Transcript {
    /// As JSON, one step a line.
    ///
    /// # Errors
    /// Never in practice.
    pub fn render(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads a transcript.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}
