//! Messages that were put off: they are posted, or refused, when somebody has looked better.

use std::sync::Arc;

use chatterbox_proto::Code;
use chatterbox_proto::session::Posting;

use super::Inbound;
use crate::net::put_off::{Found, was_asked};

impl Inbound {
    /// Looks whether messages that were put off are for who has an account, and posts them. A recipient may leave meanwhile; so the second
    /// time all are looked for.
    pub(super) async fn settle(&mut self) {
        for asks_all in [false, true] {
            if self.puts_off() {
                // Boxed: few members write to who is not here, and the tasks of connections stay small.
                Box::pin(self.settle_put_off(asks_all)).await;
            }
        }
    }

    fn puts_off(&self) -> bool {
        self.requests.as_ref().is_some_and(|requests| !requests.put_off.is_empty())
    }

    pub(super) fn put_off(&mut self, posting: Posting<'_>) {
        if let Some(requests) = &mut self.requests {
            requests.put_off.add(posting);
        }
    }

    async fn settle_put_off(&mut self, asks_all: bool) {
        let Some(requests) = &mut self.requests else { return };
        let pages = Arc::clone(&requests.pages);
        let gate = self.flood.as_deref_mut().map(|flood| &mut flood.gate);
        let settled = requests.put_off.settle(&self.member, &pages, gate, asks_all).await;
        let (postings, found) = settled;
        for (posting, meta) in postings {
            match meta {
                // What stands behind one that is put off once more waits with it.
                _ if self.puts_off() => self.put_off(posting),
                Ok(meta) => self.say(posting, meta, Some(&found)),
                Err(code) if self.may_be_taken(code, &posting, Some(&found)) => {
                    self.put_off(posting);
                }
                Err(code) => self.refuse_one(posting.index, posting.tag, code, None),
            }
        }
        if !self.puts_off()
            && let Some(requests) = &mut self.requests
            && std::mem::take(&mut requests.put_off.ends_frame)
        {
            self.end_frame();
        }
    }

    /// Whether a message may be taken after all, when somebody has looked better; `found` is what was found when somebody did. Its
    /// recipient may have been here then, and not be any more.
    pub(super) fn may_be_taken(
        &self,
        code: Code,
        posting: &Posting<'_>,
        found: Option<&Found>,
    ) -> bool {
        match found {
            None => self.may_be_otherwise(code),
            Some(found) => {
                let is_asked = was_asked(found, posting);
                code == Code::NoSuchUser && !is_asked && self.may_leave_messages()
            }
        }
    }

    /// Whether the member may write to users who are not here: base clients and guests may not.
    fn may_leave_messages(&self) -> bool {
        self.requests.is_some() && self.member.is_logged_in()
    }

    /// Whether a message may be taken after all where nobody has looked yet: among the accounts, or at what other nodes have
    /// decided meanwhile. Somebody who came in at another node is there, also where this node is told of it a moment later.
    fn may_be_otherwise(&self, code: Code) -> bool {
        let is_of_state = matches!(
            code,
            Code::NoSuchUser | Code::NoSuchRoom | Code::NotAMember | Code::Blocked | Code::Muted(_)
        );
        (code == Code::NoSuchUser && self.may_leave_messages())
            || (is_of_state && self.requests.is_some() && self.member.chat().is_in_cluster())
    }
}

#[cfg(test)]
mod tests;
