//! Private messages to users with an account who are not here (AN-7).

use chatterbox_hub::{Filing, LoggedIn, Party, Reserved as Place, To};
use chatterbox_proto::Code;
use chatterbox_proto::session::Destination;

use crate::chat::handle::Handle;
use crate::chat::reserved::Reserved;

/// An account to which messages can be left, as whoever knows accounts finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The account.
    pub account: LoggedIn,
    /// When its user was here last, in seconds since 1970 UTC: what came since waits for them.
    pub since: i64,
}

/// Resolves the destination of a message to an account whose name nobody here has, as
/// [`resolve`](crate::chat::handle::resolve) does where somebody has it.
///
/// # Errors
/// [`Code::NoSuchUser`], [`Code::Blocked`], [`Code::MailboxFull`] or [`Code::RecipientBusy`].
pub fn resolve_waiting(
    sender: &Handle,
    mailbox: &Mailbox,
    bytes: usize,
    reserved: &mut Reserved,
) -> Result<(To, Filing), Code> {
    let Mailbox { account, since } = mailbox;
    let chat = sender.chat();
    let id = account.account_key.id;
    match chat.reserve_waiting(sender.id(), account, *since, bytes)? {
        Place::Here(recipient) => reserved.add(chat, recipient, bytes),
        Place::Waits(number) => reserved.add_waiting(chat, number, id),
    }
    let filing = Filing { to: Some(Party::Account(id)), ..Filing::default() };
    Ok((Destination::User(account.account.clone()), filing))
}
