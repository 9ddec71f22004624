//! Moderation, as whoever carries it out asks the chat for it.

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_hub::{
    Audience, Hit, Identity, Level, MemberId, Moderation, ModerationDone, ModerationRefusal,
    Outcome, Proposal, Refused, RoomNumber, RoomWish, Sanction, Sequence, Tell,
};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use chatterbox_proto::{ALL, Entry, Refusal, SERVER, Username, json};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::chat::shared::Chat;
use crate::ops::clock::unix_now;

/// Begins an act, and a wish about a room behind it; see [`Chat::begin_moderation`].
pub type BeginModeration = Box<
    dyn FnOnce(
            Moderation,
            Option<RoomWish>,
        ) -> BoxFuture<'static, Result<ModerationDone, ModerationRefusal>>
        + Send,
>;

impl Chat {
    /// Carries an act out, and waits until all that it means is so: whom it puts out is not here any more.
    ///
    /// # Errors
    /// A word for why nothing was done.
    pub async fn moderate(
        &self,
        moderation: Moderation,
    ) -> Result<ModerationDone, ModerationRefusal> {
        self.begin_moderation()(moderation, None).await
    }

    /// Begins acts from wherever it is called: an act, and a wish about a room that comes behind it. What is given back is done
    /// whether anybody waits for it or not.
    pub fn begin_moderation(&self) -> BeginModeration {
        let starter = self.starter();
        Box::new(move |moderation, behind| {
            let moderated = starter.change(Proposal::Moderate(Box::new(moderation)));
            let behind = behind.map(|wish| starter.wish(wish));
            async move {
                let done = match moderated.await {
                    Ok(Ok(Outcome::Moderated(done))) => done,
                    Ok(Err(Refused::Moderation(refusal))) => return Err(refusal),
                    _ => return Err(OutcomeCode::Failed),
                };
                if let Some(behind) = behind {
                    match behind.await {
                        // Who is not a member has nothing to leave.
                        Ok(Ok(_) | Err(OutcomeCode::NoSuchUser | OutcomeCode::NotAMember)) => {}
                        Ok(Err(refusal)) => return Err(refusal),
                        Err(_) => return Err(OutcomeCode::Failed),
                    }
                }
                Ok(done)
            }
            .boxed()
        })
    }

    /// The sanctions that hold now, in the order in which they were imposed.
    pub fn sanctions(&self) -> Vec<Arc<Sanction>> {
        self.hub().sanctions(unix_now()).cloned().collect()
    }

    /// The connections that sanctions would be on.
    pub fn hits(&self, sanctions: &[Sanction]) -> Vec<Hit> {
        self.hub().hits(sanctions)
    }

    /// Why a member may not be under another name, if they may not.
    pub fn excluded_as(&self, member: MemberId, name: &Username) -> Option<Refusal> {
        self.hub().excluded_as(member, name, unix_now())
    }

    /// Until when a member may not write to all, or in a room, if they are muted: by somebody, or by flood control.
    pub fn muted_until(&self, member: MemberId, room: Option<RoomNumber>) -> Option<Option<i64>> {
        let for_flood = || self.flood().muted(self.speaker(member, &[])?.number);
        let mute = self.hub().mute_of(member, room, unix_now()).map(|mute| mute.until);
        mute.or_else(|| for_flood().map(Some))
    }

    /// The ban that keeps a member from a room, if there is one.
    pub fn ban_of(&self, member: MemberId, room: RoomNumber) -> Option<Arc<Sanction>> {
        self.hub().ban_of(member, room, unix_now()).cloned()
    }

    /// Who is here under a name.
    pub fn here(&self, name: &Username) -> Option<(MemberId, Identity)> {
        self.hub().find(name).map(|(member, identity)| (member, identity.clone()))
    }

    /// Nothing up to this id is shown of the lobby any more.
    pub fn lobby_floor(&self) -> Sequence {
        self.hub().lobby().floor
    }

    /// The newest connection of a guest of this name who was cut off, and may come back to their session.
    pub fn cut_off(&self, name: &Username) -> Option<MemberId> {
        self.hub().cut_off(name)
    }

    /// Tells those who have a level on the server, or in a room, and agreed to notices.
    pub fn tell_staff(&self, room: Option<RoomNumber>, level: Level, notice: &NewNotice<'_>) {
        self.tell_notices(Audience::Staff(room, level), notice);
    }

    /// Tells those who keep order on the server, or in a room, of a report about somebody, but not that one (MO-11).
    pub fn tell_report(&self, room: Option<RoomNumber>, about: &Username, notice: &NewNotice<'_>) {
        self.tell_notices(Audience::Report(room, about.clone()), notice);
    }

    fn tell_notices(&self, whom: Audience, notice: &NewNotice<'_>) {
        self.tell_those(Tell { whom, plain: Bytes::new(), notice: notice.to_json().into() });
    }

    /// Says something in the name of the server, to all or in a room. It is not kept (MO-9).
    pub fn announce_in(&self, room: Option<RoomNumber>, text: &str) {
        let name = match room {
            None => None,
            Some(room) => match self.hub().name_of_room(room) {
                Some(name) => Some(name),
                None => return,
            },
        };
        let entry = Entry {
            source: SERVER.into(),
            destination: name.as_ref().map_or(ALL, |name| name.as_str()).into(),
            timestamp: unix_now(),
            content: text.into(),
        };
        let notice = NewNotice {
            room: name.as_ref().map(|name| name.as_str()),
            ..NewNotice::new(NoticeCode::Announcement, text)
        };
        let (plain, notice) = (entry.to_json().into(), notice.to_json().into());
        self.tell_those(Tell { whom: room.map_or(Audience::All, Audience::Room), plain, notice });
    }

    /// Whether flood control has muted a member (FL-2). What it counts is of one node: of a member of another one it is taken to be
    /// so, since whoever asks is going to end it.
    pub fn is_muted_for_flood(&self, member: MemberId) -> bool {
        let speaker = self.speaker(member, &[]);
        self.is_elsewhere(member)
            || speaker.is_some_and(|speaker| self.flood().muted(speaker.number).is_some())
    }

    /// Tells a member something that concerns only them: as a notice, or as ERROR where they did not agree to those (NO-2).
    pub fn tell_notice(&self, member: MemberId, notice: &NewNotice<'_>) {
        let (plain, told) = (json::string(notice.info), notice.to_json().into());
        self.tell_those(Tell { whom: Audience::Member(member), plain, notice: told });
    }
}
