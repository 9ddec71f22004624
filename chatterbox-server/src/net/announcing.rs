//! Files that messages announce: each is taken for its message just before that is posted, when it is known where it goes and as
//! what it is filed (FI-3).

use std::collections::VecDeque;
use std::sync::Arc;

use chatterbox_hub::{Record, RecordMeta, SessionId};
use chatterbox_proto::Code;
use chatterbox_proto::capability::meta::FileToken;

use crate::chat::handle::Handle;
use crate::file_service::Files;

/// A message that announces a file and waits to be posted.
struct Waiting {
    /// Its place among the messages that wait.
    place: usize,
    /// Its index in the frame.
    index: usize,
    token: FileToken,
    tag: Option<Arc<str>>,
}

/// The messages of one sender that announce files.
#[derive(Default)]
pub(super) struct Announcing {
    /// Where `files` was agreed to.
    pub(super) files: Option<Arc<Files>>,
    waiting: Vec<Waiting>,
    /// Messages without a tag, which are told apart by counting them.
    untagged: u64,
}

/// A file that was taken for a message, and what the message is known by there.
pub(super) struct Taken {
    token: FileToken,
    key: String,
}

/// A message that was refused: its index in the frame, its tag, and why.
pub(super) type NotTaken = (usize, Option<Arc<str>>, Code);

impl Announcing {
    /// Notes that the message at a place announces a file.
    pub(super) fn add(
        &mut self,
        place: usize,
        index: usize,
        token: FileToken,
        tag: Option<Arc<str>>,
    ) {
        self.waiting.push(Waiting { place, index, token, tag });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the files for their messages, in the order of these. A message whose file can't be taken is removed, and its tag.
    pub(super) async fn take(
        &mut self,
        member: &Handle,
        session: Option<SessionId>,
        records: &mut Vec<Record>,
        tags: &mut VecDeque<Option<Arc<str>>>,
    ) -> (Vec<Taken>, Vec<NotTaken>) {
        let (mut taken, mut not_taken) = (Vec::new(), Vec::new());
        let account = member.identity().and_then(|identity| identity.login);
        let account = account.map(|login| login.account_key.id);
        let mut gone = Vec::new();
        for Waiting { place, index, token, tag } in std::mem::take(&mut self.waiting) {
            let key = match &tag {
                // The same message is sent again with the same tag.
                Some(tag) => format!("{session:?} {tag}"),
                None => {
                    self.untagged += 1;
                    format!("{:?} {}", member.id(), self.untagged)
                }
            };
            let Some(record) = records.get_mut(place) else { continue };
            let claimed = match (&self.files, account) {
                (Some(files), Some(account)) => files.claim(account, record, &token, &key).await,
                _ => Err(Code::FileExpired),
            };
            match claimed {
                Ok(told) => {
                    record.meta = Some(RecordMeta::with_file(record.meta.as_ref(), &told));
                    taken.push(Taken { token, key });
                }
                Err(code) => {
                    gone.push(place);
                    not_taken.push((index, tag, code));
                }
            }
        }
        for place in gone.into_iter().rev() {
            records.remove(place);
            tags.remove(place);
        }
        (taken, not_taken)
    }

    /// Gives files back after some message was refused that had one. Of those that were announced nothing changes.
    pub(super) async fn give_back(&self, taken: Vec<Taken>) {
        let Some(files) = &self.files else { return };
        for Taken { token, key } in taken {
            files.release(&token, &key).await;
        }
    }
}

#[cfg(test)]
mod tests;
