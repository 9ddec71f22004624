//! The faults of this client, and the file in which they leave their names.
#![allow(clippy::disallowed_methods, reason = "writes the log of a test")]

use std::{fs::OpenOptions, io::Write as _, path::PathBuf, sync::Arc};

use conformance_suite::fault::ClientFault;

/// The faults of this client.
#[derive(Clone)]
pub(crate) struct Faults(Arc<(Vec<ClientFault>, Option<PathBuf>)>);

impl Faults {
    pub(crate) fn new(faults: Vec<ClientFault>, log: Option<PathBuf>) -> Self {
        Self(Arc::new((faults, log)))
    }

    /// Whether the client has the fault, without its acting.
    pub(crate) fn has(&self, fault: ClientFault) -> bool {
        self.0.0.contains(&fault)
    }

    /// Whether the client has the fault; notes that it acts now.
    pub(crate) fn acts(&self, fault: ClientFault) -> bool {
        let has = self.has(fault);
        if let (true, Some(path)) = (has, &self.0.1) {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let _ = file.and_then(|mut file| writeln!(file, "{}", fault.name()));
        }
        has
    }
}
