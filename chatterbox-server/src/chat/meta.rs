//! What may go with a message (MT-2 to MT-4): judged once, by the node of its sender, before the message is posted.

use std::sync::Arc;

use chatterbox_hub::{Conversation, LoggedIn, MemberId, Mention, OwnDevice, RecordMeta, Sequence};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::e2ee::KeysLow;
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{DeviceId, NewMeta, Sealed};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Code, LookupKey, NameKey as _, Username};

use crate::chat::handle::Handle;
use crate::chat::paging::Pages;
use crate::chat::shared::Chat;

/// To whom a message is, before anybody has looked that up.
type Wanted = Destination<LookupKey, LookupKey>;

/// Judges the file of a message. It is taken for its message just before that is posted, where `files` was agreed to.
fn judge_file(new: &NewMeta, member: &Handle) -> Result<(), Code> {
    let has_files = || {
        let agreed = member.identity().and_then(|identity| identity.agreed);
        agreed.is_some_and(|agreed| agreed.has(Capability::Files))
    };
    if new.file.is_some() && !has_files() { Err(Code::PartRefused) } else { Ok(()) }
}

impl Chat {
    /// Which device the connection of a member is, if it has said so.
    pub(crate) fn device_of(&self, member: MemberId) -> Option<OwnDevice> {
        self.hub().device_of(member).cloned()
    }

    /// Notes which device the connection of a member is; see [`Hub::set_device`].
    ///
    /// [`Hub::set_device`]: chatterbox_hub::Hub::set_device
    pub(crate) fn set_device(&self, member: MemberId, device: OwnDevice) {
        self.hub().set_device(member, device);
    }

    /// Notes what the device of a member has read; see [`Hub::keys_done`].
    ///
    /// [`Hub::keys_done`]: chatterbox_hub::Hub::keys_done
    pub(crate) fn keys_done(
        &self,
        member: MemberId,
        up_to: Sequence,
    ) -> Option<(DeviceId, Sequence)> {
        self.hub().keys_done(member, up_to)
    }

    /// Tells devices of an account here that few of their one-time keys are left (EE-2).
    pub(crate) fn tell_low(&self, account: &LoggedIn, low: &KeysLow) {
        let mut hub = self.hub();
        let mut wakes = Vec::new();
        hub.tell_low(account, low, &mut wakes);
        self.wake(hub, wakes);
    }

    /// Whom a message mentions; see [`Hub::mentions`].
    ///
    /// # Errors
    /// [`Code::MentionForbidden`].
    pub(super) fn mentions(
        &self,
        by: MemberId,
        to: &Wanted,
        names: &[String],
    ) -> Result<Vec<Mention>, Code> {
        if names.is_empty() { Ok(Vec::new()) } else { self.hub().mentions(by, to, names) }
    }
}

/// What goes with a message, when all of it is judged but for the names that only an account may have.
#[derive(Debug)]
pub struct Judged {
    reply: Option<Id>,
    sealed: Option<Sealed>,
    /// Whom it mentions.
    pub mentions: Vec<Mention>,
}

impl Judged {
    /// What is stored and told, with the names that are mentioned.
    pub fn with(self, mentions: &[String]) -> Option<Arc<RecordMeta>> {
        let Self { reply, sealed, .. } = self;
        // A file is taken for the message later.
        RecordMeta::new(reply, mentions, None, sealed.as_ref())
    }
}

/// Judges what goes with a message of a member to this destination. What is encrypted was judged before, by whoever knows the
/// devices.
///
/// # Errors
/// [`Code::NoSuchMessage`], [`Code::MentionForbidden`], [`Code::PartRefused`]; [`Code::NotRead`] where the history can't be read now.
pub async fn judge(
    new: &NewMeta,
    sealed: Option<Sealed>,
    to: &Wanted,
    member: &Handle,
    pages: &Pages,
) -> Result<Judged, Code> {
    judge_file(new, member)?;
    if let Some(id) = new.reply
        && !is_readable(id, to, member, pages).await?
    {
        return Err(Code::NoSuchMessage);
    }
    let mentions = member.chat().mentions(member.id(), to, &new.mentions)?;
    Ok(Judged { reply: new.reply, sealed, mentions })
}

/// Whether a message is of the conversation with a destination, and its member can read it now (MT-3). Where they may not know of the
/// destination, that is what their message is refused for, and not this.
async fn is_readable(
    id: Sequence,
    to: &Wanted,
    member: &Handle,
    pages: &Pages,
) -> Result<bool, Code> {
    let chat = member.chat();
    let filter = member.filter();
    let mut hidden = &filter.hidden;
    let of = match to {
        Destination::All => Conversation::Public,
        Destination::Room(name) => match chat.readable(member.id(), name) {
            Ok(of) => {
                if chat.is_staff_of(member.id(), &of) {
                    hidden = &filter.ignored;
                }
                of
            }
            Err(_) => return Ok(true),
        },
        Destination::User(name) => {
            let Some(user) = member.identity() else { return Ok(false) };
            let others = pages.parties(chat, Username::stored(name.name_key())).await;
            Conversation::Between(user.parties(), others)
        }
    };
    let keeps_nothing = matches!(of, Conversation::Room { newest: Some(0), .. });
    let found = pages.source_of(of, id).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "what is answered can't be read");
        Code::NotRead
    })?;
    let found = match to {
        // What is said in a room that keeps nothing is in its timeline still.
        Destination::Room(name) if found.is_none() && keeps_nothing => {
            chat.source_in_timeline(member.id(), name, id)
        }
        _ => found,
    };
    Ok(found.is_some_and(|source| !hidden.contains(&source)))
}
