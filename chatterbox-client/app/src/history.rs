//! `/history`: earlier messages, page by page (ID-6).

use std::collections::VecDeque;

use chatterbox_proto::capability::ids::{Id, Page, Query, Side};
use chatterbox_proto::session;
use chatterbox_proto::{ALL, WireText, limits};

use crate::effect::{Effect, note};
use crate::output::Output;
use crate::wording::plural;

/// The messages of one page, unless the user gives another number.
const SCREENFUL: u16 = 20;

/// The pages that were requested.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// The conversations of the requests that are open.
    open: VecDeque<String>,
    /// Whether the next line waits for a page: it may ask for the one before.
    awaited: bool,
    /// The conversation of the last page and where its next page starts, until anything else is typed.
    next: Option<(String, Next)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Before(Id),
    Nothing,
}

impl Pages {
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// Whether the next line waits for a page.
    pub(crate) fn are_awaited(&self) -> bool {
        self.awaited && !self.open.is_empty()
    }

    pub(crate) fn stop_waiting(&mut self) {
        self.awaited = false;
    }

    /// Something else was typed: the next page is the newest again.
    pub(crate) fn restart(&mut self) {
        self.next = None;
    }

    /// Carries out `/history [NAME] [N]`; a NAME of digits is typed `@123`.
    pub(crate) fn request(&mut self, arguments: &str, joined: bool) -> Vec<Effect> {
        let mut words = arguments.split_whitespace().peekable();
        let number =
            |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let with = words.next_if(|word| !number(word)).unwrap_or(ALL);
        let with = with.strip_prefix('@').unwrap_or(with);
        let limit = match words.next() {
            None => Some(SCREENFUL),
            Some(word) => word.parse().ok().filter(|limit| (1..=limits::PAGE).contains(limit)),
        };
        let (Some(limit), None) = (limit, words.next()) else {
            return note(format!("/history [NAME] [N], and N is at most {}.", limits::PAGE));
        };
        if !joined {
            return note("Nothing was asked: the connection is lost.");
        }
        let side = match &self.next {
            Some((same, Next::Before(id))) if same == with => Side::Before(*id),
            Some((same, Next::Nothing)) if same == with => {
                return note("There is nothing before that.");
            }
            _ => Side::Newest,
        };
        let query = Query { with: WireText::new(with.to_owned()), side, limit };
        match query.to_object().finish() {
            Ok(frame) => {
                self.open.push_back(with.to_owned());
                self.awaited = true;
                vec![Effect::Send(frame)]
            }
            Err(error) => note(format!("Nothing was asked: {error}.")),
        }
    }

    /// A page came: its messages, and the line below them.
    pub(crate) fn received(&mut self, page: Page) -> (Vec<session::Message>, Output) {
        let Page { with, messages, more } = page;
        let place = self.open.iter().position(|requested| requested == with.as_wire());
        if let Some(place) = place {
            self.open.remove(place);
        }
        let oldest = messages.first().map(|(id, _)| *id).filter(|_| more);
        self.next = Some((with.as_wire().to_owned(), oldest.map_or(Next::Nothing, Next::Before)));
        let messages: Vec<_> = messages
            .into_iter()
            .map(|(id, entry)| session::Message::numbered(entry, Some(id)))
            .collect();
        let end = Output::Page { with, count: messages.len(), more };
        (messages, end)
    }

    /// The server sent an ERROR, which may be the answer to the oldest request: no page is waited for then.
    pub(crate) fn error_received(&mut self) {
        self.open.pop_front();
    }

    /// The connection is lost, and the pages that were requested on it with it.
    pub(crate) fn forget(&mut self) -> Vec<Effect> {
        self.next = None;
        match std::mem::take(&mut self.open).len() {
            0 => Vec::new(),
            pages => note(format!("{} of history did not come.", plural(pages, "page"))),
        }
    }
}
