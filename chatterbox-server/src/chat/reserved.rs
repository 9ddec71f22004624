//! Room that is reserved in the queues of recipients while messages to them are being stored.

use std::sync::Arc;

use chatterbox_hub::MemberId;

use crate::chat::posts::Held;
use crate::chat::shared::Chat;

/// The room of a few messages. Dropping it gives the room back, whatever has become of the messages: were they delivered,
/// refused, or has their sender's connection ended in between.
#[derive(Debug, Default)]
pub struct Reserved(Option<Box<Each>>);

/// Boxed: every connection has a place for it, and few have any.
#[derive(Debug)]
struct Each {
    chat: Arc<Chat>,
    /// The recipients, with the size of a message to each.
    room: Vec<(MemberId, usize)>,
    /// The accounts, of senders and of recipients who are not here.
    waiting: Vec<(i64, i64)>,
    /// Whether the newest message is one of the latter.
    newest_waits: bool,
}

impl Reserved {
    pub(super) fn add(&mut self, chat: &Arc<Chat>, recipient: MemberId, bytes: usize) {
        let each = self.each(chat);
        each.room.push((recipient, bytes));
        each.newest_waits = false;
    }

    /// Adds a place in the mailbox of an account.
    pub(super) fn add_waiting(&mut self, chat: &Arc<Chat>, sender: i64, account: i64) {
        let each = self.each(chat);
        each.waiting.push((sender, account));
        each.newest_waits = true;
    }

    fn each(&mut self, chat: &Arc<Chat>) -> &mut Each {
        let new = || {
            let chat = Arc::clone(chat);
            Box::new(Each { chat, room: Vec::new(), waiting: Vec::new(), newest_waits: false })
        };
        self.0.get_or_insert_with(new)
    }

    /// Gives back the room of the newest message, which is not posted after all.
    pub(crate) fn give_back_newest(&mut self) {
        let Some(each) = &mut self.0 else { return };
        if each.newest_waits {
            each.chat.release(&[], each.waiting.pop().as_slice());
        } else {
            each.chat.release(each.room.pop().as_slice(), &[]);
        }
    }
}

impl From<Reserved> for Held {
    fn from(reserved: Reserved) -> Self {
        reserved.0.map(|each| each as Box<dyn Send>)
    }
}

impl Drop for Each {
    fn drop(&mut self) {
        self.chat.release(&self.room, &self.waiting);
    }
}
