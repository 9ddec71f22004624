//! Reading pages at the end, over connections that count as nobody's.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{frame, line::Line};
use crate::{
    evidence::{Entry, Name, Pages},
    setting::Shared,
};

/// So long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// So many messages are asked for at once.
const PAGE: u64 = 500;

/// All that a reader is told by one node: nothing when the node does not answer.
pub(super) async fn read(
    shared: &Shared,
    line: &mut Line,
    reader: Option<Name>,
    conversations: &BTreeSet<String>,
) -> Option<Pages> {
    let mut entries = Vec::new();
    for with in conversations {
        conversation(shared, line, with, &mut entries).await?;
    }
    Some(Pages { node: line.node, reader, entries })
}

async fn conversation(
    shared: &Shared,
    line: &mut Line,
    with: &str,
    entries: &mut Vec<Entry>,
) -> Option<()> {
    let mut after = 0;
    loop {
        let asked = json!({"HISTORY": {"WITH": with, "AFTER": after, "LIMIT": PAGE}});
        if !line.send(&asked).await {
            return None;
        }
        let page = timeout(ANSWER, async {
            loop {
                if let Some(Value::Object(page)) = line.next().await?.remove("HISTORY") {
                    return Some(page);
                }
            }
        });
        let page = page.await.ok()??;
        let (told, last) = frame::page(&page, shared);
        entries.extend(told);
        let more = page.get("MORE").and_then(Value::as_bool) == Some(true);
        match last {
            Some(last) if more && last > after => after = last,
            _ => return Some(()),
        }
    }
}
