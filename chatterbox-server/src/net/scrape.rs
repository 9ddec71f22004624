//! The text of the metrics: who may have it, and how often it is made.

#![allow(clippy::disallowed_methods, reason = "the edge: reads the clock")]

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The text is made once in this time at most: whoever asks earlier gets the one before, so nobody takes the locks of the chat as often
/// as they like.
const EVERY: Duration = Duration::from_secs(1);

/// The text of the metrics.
pub(crate) struct Scrape {
    make: Box<dyn Fn() -> String + Send + Sync>,
    is_for_all: bool,
    /// The last text, and when it was made. Whoever asks while another one is made waits as a task: each would take a thread of the
    /// server otherwise.
    last: Mutex<Option<(Instant, Bytes)>>,
}

impl Scrape {
    /// What `make` makes: for who is on this machine, or for all who can ask.
    pub(crate) fn new(is_for_all: bool, make: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { make: Box::new(make), is_for_all, last: Mutex::default() }
    }

    /// The text for whoever asks from this address, if it may have it.
    pub(crate) async fn for_peer(&self, peer: IpAddr) -> Option<Bytes> {
        let is_allowed = self.is_for_all || peer.to_canonical().is_loopback();
        if is_allowed { Some(self.text().await) } else { None }
    }

    async fn text(&self) -> Bytes {
        let mut last = self.last.lock().await;
        let now = Instant::now();
        if let Some((made, text)) = &*last
            && now - *made < EVERY
        {
            return text.clone();
        }
        let text = Bytes::from((self.make)());
        *last = Some((now, text.clone()));
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_text_is_made_once_a_second_at_most() {
        let made = AtomicUsize::new(0);
        let make = move || format!("{}", made.fetch_add(1, Ordering::Relaxed));
        let scrape = Scrape::new(false, make);
        let text = || async { scrape.for_peer(ip("127.0.0.1")).await.unwrap() };
        for _ in 0..100 {
            assert_eq!(text().await, "0");
        }
        tokio::time::advance(EVERY).await;
        assert_eq!((text().await, text().await), ("1".into(), "1".into()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_while_it_is_made_holds_no_thread() {
        let scrape = Scrape::new(false, || "a 1\n".to_owned());
        let making = scrape.last.lock().await;
        let asked = tokio::time::timeout(EVERY, scrape.for_peer(ip("127.0.0.1"))).await;
        assert!(asked.is_err(), "it waits, and time goes on");
        drop(making);
        assert_eq!(scrape.for_peer(ip("127.0.0.1")).await.unwrap(), "a 1\n");
    }

    #[tokio::test]
    async fn the_text_is_for_this_machine_unless_it_is_wanted_elsewhere() {
        let scrape = Scrape::new(false, || "a 1\n".to_owned());
        for here in ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"] {
            assert!(scrape.for_peer(ip(here)).await.is_some(), "{here}");
        }
        let others = ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::", "0.0.0.0", "fe80::1"];
        for other in others {
            assert_eq!(scrape.for_peer(ip(other)).await, None, "{other}");
        }
        let scrape = Scrape::new(true, || "a 1\n".to_owned());
        for other in others {
            assert!(scrape.for_peer(ip(other)).await.is_some(), "{other}");
        }
    }
}
