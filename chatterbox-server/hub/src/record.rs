//! A message as it is stored.

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::session::Destination;

/// The number of a record: rising by one from 1, never used twice.
pub type Sequence = u64;

/// One message: encoded once, and known by its source and destination from then on, so that nobody reads the JSON
/// again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The user who sent it, under the name of that moment.
    pub source: Username,
    /// To whom.
    pub destination: Destination,
    /// The 4-tuple as ASCII JSON, exactly as every receiver gets it.
    pub json: Bytes,
    /// The time of arrival at this server, in seconds since 1970 UTC. The clocks of senders may say anything.
    pub arrived: i64,
}
