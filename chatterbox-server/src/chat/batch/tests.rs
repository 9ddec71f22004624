//! How large groups of several nodes are, whatever they are made of.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Arc;

use chatterbox_hub::{
    AccountChange, AccountChangeKind, AccountKey, Amendment, Audience, BlockLists, Filing,
    Identity, Incarnation, Join, LoggedIn, MemberId, Moderation, ModerationAct, Party, Record,
    Rename, RoomActor, RoomChange, RoomNumber, RoomSetting, Secrets, Sender, StoreCommand, Tell,
    Tick, Up, Verifier, Whom,
};
use chatterbox_proto::Username;
use chatterbox_proto::session::Destination;
use proptest::prelude::*;
use tokio::sync::Semaphore;

use super::*;
use crate::chat::proposals::queue;

/// The bound of these tests, in place of 2 MiB.
const MOST: usize = 20_000;

/// What a group has beside its proposals.
const HEAD: usize = 32;

fn name(bytes: usize) -> Username {
    Username::stored(&"n".repeat(bytes))
}

fn text(bytes: usize) -> Arc<str> {
    "t".repeat(bytes).into()
}

fn record(bytes: usize) -> Record {
    Record {
        source: name(32),
        destination: Destination::User(name(32)),
        json: vec![b'j'; bytes].into(),
        arrived: i64::MAX,
        filing: Filing {
            sender: Sender { number: i64::MIN, origin: Some(i64::MIN) },
            from: Some(Party::Guest(name(32))),
            to: Some(Party::Guest(name(32))),
        },
        meta: None,
    }
}

fn names(bytes: usize) -> Vec<Username> {
    (0..bytes / 10).map(|_| name(9)).collect()
}

fn join(bytes: usize) -> Join {
    let identity = Identity { away: Some(text(bytes / 2)), ..Identity::guest(name(32)) };
    let blocked_by: Vec<_> = names(bytes / 4).into_iter().map(|name| (i64::MAX, name)).collect();
    let lists = Arc::new(BlockLists::new(names(bytes / 4), blocked_by));
    Join { identity, lists, resume: None, verifier: Verifier::of(u128::MAX), hold: u64::MAX }
}

/// One of every kind, which has about so many bytes.
fn proposal(kind: usize, bytes: usize, member: MemberId) -> Proposal {
    let wish = |change| RoomWish { by: RoomActor::Member(member), change, now: i64::MAX };
    let moderation = |act| Moderation {
        by: text(32),
        level: None,
        now: i64::MAX,
        silent: false,
        written: Some(StoreCommand(vec![0xff; bytes / 2].into())),
        act,
    };
    let account = AccountKey { id: i64::MAX, epoch: i64::MAX };
    match kind {
        0 => Proposal::Up(Up { name: (*text(bytes)).into(), ..Up::default() }),
        1 => Proposal::Tick(Tick {
            place: u64::MAX,
            read: u64::MAX,
            state: Some((u64::MAX, 0)),
            stores: Some((u64::MAX, u64::MAX)),
        }),
        2 => Proposal::Down(Incarnation(u64::MAX)),
        3 => Proposal::Join(Box::new(join(bytes))),
        4 => Proposal::Leave(member),
        5 => {
            let blocked_by = names(bytes).into_iter().map(|name| (i64::MAX, name)).collect();
            Proposal::Rename(
                member,
                Rename { name: name(32), owns: true, blocked_by, now: i64::MAX },
            )
        }
        6 => Proposal::Say(Say { member, number: 0, tag: Some(text(64)), record: record(bytes) }),
        7 => {
            let topic = RoomChange::Set(RoomNumber(u64::MAX), RoomSetting::Topic(text(bytes)));
            Proposal::Room(Box::new(wish(topic)), 0)
        }
        8 => Proposal::SetBlocked(member, names(bytes)),
        9 => {
            let login = LoggedIn { account: name(bytes), account_key: account };
            Proposal::Amend(member, Amendment::logged_in(login))
        }
        10 => Proposal::SetAway(member, Some(text(bytes))),
        11 => {
            let kind = AccountChangeKind::LoginsEnded { epoch: i64::MAX, spared: Some(member) };
            Proposal::EndLogins(AccountChange { account: i64::MAX, name: name(bytes), kind })
        }
        12 => {
            let whom = Whom::Guest(name(32), Some(member));
            let kick = ModerationAct::Kick { whom, reason: text(bytes / 2) };
            Proposal::Moderate(Box::new(moderation(kick)))
        }
        13 => Proposal::Store(StoreCommand(vec![0xff; bytes].into())),
        14 => Proposal::Crowded(vec![(member, true); bytes / 2]),
        15 => {
            let tuple = bytes::Bytes::from(vec![b'p'; bytes / 2]);
            let (plain, notice) = (tuple.clone(), tuple);
            Proposal::Tell(Box::new(Tell { whom: Audience::Member(member), plain, notice }))
        }
        16 => Proposal::Pardon(member),
        _ => Proposal::Speak(u16::MAX),
    }
}

const KINDS: usize = 18;

/// The same as it comes: messages and joins have entries of their own.
fn entry(kind: usize, bytes: usize, member: MemberId, places: &Arc<Semaphore>) -> Entry {
    let place = || Arc::clone(places).try_acquire_owned().unwrap();
    match proposal(kind, bytes, member) {
        Proposal::Say(Say { tag, record, .. }) => {
            let (bytes, done) = (record.json.len(), oneshot::channel().0);
            let (records, tags) = (vec![record], Some(vec![tag]));
            Entry::Post(Post { sender: member, records, _held: None, tags, bytes, done }, place())
        }
        Proposal::Join(join) => {
            let secrets = Secrets { fresh: 1, shown: None };
            let greeting = Greeting {
                info: "",
                extra: b"",
                after: None,
                recent: None,
                marks: &[],
                device: None,
                zstd: false,
                secrets,
            };
            let greeting = OwnGreeting::of(greeting);
            // Who has gone is not let in.
            let (done, waits) = oneshot::channel();
            std::mem::forget(waits);
            Entry::Join(Joining { join, greeting, done, _place: place() })
        }
        Proposal::Leave(member) => Entry::Leave(member),
        Proposal::Room(wish, _) => Entry::Wish(wish, oneshot::channel().0),
        proposal => Entry::Change(Change { proposal, done: None, _place: None }),
    }
}

/// A member with the longest number.
fn member() -> MemberId {
    let id = postcard::to_extend(&u64::MAX, Vec::new()).unwrap();
    postcard::from_bytes(&id).unwrap()
}

#[test]
fn the_size_of_a_proposal_is_that_which_is_written() {
    for kind in 0..KINDS {
        for bytes in [0, 1, 127, 128, 20_000] {
            let of = |proposals| Group { from: Incarnation(1), number: 1, proposals };
            let empty = format::encode(&of(Vec::new())).unwrap().len();
            let proposal = proposal(kind, bytes, member());
            let size = format::size(&proposal);
            let written = format::encode(&of(vec![proposal])).unwrap().len();
            assert_eq!(size, written - empty, "{kind}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However things come, a group has no more bytes than it may have, or one entry; and nothing is lost or exchanged.
    #[test]
    fn a_group_is_as_large_as_it_may_be_or_has_one_entry(
        all in prop::collection::vec(
            (0..KINDS, prop_oneof![0..200_usize, MOST - 300..MOST + 300, 0..2 * MOST]), 1..60,
        )
    ) {
        let bounds = Bounds::of_several(MOST);
        let (sends, mut receives) = queue();
        let places = Arc::new(Semaphore::new(1000));
        let count = all.len();
        for (kind, bytes) in all {
            sends.hand_in(entry(kind, bytes, member(), &places));
        }
        let mut seen = 0;
        while let Ok(first) = receives.try_recv() {
            let mut batch = Batch::default();
            let mut entries = 1;
            prop_assert!(batch.add_within(first, &bounds).is_none());
            while batch.has_room(&bounds) && let Ok(entry) = receives.try_recv() {
                if let Some(entry) = batch.add_within(entry, &bounds) {
                    receives.give_back(entry);
                    break;
                }
                entries += 1;
            }
            let proposals = batch.take_unjudged();
            prop_assert_eq!(proposals.len(), entries);
            prop_assert_eq!(batch.proposals(), entries);
            seen += entries;
            let group = Group { from: Incarnation(u64::MAX), number: u64::MAX, proposals };
            let written = format::encode(&group).unwrap().len();
            prop_assert!(written <= MOST + HEAD || entries == 1, "{written} bytes of {entries}");
        }
        prop_assert_eq!(seen, count);
    }
}
