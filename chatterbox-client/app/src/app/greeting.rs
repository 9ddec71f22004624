//! What is said at the end of a welcome, below its history.

use chatterbox_proto::capability::ServerInfo;
use chatterbox_proto::capability::accounts::Account;
use chatterbox_proto::{Capabilities, WireText};

/// The parts of a welcome that wait until its history was shown.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) info: Option<WireText<'static>>,
    pub(super) agreed: Capabilities,
    pub(super) account: Option<Account>,
    pub(super) server: Option<ServerInfo>,
    /// Whether there are older messages.
    pub(super) more: bool,
}
