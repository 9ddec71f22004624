//! Users who speak more than the base protocol.

use conformance_kit::wire::{extended::Numbered, frame::Frame};
use serde_json::{Map, Value, json};

use super::{
    hands::ServerHands,
    peer::{Mark, Peer},
};
use crate::verdict::Verdict;

impl ServerHands {
    /// Connects and joins under a fresh name with an offer, all of which has to be agreed to.
    ///
    /// # Errors
    /// Inconclusive: whether it is agreed to is the business of a case of its own.
    pub async fn join_with(&mut self, role: &str, offer: &str) -> Result<Peer, Verdict> {
        let name = self.name(role);
        self.join_with_as(role, &name, offer).await
    }

    /// The same under this name.
    ///
    /// # Errors
    /// As [`ServerHands::join_with`].
    pub async fn join_with_as(
        &mut self,
        role: &str,
        name: &str,
        offer: &str,
    ) -> Result<Peer, Verdict> {
        let mut peer = self.connect(role).await?;
        let welcome = peer.offer(name, offer, &[]).await;
        let missing = |welcome: &Frame| {
            let names = offer.split(' ').filter_map(|word| word.split_once('/'));
            names.map(|(name, _)| name).find(|name| !welcome.agrees_to(name)).map(str::to_owned)
        };
        match welcome {
            Some(welcome) if welcome.accepted() == Some(true) => match missing(&welcome) {
                None => Ok(peer),
                Some(name) => Err(Verdict::inconclusive(format!(
                    "{role} offered {name}, and it was not agreed to"
                ))),
            },
            _ => Err(Verdict::inconclusive(format!(
                "{role} could not join with the offer {offer:?}; {}",
                peer.heard(Mark::START)
            ))),
        }
    }

    /// The offer of every capability that is claimed, and of what they need, each in version 1.
    #[must_use]
    pub fn whole_offer(&self) -> String {
        let spoken = self.shared.claims().spoken();
        let words: Vec<_> = spoken.iter().map(|name| format!("{name}/1")).collect();
        words.join(" ")
    }
}

impl Peer {
    /// Asks for a name with an offer and more keys beside it; the frame with the answer, or with an ERROR.
    pub async fn offer(
        &mut self,
        name: &str,
        offer: &str,
        more: &[(&str, Value)],
    ) -> Option<Frame> {
        self.offer_value(name, &json!(offer), more).await
    }

    /// The same with an offer that may be no string.
    pub async fn offer_value(
        &mut self,
        name: &str,
        offer: &Value,
        more: &[(&str, Value)],
    ) -> Option<Frame> {
        self.speaks_more();
        let since = self.mark();
        name.clone_into(&mut self.name);
        self.shared.remember_name(name);
        let mut object = Map::new();
        object.insert("USERNAME".into(), json!(name));
        object.insert("CAPABILITIES".into(), offer.clone());
        object.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        self.send(&Value::Object(object)).await;
        self.find(since, |frame| {
            (frame.accepted().is_some() || frame.error().is_some()).then(|| frame.clone())
        })
        .await
    }

    /// The server is going to call this user by another name.
    pub fn remember(&self, name: &str) {
        self.shared.remember_name(name);
    }

    /// The welcome.
    pub fn welcome(&mut self) -> Option<Frame> {
        self.frames(Mark::START).iter().find(|frame| frame.accepted() == Some(true)).cloned()
    }

    /// Waits for a message with this content and says which id it has.
    ///
    /// # Errors
    /// A failure when the message comes without one, inconclusive when it does not come.
    pub async fn id_of(&mut self, content: &str) -> Result<u64, Verdict> {
        let expected = format!("{} gets the message \"{content}\" with an id", self.role);
        match self.find_numbered(Mark::START, content).await {
            None => Err(Verdict::inconclusive(format!(
                "the message did not even arrive; {}",
                self.heard(Mark::START)
            ))),
            Some(Ok(Numbered { id: Some(id), .. })) => Ok(id),
            Some(Ok(_)) => Err(Verdict::fail(expected, "null")),
            Some(Err(why)) => Err(Verdict::fail(expected, why)),
        }
    }

    /// Waits for a message with this content, and reads the ids of its frame.
    pub async fn find_numbered(
        &mut self,
        since: Mark,
        content: &str,
    ) -> Option<Result<Numbered, String>> {
        let content = content.to_owned();
        self.find(since, move |frame| {
            frame.messages().iter().find(|message| message.content == content)?;
            Some(frame.numbered().and_then(|all| {
                let found = all.into_iter().find(|one| one.message.content == content);
                found.ok_or_else(|| "no message".to_owned())
            }))
        })
        .await
    }

    /// Every message since a mark with its id, but for frames without sound ids.
    pub fn numbered(&mut self, since: Mark) -> Vec<Numbered> {
        self.frames(since).iter().filter_map(|frame| frame.numbered().ok()).flatten().collect()
    }

    /// Sends a message with a tag.
    pub async fn tagged(&mut self, dest: &str, content: &str, tag: &str) {
        let message = ServerHands::message(&self.name, dest, content);
        self.send(&json!({"MESSAGES": [message], "TAGS": [tag]})).await;
    }

    /// Waits for the acknowledgement of a tag.
    ///
    /// # Errors
    /// A failure that says what came instead.
    pub async fn acked(&mut self, since: Mark, tag: &str) -> Result<u64, Verdict> {
        match self.find(since, |frame| frame.ack(tag)).await {
            Some(id) => Ok(id),
            None => Err(Verdict::missing(
                format!("{} gets {{\"ACKS\": {{\"{tag}\": id}}}}", self.role),
                self.heard(since),
            )),
        }
    }
}
