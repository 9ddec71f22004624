//! The questions that cases ask of a frame beyond the base protocol. They are strict: who speaks a capability speaks it as
//! the page says.

use serde_json::{Map, Value};

use super::{frame::Frame, message::Message};

const MOST: u64 = (1 << 53) - 1;

/// A message with its id; `None` for what is no part of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    /// The message.
    pub message: Message,
    /// Its id.
    pub id: Option<u64>,
}

impl Frame {
    /// The agreed capabilities, as they were written.
    #[must_use]
    pub fn capabilities(&self) -> Option<&str> {
        self.key("CAPABILITIES")?.as_str()
    }

    /// Whether a capability stands in what was agreed.
    #[must_use]
    pub fn agrees_to(&self, name: &str) -> bool {
        let words = self.capabilities().unwrap_or_default().split(' ');
        words.filter_map(|word| word.split_once('/')).any(|(agreed, _)| agreed == name)
    }

    /// The messages of this frame with their ids; `Err` says why they can't be had.
    ///
    /// # Errors
    /// When there are messages and `IDS` is not what `ID-1` says.
    pub fn numbered(&self) -> Result<Vec<Numbered>, String> {
        self.object().map_or(Ok(Vec::new()), numbered)
    }

    /// The id that a tag got.
    #[must_use]
    pub fn ack(&self, tag: &str) -> Option<u64> {
        self.key("ACKS")?.get(tag)?.as_u64()
    }

    /// Why a tag was refused.
    #[must_use]
    pub fn refusal(&self, tag: &str) -> Option<&Value> {
        self.key("REFUSED")?.get(tag)
    }
}

/// The messages of an object (a frame, or a page of the history) with their ids.
///
/// # Errors
/// When there are messages and `IDS` is not what `ID-1` says.
pub fn numbered(object: &Map<String, Value>) -> Result<Vec<Numbered>, String> {
    let Some(messages) = object.get("MESSAGES").and_then(Value::as_array) else {
        return Ok(Vec::new());
    };
    let ids = match object.get("IDS") {
        Some(Value::Array(ids)) => ids,
        Some(_) => return Err("IDS is no list".to_owned()),
        None => return Err("MESSAGES without IDS".to_owned()),
    };
    if ids.len() != messages.len() {
        return Err(format!("{} messages with {} ids", messages.len(), ids.len()));
    }
    let mut both = Vec::new();
    for (message, id) in messages.iter().zip(ids) {
        let id = match id {
            Value::Null => None,
            other => match other.as_u64().filter(|id| (1..=MOST).contains(id)) {
                Some(id) => Some(id),
                None => return Err(format!("{other} is no id")),
            },
        };
        both.extend(Message::read(message).map(|message| Numbered { message, id }));
    }
    Ok(both)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::decoder::Body;

    fn frame(text: &str) -> Frame {
        let body = Body { bytes: text.as_bytes().to_vec(), complaint: None };
        Frame::read(Duration::ZERO, body)
    }

    #[test]
    fn ids_stand_beside_messages() {
        let good =
            frame(r#"{"MESSAGES": [["a","ALL",1,"x"],["S","ALL",1,"y"]], "IDS": [7, null]}"#);
        let ids: Vec<_> = good.numbered().unwrap().iter().map(|n| n.id).collect();
        assert_eq!(ids, [Some(7), None]);
        assert_eq!(frame(r#"{"INFO": "x"}"#).numbered(), Ok(Vec::new()));
        for bad in ["", r#", "IDS": 7"#, r#", "IDS": []"#, r#", "IDS": ["7"]"#, r#", "IDS": [0]"#] {
            let bad = format!(r#"{{"MESSAGES": [["a","ALL",1,"x"]]{bad}}}"#);
            assert!(frame(&bad).numbered().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_agreement_is_read() {
        let answer = frame(r#"{"USERNAME_ACCEPTED": true, "CAPABILITIES": "ids/1 ping/1"}"#);
        assert!(answer.agrees_to("ids") && answer.agrees_to("ping") && !answer.agrees_to("id"));
        assert!(!frame(r#"{"CAPABILITIES": ["ids/1"]}"#).agrees_to("ids"));
    }
}
