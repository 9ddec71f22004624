//! Reading pages at the end, over connections that count as nobody's.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{frame, habits::OFFER, line::Line};
use crate::{
    evidence::{Name, Pages},
    setting::Shared,
};

/// So long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// So many messages are asked for at once.
const PAGE: u64 = 500;
/// So often a node is asked for its pages, and so long is waited between two times.
const READINGS: u32 = 60;
const AGAIN: Duration = Duration::from_millis(300);

/// Whose pages are read.
pub(crate) struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) name: Name,
    /// The session that goes on, and the newest message that it has.
    pub(super) session: Option<(String, u64)>,
    /// With whom the reader has talked.
    pub(super) partners: BTreeSet<Name>,
    /// Whether the pages of the lobby and the rooms are read as well.
    pub(super) public: bool,
}

impl Reader {
    /// Reads all pages of every node.
    pub(super) async fn read(self) -> Vec<Pages> {
        let names = self.partners.iter();
        let names = names.filter_map(|name| self.shared.names.get(usize::from(*name)).cloned());
        let own: BTreeSet<String> = names.collect();
        let mut all: BTreeSet<String> = self.shared.setting.rooms.iter().cloned().collect();
        all.insert("ALL".to_owned());
        let mut read = Vec::new();
        for node in 0..u16::try_from(self.shared.nodes.len()).unwrap_or(u16::MAX) {
            for _ in 0..READINGS {
                if let Some(pages) = self.read_node(node, &own, &all).await {
                    read.extend(pages);
                    break;
                }
                sleep(AGAIN).await;
            }
        }
        read
    }

    async fn read_node(
        &self,
        node: u16,
        own: &BTreeSet<String>,
        all: &BTreeSet<String>,
    ) -> Option<Vec<Pages>> {
        let mut line = self.join(node).await?;
        let mut read = vec![pages(&self.shared, &mut line, Some(self.name), own).await?];
        if self.public {
            read.push(pages(&self.shared, &mut line, None, all).await?);
        }
        line.close().await;
        Some(read)
    }

    /// Joins at a node, with the session where there is one: it takes the place of the connection before.
    async fn join(&self, node: u16) -> Option<Line> {
        let name = self.shared.names.get(usize::from(self.name))?;
        let mut line = Line::open(&self.shared, node, self.name).await?;
        let mut login = json!({"USERNAME": name, "CAPABILITIES": OFFER, "RECENT": 1});
        if let (Some((token, newest)), Some(login)) = (&self.session, login.as_object_mut()) {
            login.insert("RESUME".into(), json!({"TOKEN": token, "AFTER": newest}));
        }
        line.send(&login).await.ok()?;
        let welcome = timeout(ANSWER, line.next()).await.ok()??;
        frame::is_welcome(&welcome).then_some(line)
    }
}

/// All that a reader is told by one node: nothing when the node does not answer.
async fn pages(
    shared: &Shared,
    line: &mut Line,
    reader: Option<Name>,
    conversations: &BTreeSet<String>,
) -> Option<Pages> {
    let mut pages = Pages { node: line.node, reader, ..Pages::default() };
    for with in conversations {
        conversation(shared, line, with, &mut pages).await?;
    }
    Some(pages)
}

async fn conversation(
    shared: &Shared,
    line: &mut Line,
    with: &str,
    pages: &mut Pages,
) -> Option<()> {
    let mut after = shared.setting.from;
    loop {
        let asked = json!({"HISTORY": {"WITH": with, "AFTER": after, "LIMIT": PAGE}});
        line.send(&asked).await.ok()?;
        let page = timeout(ANSWER, async {
            loop {
                if let Some(Value::Object(page)) = line.next().await?.remove("HISTORY") {
                    return Some(page);
                }
            }
        });
        let page = page.await.ok()??;
        let frame::Page { entries, older, last } = frame::page(&page, shared);
        pages.entries.extend(entries);
        pages.older.extend(older);
        let more = page.get("MORE").and_then(Value::as_bool) == Some(true);
        match last {
            Some(last) if more && last > after => after = last,
            _ => return Some(()),
        }
    }
}
