//! The options of a run.

use std::{fmt, sync::Arc, time::Duration};

use conformance_kit::net::tls::Trust;
use rustls::KeyLog;

use crate::server::quirks::TlsMode;

/// How a run is to be done; the default judges everything.
#[derive(Clone)]
pub struct Options {
    /// The certificates that are trusted.
    pub trust: Trust,
    /// Whether to speak TLS.
    pub tls: TlsMode,
    /// The server name for TLS; the host when `None`.
    pub sni: Option<String>,
    /// The sink for the secrets of TLS connections, for a packet analyser.
    pub keylog: Option<Arc<dyn KeyLog>>,
    /// Patterns of the cases to run; everything when empty.
    pub only: Vec<String>,
    /// Patterns of the cases to leave out.
    pub skip: Vec<String>,
    /// Extensions that the subject declares; their cases run, too.
    pub claims: Vec<String>,
    /// The name and the password of an account that is there, for cases about accounts.
    pub account: Option<(String, String)>,
    /// The name and the password of an account of level 5, for cases about moderation.
    pub staff: Option<(String, String)>,
    /// All waiting times are multiplied by this.
    pub timeout_scale: f64,
    /// SHOULD counts like MUST.
    pub strict: bool,
    /// The seed of all nonces; random when `None`.
    pub seed: Option<u64>,
    /// How many cases run at the same time, at most.
    pub jobs: usize,
    /// Run the cases in a random order of the seed, as far as their needs allow.
    pub shuffle: bool,
    /// Ask the cases that leave megabytes behind on somebody else's server, too.
    pub heavy: bool,
    /// How long the whole run may take.
    pub deadline: Duration,
    /// The command that repeats the run, for reports.
    pub command: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trust: Trust::Nobody,
            tls: TlsMode::Auto,
            sni: None,
            keylog: None,
            only: Vec::new(),
            skip: Vec::new(),
            claims: Vec::new(),
            account: None,
            staff: None,
            timeout_scale: 1.0,
            strict: false,
            seed: None,
            jobs: 1,
            shuffle: false,
            heavy: false,
            deadline: Duration::from_secs(8 * 60),
            command: "conformance".to_owned(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("only", &self.only)
            .field("skip", &self.skip)
            .field("claims", &self.claims)
            .field("strict", &self.strict)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}
