//! Servers as the side that is judged.

use super::hands::ServerHands;
use crate::{
    case::{self, Judged, Side},
    fault::Fault,
};

/// Servers are judged.
pub enum ServerSide {}

impl Judged for ServerSide {
    type Hands = ServerHands;
    type Fault = Fault;
    const SIDE: Side = Side::Server;
}

/// A case for servers.
pub type Case = case::Case<ServerSide>;
