//! The order of several nodes, in NATS JetStream: a stream is the log, and another has snapshots.

mod checking;
mod connecting;
mod credentials;
mod doubts;
mod engine_error;
mod exposed;
mod finding;
mod following;
mod greeting;
mod jet_stream;
mod log;
mod looking;
mod monitor;
mod names;
mod packing;
mod pieces;
mod said;
mod settings;
mod snapshots;
mod store_room;
mod streams;
mod thinning;
mod version;

#[cfg(test)]
mod tests;

pub use checking::check;
pub use engine_error::EngineError;
pub use exposed::{Exposed, exposed};
pub use finding::{Finding, Verdict};
pub use jet_stream::JetStream;
pub use looking::{EngineSeen, ServerSeen, ServerStanding, StreamSeen};
pub use monitor::{MonitorUrl, check as check_monitors};
pub use names::{ClusterName, USUAL_NAME};
pub use settings::{EngineSettings, ServerUrl, USUAL_REPLICAS};
