//! `ids`: messages have numbers, and their senders may ask for an acknowledgement.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::state::{Answer, Refusal, Tags};
use crate::{
    chat::{Chat, Member},
    entry::Entry,
    session::Session,
};

impl Session {
    /// Checks the tags beside so many messages.
    pub(crate) fn tags(&self, count: usize, tags: Option<&Value>) -> Result<Tags, &'static str> {
        let f = &self.shared.faults;
        let Some(tags) = tags else { return Ok(Tags::default()) };
        let list = match tags.as_array().filter(|list| list.len() == count) {
            Some(list) => list.clone(),
            None if f.acts(Fault::TagsShapeUnchecked) => Vec::new(),
            None => return Err("TAGS is a list as long as MESSAGES"),
        };
        let mut read = Tags::default();
        for (n, tag) in list.into_iter().enumerate() {
            match self.tag(tag) {
                Ok(tag) => read.list.push(tag),
                Err(_) if f.acts(Fault::TagsCheckedOneByOne) => {
                    read.end = Some(n);
                    break;
                }
                Err(text) => return Err(text),
            }
        }
        if read.list.iter().flatten().count() > 256 && !f.acts(Fault::TagsUncounted) {
            return Err("256 tags at most");
        }
        Ok(read)
    }

    fn tag(&self, tag: Value) -> Result<Option<String>, &'static str> {
        let f = &self.shared.faults;
        match tag {
            Value::Null if f.acts(Fault::NullTagRefused) => Err("no tag"),
            Value::Null => Ok(None),
            Value::String(text) => {
                let counts = f.has(Fault::TagsInCharacters) && text.chars().count() != text.len();
                let characters = counts && f.acts(Fault::TagsInCharacters);
                let length = if characters { text.chars().count() } else { text.len() };
                let fits = (1..=64).contains(&length) || f.acts(Fault::TagsUnchecked);
                if fits { Ok(Some(text)) } else { Err("a tag has 1 to 64 bytes") }
            }
            other if f.acts(Fault::TagsUnchecked) => Ok(Some(other.to_string())),
            _ => Err("a tag is a string"),
        }
    }

    /// The answer to a tag that was used.
    pub(crate) fn again(&self, tag: &str, id: u64, answer: &mut Answer) {
        let f = &self.shared.faults;
        if !f.acts(Fault::DuplicateUnanswered) {
            let id = if f.acts(Fault::DuplicateNewId) { id + 1_000 } else { id };
            answer.acks.insert(tag.to_owned(), json!(id));
        }
    }

    /// A tagged message was stored.
    pub(crate) fn stored(&self, tag: &str, id: u64, answer: &mut Answer) {
        let f = &self.shared.faults;
        if !f.acts(Fault::NoAcks) {
            let shown = if f.acts(Fault::AckWithOtherId) { id.saturating_sub(1) } else { id };
            answer.acks.insert(tag.to_owned(), json!(shown));
        }
    }

    /// A tagged message was refused.
    pub(crate) fn refused_tag(&self, tag: &str, refusal: Refusal, answer: &mut Answer) {
        let f = &self.shared.faults;
        if f.acts(Fault::NoRefused) {
            return;
        }
        if f.acts(Fault::RefusedAcked) {
            answer.acks.insert(tag.to_owned(), json!(1));
            return;
        }
        let Refusal { code, text, wait, until } = refusal;
        if f.acts(Fault::RefusedAsText) {
            answer.refused.insert(tag.to_owned(), json!(text));
            return;
        }
        let mut reason = json!({"CODE": code, "ERROR": text});
        if let Some(reason) = reason.as_object_mut() {
            reason.extend(wait.map(|wait| ("WAIT".to_owned(), json!(wait))));
            reason.extend(until.map(|until| ("UNTIL".to_owned(), json!(until))));
        }
        answer.refused.insert(tag.to_owned(), reason);
    }

    /// Acknowledges tags at once; the messages follow when they are stored.
    pub(crate) async fn promise(&self, tags: &Tags) -> bool {
        let f = &self.shared.faults;
        let early = !tags.list.is_empty() && f.acts(Fault::AckBeforeStored);
        if tags.list.is_empty() || !(early || f.acts(Fault::AckBeforeEcho)) {
            return false;
        }
        let next = self.shared.chat.lock().await.last_id + 1;
        let acks: Map<String, Value> = tags
            .list
            .iter()
            .flatten()
            .zip(next..)
            .map(|(tag, id)| (tag.clone(), json!(id)))
            .collect();
        self.outbox.send(&json!({"ACKS": acks}));
        if early {
            tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        }
        true
    }

    /// Sends what there is to be told of tagged messages, with the error that stands beside it.
    pub(crate) async fn tell(&mut self, answer: Answer, trouble: Option<&'static str>) -> bool {
        let f = self.shared.faults.clone();
        let mut object = Map::new();
        if !answer.acks.is_empty() {
            object.insert("ACKS".into(), Value::Object(answer.acks));
        }
        let beside = !answer.refused.is_empty();
        if beside {
            object.insert("REFUSED".into(), Value::Object(answer.refused));
            if !f.acts(Fault::RefusedWithoutError) {
                object.insert("ERROR".into(), json!(trouble.unwrap_or_default()));
            }
        }
        if !object.is_empty() {
            self.outbox.send(&Value::Object(object));
        }
        match trouble {
            Some(text) if !beside && !text.is_empty() => self.error(text).await,
            _ => true,
        }
    }
}

impl Chat {
    /// The id of a message that came before under this tag.
    pub(crate) fn used(&self, connection: u64, tag: &str, earlier: u64) -> Option<u64> {
        let f = &self.faults;
        let own = &self.member(connection)?.token;
        let sessions = self.sessions.iter();
        let looked_at = sessions.filter(|(token, _)| *token == own || f.acts(Fault::TagsShared));
        let mut used = looked_at.flat_map(|(_, session)| &session.used);
        let (_, id) = used.find(|(used, _)| used == tag)?;
        let in_frame = *id >= earlier && f.acts(Fault::DuplicateInFrame);
        (!in_frame && !f.acts(Fault::DuplicateDelivered)).then_some(*id)
    }

    /// Remembers a tag with the id that it got.
    pub(crate) fn remember(&mut self, connection: u64, tag: &str, id: u64) {
        let f = self.faults.clone();
        let most = if f.has(Fault::TagsForgottenEarly) { 16 } else { 256 };
        let token = self.member(connection).map(|member| member.token.clone());
        let Some(session) = token.and_then(|token| self.sessions.get_mut(&token)) else { return };
        session.used.push_back((tag.to_owned(), id));
        while session.used.len() > most {
            let _ = session.used.pop_front();
            let _ = f.acts(Fault::TagsForgottenEarly);
        }
    }

    /// A frame with a message, for one member.
    pub(crate) fn framed(&self, member: &Member, entry: &Entry) -> Value {
        let f = &self.faults;
        let mut parts = entry.parts.clone();
        if let (Some(tag), false, Some(text)) =
            (&entry.tag, member.agreed.offered(), parts.get_mut(3))
            && f.acts(Fault::TagsShown)
        {
            *text = json!(format!("{} #{tag}", text.as_str().unwrap_or_default()));
        }
        let mut object = Map::new();
        object.insert("MESSAGES".into(), json!([self.spelled(&parts)]));
        let numbered = member.agreed.has("ids") || f.acts(Fault::IdsToEverybody);
        if numbered && !f.acts(Fault::NoIdsLive) {
            let mut id = self.shown_id(entry);
            if let (Some(number), true) = (id.as_u64(), f.acts(Fault::IdsPerReceiver)) {
                id = json!(number + 1_000 * (member.connection % 1_000));
            }
            object.insert("IDS".into(), json!([id]));
            object.insert("TIMES".into(), self.times(&[entry]));
        }
        if let Some(meta) = self.meta_of(member, &[entry]) {
            object.insert("META".into(), meta);
        }
        Value::Object(object)
    }

    /// The ids of a part of the history.
    pub(crate) fn numbers(&self, entries: &[&Entry]) -> Value {
        let f = &self.faults;
        let mut ids: Vec<Value> = entries.iter().map(|entry| self.shown_id(entry)).collect();
        if f.acts(Fault::IdsRenumbered) {
            ids = (1..=entries.len()).map(|n| json!(n + 7)).collect();
        }
        if f.acts(Fault::IdsTooFew) {
            let _ = ids.pop();
        }
        json!(ids)
    }

    fn shown_id(&self, entry: &Entry) -> Value {
        let f = &self.faults;
        if entry.dest() != "ALL" && f.acts(Fault::PrivateWithoutId) {
            return Value::Null;
        }
        let id = if f.acts(Fault::IdsFalling) { 1_000_000 - entry.id } else { entry.id };
        if f.acts(Fault::IdsAsStrings) { json!(id.to_string()) } else { json!(id) }
    }
}
