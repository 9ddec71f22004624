//! What is kept of a message.

use bytes::Bytes;
use chatterbox_proto::session::Destination;

/// The number of a record: rising by one from 1, never used twice.
pub type Sequence = u64;

/// One message, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// To whom.
    pub destination: Destination,
    /// The 4-tuple as ASCII JSON, exactly as every receiver gets it.
    pub json: Bytes,
    /// When it came to this server, in seconds since 1970 UTC. Senders' clocks may say anything.
    pub arrived: i64,
}
