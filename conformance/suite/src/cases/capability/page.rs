//! A page of the history, as the cases about paging ask for it.

use conformance_kit::wire::{
    extended::{Numbered, numbered},
    frame::Frame,
};
use serde_json::{Value, json};

use crate::{server::peer::Peer, verdict::Verdict};

/// The answer to HISTORY.
pub(super) struct Page {
    pub(super) messages: Vec<Numbered>,
    pub(super) more: bool,
    /// Why there is nothing in it, where it says so.
    pub(super) code: Option<String>,
    /// The answer, escaped and cut.
    pub(super) shown: String,
}

impl Page {
    pub(super) fn contents(&self) -> Vec<&str> {
        self.messages.iter().map(|one| one.message.content.as_str()).collect()
    }

    pub(super) fn ids(&self) -> Vec<u64> {
        self.messages.iter().filter_map(|one| one.id).collect()
    }
}

/// Asks for a page.
pub(super) async fn ask(peer: &mut Peer, asked: &Value) -> Result<Page, Verdict> {
    let since = peer.mark();
    peer.send(&json!({"HISTORY": asked})).await;
    let expected = format!(
        "{{\"HISTORY\": {{WITH as asked, MESSAGES, IDS, MORE}}}} for {}",
        conformance_kit::escape::shorten(&asked.to_string(), 100)
    );
    let answer = peer.find(since, |frame: &Frame| {
        let page = frame.key("HISTORY").cloned();
        (page.is_some() || frame.error().is_some()).then_some(page)
    });
    let page = match answer.await {
        Some(Some(page)) => page,
        Some(None) => return Err(Verdict::fail(expected, peer.heard(since))),
        None => return Err(Verdict::missing(expected, peer.heard(since))),
    };
    let shown = conformance_kit::escape::shorten(&page.to_string(), 300);
    let code = page.get("CODE").and_then(Value::as_str).map(str::to_owned);
    let more = page.get("MORE").and_then(Value::as_bool);
    let messages = page.as_object().map_or_else(|| Err("no object".to_owned()), numbered);
    let complete = page.get("WITH") == asked.get("WITH")
        && page.get("MESSAGES").is_some_and(Value::is_array)
        && page.get("IDS").is_some_and(Value::is_array);
    match (messages, more) {
        (Ok(messages), Some(more)) if complete => Ok(Page { messages, more, code, shown }),
        (Err(why), _) => Err(Verdict::fail(expected, format!("{why}: {shown}"))),
        _ => Err(Verdict::fail(expected, shown)),
    }
}
