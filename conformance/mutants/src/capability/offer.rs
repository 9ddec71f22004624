//! Negotiation: takes the offer of a client and answers it.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{
    agreed::Agreed,
    filed::{CHUNK, LARGEST},
    rooms::room::{LONGEST_TOPIC, MOST_MEMBERSHIPS},
};
use crate::{chat::Chat, faults::Faults, session::Session};

impl Session {
    /// The offer in an object; an error where none belongs.
    pub(crate) async fn offer(&mut self, object: &Map<String, Value>) -> Result<Agreed, bool> {
        let f = self.shared.faults.clone();
        let Some(offer) = object.get("CAPABILITIES") else { return Ok(Agreed::default()) };
        let read = Agreed::read(offer, &f);
        if self.name.is_some() {
            if f.acts(Fault::LateOfferIgnored) {
                return Err(true);
            }
            if let (Ok(agreed), true) = (&read, f.acts(Fault::LateOfferTaken)) {
                self.agreed = agreed.clone();
                self.shared.chat.lock().await.agree(self.connection, agreed);
            }
            return Err(self.error("offers come with the name").await);
        }
        if !object.contains_key("USERNAME") {
            if f.acts(Fault::NamelessOfferIgnored) {
                return Err(true);
            }
            self.kept = read.ok().filter(|_| f.acts(Fault::NamelessOfferKept));
            return Err(self.error("an offer needs a name").await);
        }
        match read {
            Ok(agreed) => Ok(agreed),
            Err(text) => {
                if f.acts(Fault::MalformedOfferTakesName) {
                    let name = object.get("USERNAME").unwrap_or(&Value::Null);
                    self.ask(name, Agreed::default(), &Map::new()).await;
                }
                Err(self.error(text).await)
            }
        }
    }
}

impl Chat {
    /// The answer to an offer, in the welcome.
    pub(crate) fn answer_offer(&self, agreed: &Agreed, welcome: &mut Map<String, Value>) {
        let f = &self.faults;
        if !agreed.offered() || f.acts(Fault::OfferUnanswered) {
            return;
        }
        let words = agreed.words(f);
        if !(words.is_empty() && f.acts(Fault::EmptyAnswerLeftOut)) {
            let list = f.acts(Fault::OfferAnsweredByList);
            let answer = if list { words.split(' ').collect() } else { Value::from(words) };
            welcome.insert("CAPABILITIES".into(), answer);
        }
        if !f.acts(Fault::NoLimits) {
            welcome.insert("LIMITS".into(), limits(agreed, f));
        }
    }
}

/// The longest body that is taken, the longest name, and what else has a limit.
fn limits(agreed: &Agreed, f: &Faults) -> Value {
    let (mut frame, mut name) = (crate::inbox::limit(f), longest_name(f));
    if f.acts(Fault::LimitsTooLarge) {
        (frame, name) = (frame + 1024, name + 8);
    }
    if f.acts(Fault::LimitsAsText) {
        return json!({"FRAME": frame.to_string(), "USERNAME": name.to_string()});
    }
    // A character is twelve bytes of JSON at most.
    let mut limits = vec![("FRAME", frame), ("USERNAME", name), ("CONTENT", frame / 16)];
    if agreed.has("files") {
        limits.extend([("FILE", LARGEST), ("CHUNK", CHUNK)]);
    }
    if agreed.has("rooms") {
        limits.extend([("ROOMS", MOST_MEMBERSHIPS), ("TOPIC", LONGEST_TOPIC)]);
    }
    if agreed.has("zstd") {
        limits.push(("INFLATED", frame));
    }
    limits.into_iter().map(|(key, limit)| (key.to_owned(), json!(limit))).collect()
}

/// The longest name, in characters.
pub(crate) fn longest_name(f: &Faults) -> usize {
    if f.has(Fault::LongNamesAccepted) { 64 } else { 32 }
}
