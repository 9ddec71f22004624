//! What a client offers, and what it is answered.

use std::collections::BTreeSet;

use conformance_suite::fault::server::Fault;
use serde_json::{Map, Value, json};

use crate::{chat::Chat, faults::Faults, session::Session};

/// What this server speaks, all of it in version 1.
const KNOWN: [&str; 6] = ["accounts", "commands", "ids", "ping", "rename", "utf8"];

/// What is in force on one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agreed {
    offered: bool,
    answered: BTreeSet<&'static str>,
    in_force: BTreeSet<&'static str>,
}

impl Agreed {
    /// Reads an offer.
    pub(crate) fn read(offer: &Value, f: &Faults) -> Result<Self, &'static str> {
        let Some(text) = offer.as_str() else {
            let ignored = f.acts(Fault::OfferOfWrongTypeIgnored);
            return if ignored { Ok(Self::default()) } else { Err("CAPABILITIES is a string") };
        };
        if text.len() > 1_024 && !f.acts(Fault::OfferLengthUnchecked) {
            return Err("that is a long offer");
        }
        if text.contains("  ") && f.acts(Fault::SpacesInOfferRefused) {
            return Err("one space, please");
        }
        let (mut seen, mut answered) = (BTreeSet::new(), BTreeSet::new());
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let narrow = !word.starts_with(|c: char| c.is_ascii_lowercase());
            if narrow && f.acts(Fault::OfferWordsNarrow) {
                return Err("a name begins with a letter");
            }
            let Some((name, version)) = read_word(word) else {
                if f.acts(Fault::OfferWordsUnchecked) {
                    continue;
                }
                return Err("an offer is made of words like ids/1");
            };
            if !seen.insert(name) && !f.acts(Fault::OfferTwiceTaken) {
                return Err("a capability is offered once");
            }
            match KNOWN.into_iter().find(|known| *known == name) {
                Some(_) if version > 1 && f.acts(Fault::HigherOfferIgnored) => {}
                Some(known) => _ = answered.insert(known),
                None if f.acts(Fault::UnknownOfferRefused) => return Err("what is that?"),
                None => {}
            }
        }
        if f.acts(Fault::NothingAgreed) {
            answered.clear();
        }
        if f.acts(Fault::AgreesToUnoffered) {
            answered.extend(KNOWN);
        }
        let mut in_force = answered.clone();
        if !in_force.is_empty() && f.acts(Fault::AllOrNothing) {
            in_force.extend(KNOWN);
        }
        Ok(Self { offered: true, answered, in_force })
    }

    /// Whether there was an offer.
    pub(crate) const fn offered(&self) -> bool {
        self.offered
    }

    /// Whether a capability is in force.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.in_force.contains(name)
    }

    fn words(&self, f: &Faults) -> String {
        let version = if f.acts(Fault::AgreesAboveOffer) { 2 } else { 1 };
        let words: Vec<_> = self.answered.iter().map(|name| format!("{name}/{version}")).collect();
        words.join(" ")
    }
}

fn read_word(word: &str) -> Option<(&str, u16)> {
    let (name, version) = word.split_once('/')?;
    let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let digits = version.bytes().all(|c| c.is_ascii_digit());
    let version = version.parse().ok().filter(|version| digits && (1..=999).contains(version))?;
    ((1..=32).contains(&name.len()) && name.bytes().all(good)).then_some((name, version))
}

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
        if !agreed.offered || f.acts(Fault::OfferUnanswered) {
            return;
        }
        let words = agreed.words(f);
        if !(words.is_empty() && f.acts(Fault::EmptyAnswerLeftOut)) {
            let list = f.acts(Fault::OfferAnsweredByList);
            let answer = if list { words.split(' ').collect() } else { Value::from(words) };
            welcome.insert("CAPABILITIES".into(), answer);
        }
        if !f.acts(Fault::NoLimits) {
            welcome.insert("LIMITS".into(), limits(f));
        }
    }
}

/// The longest body that is taken, and the longest name.
fn limits(f: &Faults) -> Value {
    let (mut frame, mut name) = (crate::inbox::limit(f), longest_name(f));
    if f.acts(Fault::LimitsTooLarge) {
        (frame, name) = (frame + 1024, name + 8);
    }
    if f.acts(Fault::LimitsAsText) {
        return json!({"FRAME": frame.to_string(), "USERNAME": name.to_string()});
    }
    json!({"FRAME": frame, "USERNAME": name})
}

/// The longest name, in characters.
pub(crate) fn longest_name(f: &Faults) -> usize {
    if f.has(Fault::LongNamesAccepted) { 64 } else { 32 }
}
