//! A chat for tests: with a sequencer, alone, and without sockets.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Arc;

use chatterbox_hub::{Hub, Incarnation, Keep, TimelineLimits};

use crate::chat::shared::Chat;
use crate::chat::{proposals, sequencer};
use crate::order::{Alone, Order};
use crate::store::Store;

/// A chat whose messages are kept in this store.
pub fn chat(store: Arc<dyn Store>) -> Arc<Chat> {
    node(Incarnation(1), store, Arc::new(Alone::default()))
}

/// One node of an order.
pub fn node(node: Incarnation, store: Arc<dyn Store>, order: Arc<dyn Order>) -> Arc<Chat> {
    let (proposals, queue) = proposals::queue();
    let limits = TimelineLimits::default();
    let chat = Arc::new(Chat::new(Hub::new(limits, Keep::default()), proposals));
    let sequencer = sequencer::Sequencer { node, chat: Arc::clone(&chat), store, order };
    tokio::spawn(sequencer.run(queue, limits, std::future::pending()));
    chat
}
