//! What the hub passes through for the stores of all nodes.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A command for the stores of all nodes, as whoever carries it out writes it. The hub does not read it. It may hold hashes of
/// passwords, so it shows nothing but its length.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreCommand(pub Bytes);

impl fmt::Debug for StoreCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreCommand({} bytes)", self.0.len())
    }
}
