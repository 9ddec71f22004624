//! Clients as the side that is judged.

use super::hands::ClientHands;
use crate::{
    case::{self, Judged, Side},
    fault::ClientFault,
};

/// Clients are judged.
pub enum ClientSide {}

impl Judged for ClientSide {
    type Hands = ClientHands;
    type Fault = ClientFault;
    const SIDE: Side = Side::Client;
}

/// A case for clients.
pub type Case = case::Case<ClientSide>;
