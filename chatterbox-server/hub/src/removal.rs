//! Why the hub has removed a member.

use chatterbox_proto::Exclusion;

/// The reason why the hub has removed a member whose connection is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is a slow consumer: the timeline has moved past its cursor (AS-3).
    TooSlow,
    /// Too much memory waited for all members together, and this one held most of it (AS-3).
    OverBudget,
    /// Another connection has resumed its session (ID-7).
    Resumed,
    /// The order stands still for this node: other nodes may be better off.
    NoEngine,
    /// Its account was removed.
    AccountRemoved,
    /// Another login of its account, or the operator, has ended its login.
    LoggedOut,
    /// The other nodes of the chat have missed this one, and decided that it has ended.
    Fenced,
    /// It was put out (MO-2).
    Kicked(Box<Exclusion>),
    /// It was banned (MO-4).
    Banned(Box<Exclusion>),
}
