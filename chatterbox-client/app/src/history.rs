//! `/history`: earlier messages, page by page (ID-6).

use std::collections::VecDeque;

use chatterbox_proto::capability::ids::{Id, Page, Query, Side};
use chatterbox_proto::session;
use chatterbox_proto::{WireText, limits};

use crate::effect::{Effect, note};
use crate::output::Output;
use crate::words::plural;

/// The messages of one page, unless the user gives another number.
const SCREENFUL: u16 = 20;

/// The messages of one page that is asked for by scrolling.
pub(crate) const SCROLLED: u16 = 100;

/// The pages that were requested.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// The conversations of the requests that are open, and what for.
    open: VecDeque<(String, Purpose)>,
    /// Whether the next line waits for a page: it may ask for the one before.
    awaited: bool,
    /// The conversation of the last page and where its next page starts, until anything else is typed.
    next: Option<(String, Next)>,
}

/// What a page was requested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The user wants to see it.
    Shown,
    /// It fills a gap.
    Gap,
    /// The user scrolls: it goes above what is on the screen.
    Scrolled,
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

    /// How many of them the user wants to see.
    pub(crate) fn open_shown(&self) -> usize {
        self.open.iter().filter(|(_, purpose)| *purpose == Purpose::Shown).count()
    }

    /// Whether the next line waits for a page.
    pub(crate) fn are_awaited(&self) -> bool {
        self.awaited && self.open.iter().any(|(_, purpose)| *purpose == Purpose::Shown)
    }

    pub(crate) fn stop_waiting(&mut self) {
        self.awaited = false;
    }

    /// Something else was typed: the next page is the newest again.
    pub(crate) fn restart(&mut self) {
        self.next = None;
    }

    /// Carries out `/history [NAME] [N]`; a NAME of digits is typed `@123`. Without a name it is that of the conversation
    /// in front; `spelt` gives the name of a room in its own spelling.
    pub(crate) fn request(
        &mut self,
        arguments: &str,
        joined: bool,
        front: &str,
        spelt: impl Fn(&str) -> Option<String>,
    ) -> Vec<Effect> {
        let mut words = arguments.split_whitespace().peekable();
        let number =
            |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let with = words.next_if(|word| !number(word)).unwrap_or(front);
        let with = with.strip_prefix('@').unwrap_or(with);
        let spelt = spelt(with);
        let with = spelt.as_deref().unwrap_or(with);
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
                self.open.push_back((with.to_owned(), Purpose::Shown));
                self.awaited = true;
                vec![Effect::Send(frame)]
            }
            Err(error) => note(format!("Nothing was asked: {error}.")),
        }
    }

    /// Asks for a page that fills a gap; nothing waits for it.
    pub(crate) fn request_for_gap(&mut self, query: &Query) -> Option<Effect> {
        self.request_quietly(query, Purpose::Gap)
    }

    /// Asks for the page before a message, or the newest one, of a conversation that is scrolled; nothing waits for it.
    pub(crate) fn request_scrolled(&mut self, with: &str, oldest: Option<Id>) -> Option<Effect> {
        let side = oldest.map_or(Side::Newest, Side::Before);
        let query = Query { with: WireText::new(with.to_owned()), side, limit: SCROLLED };
        self.request_quietly(&query, Purpose::Scrolled)
    }

    fn request_quietly(&mut self, query: &Query, purpose: Purpose) -> Option<Effect> {
        let frame = query.to_object().finish().ok()?;
        self.open.push_back((query.with.as_wire().to_owned(), purpose));
        Some(Effect::Send(frame))
    }

    /// A page came; says what it was requested for. What nobody has asked for is shown.
    pub(crate) fn answered(&mut self, page: &Page) -> Purpose {
        let place = self.open.iter().position(|(with, _)| with == page.with.as_wire());
        let request = place.and_then(|place| self.open.remove(place));
        request.map_or(Purpose::Shown, |(_, purpose)| purpose)
    }

    /// A page that is shown: its messages, and the line below them.
    pub(crate) fn shown(
        &mut self,
        page: Page,
        purpose: Purpose,
    ) -> (Vec<session::Message>, Output) {
        let Page { with, messages, more, code } = page;
        let oldest = messages.first().map(|paged| paged.id).filter(|_| more);
        if purpose == Purpose::Shown {
            let next = oldest.map_or(Next::Nothing, Next::Before);
            self.next = Some((with.as_wire().to_owned(), next));
        }
        let messages: Vec<session::Message> = messages.into_iter().map(Into::into).collect();
        let end = Output::Page { with, count: messages.len(), more, code };
        (messages, end)
    }

    /// The server sent an ERROR, which may be the answer to the oldest request: no page is waited for then.
    pub(crate) fn error_received(&mut self) {
        let place = self.open.iter().position(|(_, purpose)| *purpose == Purpose::Shown);
        place.and_then(|place| self.open.remove(place));
    }

    /// The connection is lost, and the pages that were requested on it with it.
    pub(crate) fn forget(&mut self) -> Vec<Effect> {
        self.next = None;
        let shown = self.open_shown();
        self.open.clear();
        // What fills a gap is asked for again on the next connection.
        match shown {
            0 => Vec::new(),
            pages => note(format!("{} of history did not come.", plural(pages, "page"))),
        }
    }
}
