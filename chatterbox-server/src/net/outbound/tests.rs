//! What a writer makes of a welcome, and what it counts, without sockets.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use chatterbox_hub::{Filing, JoinRequest, Record};
use chatterbox_proto::Username;
use chatterbox_proto::session::Destination;

use super::*;
use crate::chat::shared::Chat;
use crate::store::Memory;

#[test]
fn small_pieces_are_put_together_and_large_ones_are_not_copied() {
    let large = Bytes::from(vec![b'x'; SMALL]);
    let small = Bytes::from_static(b"small");
    let pieces = vec![small.clone(), small.clone(), large.clone(), small.clone()];
    let expected = pieces.concat();
    let parts = joined(pieces, false);
    assert_eq!(parts.iter().map(|part| part.bytes.len()).collect::<Vec<_>>(), [10, SMALL, 5]);
    assert_eq!(parts[1].bytes.as_ptr(), large.as_ptr());
    let whole: Vec<u8> = parts.iter().flat_map(|part| part.bytes.to_vec()).collect();
    assert_eq!(whole, expected);
    assert_eq!(parts.iter().map(|part| part.ends_frame).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(joined(vec![small; 10_000], false).len(), 4);
    assert!(joined(vec![], false).is_empty());
}

const LAST: &[u8] = b"the last frame";

async fn join(chat: &Arc<Chat>, name: &str) -> (Seat, Vec<Bytes>) {
    let name = Username::parse(name).unwrap();
    let (seat, welcomed) = Seat::join(chat, JoinRequest::base(&name, "Hi")).await.unwrap();
    (seat, welcomed.welcome)
}

/// Ann's writer before it has written anything, and three messages of bob's that wait for her behind her welcome.
async fn with_three_messages<W: AsyncWrite + Unpin>(writer: W) -> (Arc<Chat>, Seat, Outbound<W>) {
    let chat = crate::chat::opened::chat(Arc::new(Memory::default()));
    let (ann, welcome) = join(&chat, "ann").await;
    let (bob, _) = join(&chat, "bob").await;
    let said = Record {
        source: Username::parse("bob").unwrap(),
        destination: Destination::All,
        json: r#"["bob", "ALL", 1, "hello"]"#.into(),
        arrived: 1,
        filing: Filing::default(),
        meta: None,
    };
    chat.post(bob.handle().id(), vec![said; 3], None, None, None).await.unwrap();
    let stall_timeout = Duration::from_secs(30);
    let outbound = Outbound::new(writer, ann.handle(), stall_timeout, welcome, false, None);
    (chat, ann, outbound)
}

fn counted(chat: &Chat) -> (u32, usize) {
    let totals = chat.traffic().totals();
    (totals.deliveries.try_into().unwrap(), totals.sent.try_into().unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_written_last_counts_as_well() {
    let (chat, ann, mut outbound) = with_three_messages(Vec::new()).await;
    outbound.queue_rest(&ann);
    outbound.push_last(Some(Bytes::from_static(LAST)));
    drop(ann);
    outbound.finish(Duration::from_secs(1)).await;
    let written = String::from_utf8_lossy(&outbound.writer);
    assert!(written.matches("hello").count() == 3 && written.ends_with("the last frame"));
    assert_eq!(counted(&chat), (3, outbound.writer.len()));
}

#[tokio::test(start_paused = true)]
async fn what_is_written_while_a_member_is_here_counts_before_it_goes() {
    let (chat, mut ann, mut outbound) = with_three_messages(Vec::new()).await;
    let context = Context::plain(Arc::clone(&chat));
    let running = outbound.run(&mut ann, &context);
    assert!(tokio::time::timeout(Duration::from_secs(1), running).await.is_err());
    assert_eq!(counted(&chat), (3, outbound.writer.len()));
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_or_did_not_get_through_was_not_delivered() {
    let (chat, ann, mut outbound) = with_three_messages(Vec::new()).await;
    outbound.queue_rest(&ann);
    outbound.replace_pending(Some(Bytes::from_static(LAST)));
    outbound.finish(Duration::from_secs(1)).await;
    assert_eq!(counted(&chat), (0, LAST.len()));

    let (near, _far) = tokio::io::duplex(16);
    let (chat, ann, mut outbound) = with_three_messages(near).await;
    outbound.queue_rest(&ann);
    outbound.finish(Duration::from_secs(1)).await;
    assert_eq!(counted(&chat), (0, 16), "no more than the pipe has taken");
}
