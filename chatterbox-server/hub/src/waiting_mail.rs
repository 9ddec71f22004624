//! Private messages that wait for a user with an account who is not here (AN-7).
//!
//! They lie in the mailbox of the account, as what was said to them while they were here does. Of those that they have not been
//! told there is a number at most, and nobody alone makes it up.

use chatterbox_proto::Code;

use crate::hub::Hub;
use crate::identity::LoggedIn;
use crate::ids::MemberId;
use crate::level::Level;

/// So many wait for one account at most.
pub const WAITING_MAIL: usize = 200;

/// So many of them are of one sender at most: a tenth, as of all that is kept.
pub const WAITING_MAIL_OF_ONE: usize = WAITING_MAIL / 10;

/// Where a private message to an account goes whose name nobody has at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// To this member, who is logged in with it under another name; [`Hub::release`] gives the room back.
    Here(MemberId),
    /// Into its mailbox; the number is that of the sender's account, with which [`Hub::release_waiting`] gives the place back.
    Waits(i64),
}

impl Hub {
    /// Reserves a place for a private message of about `bytes` of a member to an account whose name nobody has at the moment,
    /// and whose user was here last at `since`, in seconds since 1970 UTC. Who has no connection any more, and whose leaving has not
    /// come round yet, is not here.
    ///
    /// # Errors
    /// [`Code::NoSuchUser`] where the sender has no account, [`Code::Blocked`] as for who is here, [`Code::MailboxFull`],
    /// [`Code::RecipientBusy`].
    pub fn reserve_waiting(
        &mut self,
        sender: MemberId,
        account: &LoggedIn,
        since: i64,
        bytes: usize,
    ) -> Result<Reserved, Code> {
        let who = self.identity(sender).filter(|who| who.actor().level >= Level::USER);
        let login = who.and_then(|who| who.login.as_ref()).ok_or(Code::NoSuchUser)?;
        let number = login.account_key.id;
        self.refresh_filter(sender);
        if self.members.get(&sender).is_some_and(|member| member.refuses(&account.account)) {
            return Err(Code::Blocked);
        }
        let here: Vec<_> = self.logged_in(account).map(|(member, _)| member).collect();
        for member in here {
            match self.reserve_for(sender, member, bytes) {
                Err(Code::NoSuchUser) => {}
                reserved => return reserved.map(Reserved::Here),
            }
        }
        let id = account.account_key.id;
        let (mut all, mut own) = (0, 0);
        let left = self.waiting_mail.left.get(&id).copied();
        let waiting =
            self.history.waiting(id, left, since).take(WAITING_MAIL).map(|sender| (sender, 1));
        for (sender, count) in waiting.chain(self.waiting_mail.of(id)) {
            all += count;
            own += if sender == number { count } else { 0 };
        }
        if all >= WAITING_MAIL || own >= WAITING_MAIL_OF_ONE {
            return Err(Code::MailboxFull);
        }
        *self.waiting_mail.pending.entry((id, number)).or_default() += 1;
        Ok(Reserved::Waits(number))
    }

    /// Gives back the place that was reserved for a message of the one account to the other.
    pub fn release_waiting(&mut self, sender: i64, account: i64) {
        if let Some(count) = self.waiting_mail.pending.get_mut(&(account, sender)) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.waiting_mail.pending.remove(&(account, sender));
            }
        }
    }
}
