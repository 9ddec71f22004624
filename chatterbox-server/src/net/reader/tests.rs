//! What a reader posts, and how it ends, without sockets.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::future::poll_fn;
use std::sync::Arc;

use chatterbox_hub::{Delivery, JoinRequest, Proposal, Rename};
use chatterbox_proto::session::JoiningSession;
use chatterbox_proto::{Capabilities, Faults, Username, frame, limits};

use super::*;
use crate::chat::handle::Seat;
use crate::chat::shared::Chat;
use crate::net::poll_on_wake::PollOnWake;
use crate::net::requests::Requests;
use crate::store::failing::FailingStore;

/// A chat whose messages are stored, and the store, which counts those of each post: one sender has one post in flight.
fn chat() -> (Arc<Chat>, Arc<FailingStore>) {
    let store = Arc::new(FailingStore::default());
    (crate::chat::opened::chat(Arc::clone(&store) as _), store)
}

async fn join(chat: &Arc<Chat>, name: &str) -> Seat {
    let name = Username::parse(name).unwrap();
    Seat::join(chat, JoinRequest::base(&name, "Hi")).await.unwrap().0
}

/// Takes whatever there is for a member, at once.
async fn read_all(seat: Seat) {
    loop {
        seat.pending().await;
        while let Delivery::Frames { more: true, .. } = seat.take() {}
    }
}

fn reader<'a>(member: &Handle, input: &'a [u8], first: Option<Bytes>) -> Reader<&'a [u8]> {
    let joining = JoiningSession::new(limits::USERNAME_CHARS, Capabilities::NONE);
    reader_of(&joining, member, input, first)
}

fn reader_of<'a>(
    joining: &JoiningSession,
    member: &Handle,
    input: &'a [u8],
    first: Option<Bytes>,
) -> Reader<&'a [u8]> {
    let frames = Arc::default();
    let here = std::net::Ipv4Addr::LOCALHOST.into();
    Reader {
        rename_requests: None,
        reader: input,
        decoder: Decoder::new(limits::CLIENT_FRAME),
        end: None,
        session: joining.accepted(member.name().unwrap(), None).0,
        inbound: Inbound::new(member.clone(), None, None),
        long_frame: LongFrame::new(frames, here, Duration::from_secs(120)),
        first: first.map(Box::new),
        pace: Some(Box::new(InputPace::new(here))),
    }
}

/// The posts of ann when she sends this, and others read.
async fn posts_of(first: Option<Bytes>, input: &[u8]) -> Vec<usize> {
    let (chat, store) = chat();
    let context = Context::plain(Arc::clone(&chat));
    let (ann, bob) = (join(&chat, "ann").await, join(&chat, "bob").await);
    let member = ann.handle();
    tokio::spawn(read_all(ann));
    tokio::spawn(read_all(bob));
    let end = reader(&member, input, first).run(&context).await;
    assert!(matches!(end, End::Closed));
    store.groups.lock().unwrap().clone()
}

fn messages(count: usize, to: &str, text: &str) -> Vec<u8> {
    let all = vec![format!(r#"["ann","{to}",1,"{text}"]"#); count].join(",");
    format!(r#"{{"MESSAGES":[{all}]}}"#).into_bytes()
}

#[tokio::test(start_paused = true)]
async fn several_frames_make_one_post_unless_one_has_many_messages() {
    for length in [10, 450, 1_000] {
        let one = frame::encode(&messages(1, "ALL", &"x".repeat(length))).unwrap();
        let posts = posts_of(None, &one.repeat(640)).await;
        assert_eq!(posts.iter().sum::<usize>(), 640);
        // As many as come with one read, or with what is read ahead.
        let by_reads = 640 * one.len() / READ_AHEAD + 1;
        assert!(posts.len() <= by_reads + 640 / 32, "{length}: {posts:?}");
    }
    let many = frame::encode(&messages(70, "ALL", "x")).unwrap();
    let one = frame::encode(&messages(1, "ALL", "x")).unwrap();
    let posts = posts_of(None, &[&one[..], &many, &one].concat()).await;
    assert_eq!(posts, [1, 32, 32, 6, 1]);
}

#[tokio::test]
async fn nobody_waits_for_a_member_whose_long_frame_is_read() {
    let (chat, _) = chat();
    let context = Context::plain(Arc::clone(&chat));
    let ann = join(&chat, "ann").await;
    let mut reader = reader(&ann.handle(), &[], None);
    for (length, is_over) in [(LONG_WORK, false), (LONG_WORK + 1, true)] {
        ann.pending().await;
        reader.frame(&vec![b' '; length].into(), &context).await;
        // It is not woken where it looks anyway.
        chat.notifier().notify_all();
        assert_eq!(chat.notifier().all_have_looked(), is_over, "{length}");
        let work = || chat.notifier().all_have_looked();
        let meanwhile = context.long_work.for_reader(&ann.handle(), length, work).await;
        assert_eq!(meanwhile, is_over, "{length}");
    }
    let looking = ann.pending();
    tokio::time::timeout(Duration::from_secs(60), looking).await.expect("it looks afterwards");
}

#[tokio::test(start_paused = true)]
async fn what_came_together_with_the_name_counts_as_received() {
    let (chat, _) = chat();
    let context = Context::plain(Arc::clone(&chat));
    let (ann, one) = (join(&chat, "ann").await, messages(1, "ALL", "x"));
    let member = ann.handle();
    tokio::spawn(read_all(ann));
    let frame = frame::encode(&one).unwrap();
    let mut reader = reader(&member, &frame[5..], Some(one.into()));
    reader.decoder.push(&[&frame[..], &frame[..5]].concat());
    assert!(matches!(reader.run(&context).await, End::Closed));
    assert_eq!(chat.traffic().totals().received, 3 * frame.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn the_messages_beside_a_name_take_their_recipients_room_a_few_at_a_time() {
    // Twice as many as a recipient has room for.
    let mut body = messages(2_000, "bob", "x");
    body.pop();
    body.extend(br#","USERNAME":"ann"}"#);
    assert!(body.len() <= limits::JOINING_FRAME);
    let said = frame::encode(&messages(1, "ALL", "then this")).unwrap();
    let posts = posts_of(Some(body.into()), &said).await;
    assert_eq!(posts.iter().sum::<usize>(), 2_001, "{posts:?}");
    assert!(posts.iter().all(|post| *post <= 32) && posts.last() == Some(&1), "{posts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_long_messages_is_slowed_down() {
    const MIB: usize = 1024 * 1024;
    let start = tokio::time::Instant::now();
    let flood = frame::encode(&messages(1, "ALL", &"x".repeat(MIB))).unwrap().repeat(28);
    assert_eq!(posts_of(None, &flood).await.len(), 28);
    // 8 MiB a second, half a second ahead, and nothing is waited for behind the last one.
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(2_700) && took < Duration::from_secs(4), "{took:?}");
    let start = tokio::time::Instant::now();
    posts_of(None, &flood[..4 * (MIB + 100)]).await;
    assert!(start.elapsed() < Duration::from_millis(100), "a few of them are not");
}

/// How often a reader is polled for this input, as it is by a connection. Each further poll is one for which it was woken.
async fn polls_for(input: &[u8]) -> usize {
    let (chat, _) = chat();
    let context = Context::plain(Arc::clone(&chat));
    let ann = join(&chat, "ann").await;
    let mut reader = reader(&ann.handle(), input, None);
    let mut running = pin!(reader.run(&context));
    let mut polls = 0;
    let mut counted = pin!(poll_fn(|task| {
        polls += 1;
        running.as_mut().poll(task)
    }));
    let end = PollOnWake::new(counted.as_mut()).await;
    assert!(matches!(end, End::Closed));
    polls
}

#[tokio::test(start_paused = true)]
async fn a_flood_that_is_not_answered_lets_others_have_their_turns() {
    const FRAMES: usize = 10_000;
    let empty = frame::encode(br#"{"MESSAGES":[]}"#).unwrap();
    let polls = polls_for(&empty.repeat(FRAMES)).await;
    assert!(polls > FRAMES / TURN as usize, "{polls}");
    // Longer ones take more of a turn.
    let mut long = br#"{"MESSAGES":[]}"#.to_vec();
    long.resize(16 * 1024, b' ');
    let polls = polls_for(&frame::encode(&long).unwrap().repeat(100)).await;
    assert!(polls > 100 / 2, "{polls}");
    assert_eq!((turn_of(0), turn_of(TURN_PIECE), turn_of(usize::MAX)), (1, 2, TURN));
    assert_eq!(polls_for(&empty.repeat(10)).await, 1, "a few frames are one turn");
}

fn take_all(seat: &Seat) -> bool {
    let mut taken = false;
    loop {
        match seat.take() {
            Delivery::Frames { .. } => taken = true,
            _ => return taken,
        }
    }
}

/// Queues answers for a member that has closed its half, and reads them this often. Says how long it took, and whether the
/// member is still answered.
async fn answered(count: usize, every: Duration) -> (Duration, bool) {
    let (chat, _) = chat();
    let ann = join(&chat, "ann").await;
    let member = ann.handle();
    let answers = async {
        for _ in 0..count {
            let answer = chatterbox_hub::Event::error(&"x".repeat(1_000));
            member.tell_when_read(answer).await;
        }
    };
    let reads = async {
        loop {
            tokio::time::sleep(every).await;
            take_all(&ann);
        }
    };
    let start = tokio::time::Instant::now();
    let (mut input, mut decoder, mut end) = (&[][..], Decoder::new(1), None);
    tokio::select! {
        () = while_reading_ahead(answers, &member, &mut input, &mut decoder, &mut end) => {}
        () = reads => {}
    }
    assert!(matches!(end, Some(End::Closed)));
    take_all(&ann);
    member.tell_error("more");
    (start.elapsed(), take_all(&ann))
}

#[tokio::test(start_paused = true)]
async fn who_closes_one_half_and_reads_gets_all_answers() {
    let (took, is_answered) = answered(2_000, Duration::from_secs(4)).await;
    assert!(is_answered, "not muted");
    // There were more than one that does not read is waited for.
    assert!(took > 2 * LOOKS * STILL_READING, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn who_closes_one_half_and_reads_nothing_is_not_waited_for() {
    let (took, is_answered) = answered(2_000, Duration::MAX).await;
    assert!(!is_answered, "muted");
    assert_eq!(took, LOOKS * STILL_READING);
}

#[tokio::test(start_paused = true)]
async fn a_compressed_frame_counts_as_what_it_stands_for() {
    let (chat, _store) = chat();
    let context = Context::plain(Arc::clone(&chat));
    let ann = join(&chat, "ann").await;
    let member = ann.handle();
    tokio::spawn(read_all(ann));
    let mut joining =
        JoiningSession::new(limits::USERNAME_CHARS, Capabilities::NONE.with(Capability::Zstd));
    let offer = Bytes::from_static(br#"{"USERNAME": "ann", "CAPABILITIES": "zstd/1"}"#);
    drop(joining.receive(ClientFrame::parse(&offer)));
    let mut reader = reader_of(&joining, &member, &[], None);
    assert!(reader.session.agreed().has(Capability::Zstd));
    let mut plain = messages(1, "ALL", "x");
    plain.resize(3 << 20, b' ');
    let frame = context.compressing.codec.compressed(&plain).unwrap();
    let body = frame.slice(4..);
    assert_eq!(reader.compressed_frame(&body, &context).await, plain.len());
    assert!(reader.inbound.faults.is_empty());
    // It takes from the budget of long frames of its site, too.
    let here = std::net::Ipv4Addr::LOCALHOST.into();
    let room = Arc::default();
    reader.long_frame = LongFrame::new(Arc::clone(&room), here, Duration::from_secs(120));
    let mut other = LongFrame::new(Arc::clone(&room), here, Duration::from_secs(120));
    other.holds(15 << 20).unwrap();
    assert_eq!(reader.compressed_frame(&body, &context).await, body.len());
    let fault = reader.inbound.faults.text();
    assert!(fault.contains("too many long frames"), "{fault}");
    drop(other);
    reader.inbound.faults = Faults::new();
    assert_eq!(reader.compressed_frame(&body, &context).await, plain.len());
    // That is given back when the frame has been worked off, and not before it is inflated.
    let mut other = LongFrame::new(room, here, Duration::from_secs(120));
    assert!(other.holds(15 << 20).is_err());
    reader.long_frame.holds(0).unwrap();
    other.holds(15 << 20).unwrap();
    drop(other);
    // What is refused counts as it came.
    let bomb = context.compressing.codec.compressed(&vec![b' '; 5 << 20]).unwrap().slice(4..);
    assert_eq!(reader.compressed_frame(&bomb, &context).await, bomb.len());
    assert!(reader.inbound.faults.text().contains("ZS-2"));
    // One that turns out to be longer than it says has been inflated until then.
    reader.inbound.faults = Faults::new();
    let words = "what is said here again and again; ".bytes().cycle().take(1 << 20);
    let frame = context.compressing.codec.compressed(&words.collect::<Vec<_>>()).unwrap();
    let mut body = frame[4..].to_vec();
    assert_eq!(body[4] >> 6, 2, "its size has four bytes");
    let at = if body[4] & 0x20 == 0 { 6 } else { 5 };
    let says = (1_u32 << 20) - 1;
    assert_eq!(body[at..at + 4], (1_u32 << 20).to_le_bytes());
    body[at..at + 4].copy_from_slice(&says.to_le_bytes());
    assert_eq!(reader.compressed_frame(&body.into(), &context).await, says as usize);
    assert!(reader.inbound.faults.text().contains("ZS-2"));
}

/// Gives a member another name, as another device of its user does.
async fn rename(chat: &Chat, by: &Handle, text: &str) {
    let rename = Rename {
        name: Username::parse(text).unwrap(),
        owns: false,
        blocked_by: Vec::new(),
        now: 0,
    };
    chat.change(Proposal::Rename(by.id(), rename)).await.unwrap();
}

/// Whether a message under a name is taken: it is posted then.
async fn takes(
    reader: &mut Reader<&[u8]>,
    context: &Context,
    store: &FailingStore,
    source: &str,
) -> bool {
    let posts = || store.groups.lock().unwrap().len();
    let before = posts();
    let body = format!(r#"{{"MESSAGES":[["{source}","ALL",1,"x"]]}}"#);
    reader.frame(&Bytes::from(body), context).await;
    reader.deliver().await;
    posts() > before
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_changed_while_its_member_came_in_is_known_to_its_reader() {
    let (chat, store) = chat();
    let context = Context::plain(Arc::clone(&chat));
    let ann = join(&chat, "ann").await;
    let member = ann.handle();
    tokio::spawn(read_all(ann));
    let mut reader = reader(&member, &[], None);
    // A change between the join and the subscription is told to nobody, so the reader looks once by itself.
    let looked = member.take_new_name();
    assert_eq!(looked.map(|name| name.as_str().to_owned()).as_deref(), Some("ann"));
    assert!(member.take_new_name().is_none());
    assert!(!takes(&mut reader, &context, &store, "annie").await);
    rename(&chat, &member, "annie").await;
    assert!(takes(&mut reader, &context, &store, "annie").await);
}

#[tokio::test(start_paused = true)]
async fn who_reads_of_no_changes_of_name_goes_on_as_it_has_joined_however_many_there_are() {
    let (chat, store) = chat();
    let context = Context::plain(Arc::clone(&chat));
    let ann = join(&chat, "ann").await;
    let member = ann.handle();
    tokio::spawn(read_all(ann));
    let mut reader = reader(&member, &[], None);
    let accounts = Arc::clone(&context.access.authenticator);
    let requests = Requests::new(None, Arc::clone(&context.pages), accounts);
    reader.inbound = Inbound::new(member.clone(), Some(Box::new(requests)), None);
    for number in 0..20 {
        let name = format!("ann{number}");
        rename(&chat, &member, &name).await;
        assert!(takes(&mut reader, &context, &store, &name).await);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(takes(&mut reader, &context, &store, "ann").await, "{number}");
    }
    // It is the first name that is kept, and others for a moment.
    assert!(!takes(&mut reader, &context, &store, "ann0").await);
    rename(&chat, &member, "ann").await;
    assert!(takes(&mut reader, &context, &store, "ann").await);
    assert!(takes(&mut reader, &context, &store, "ann19").await);
}
