//! What every store has to do with rooms: their facts, their pages, and how much of them is kept.

use chatterbox_hub::{
    AccountRef, Conversation, Keep, Level, MemberId, Record, RoomDefinition, RoomKeep, RoomMember,
    RoomNumber, RoomRecord, RoomRef, RoomSettings, RoomShow, Sequence,
};
use chatterbox_proto::capability::ids::Side;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{RoomName, Username};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::{NUMBERINGS, PATIENCE, ROOMY, check, numbered, read_all, said};
use crate::store::message_store::Store;
use crate::store::page::{Page, PageQuery};

/// Later than any clock, and earlier.
const SOME_DAY: i64 = 1 << 40;
const LONG_AGO: i64 = 1_000_000;

pub async fn hold<S: Store>(fresh: impl Fn(Keep) -> S) {
    for seed in 0..4 {
        facts(&fresh, seed).await;
    }
    every_setting_is_kept(fresh(ROOMY)).await;
    invitations_end(fresh(ROOMY)).await;
    owners(fresh(ROOMY)).await;
    for number in NUMBERINGS {
        numbers(fresh(ROOMY), number).await;
        pages(fresh(ROOMY), number).await;
        the_lobby_is_cleared(fresh(ROOMY), number).await;
    }
    what_may_be_read(fresh(ROOMY)).await;
    a_busy_room_pushes_out_nothing_of_others(fresh(Keep { messages: 10, ..ROOMY })).await;
    a_room_has_a_bound_of_its_own(fresh(ROOMY)).await;
}

pub fn account(id: i64) -> AccountRef {
    AccountRef { id, name: Username::parse(&format!("user{id}")).unwrap() }
}

pub fn room(number: u64, keep: RoomKeep, floor: Sequence) -> RoomDefinition {
    RoomDefinition {
        number: RoomNumber(number),
        name: RoomName::parse(&format!("#Room{number}")).unwrap(),
        owner: None,
        settings: RoomSettings { keep, ..RoomSettings::default() },
        configured: false,
        auto: false,
        floor,
    }
}

pub fn defined(room: RoomDefinition) -> RoomRecord {
    RoomRecord::Defined(Box::new(room))
}

/// Keeps facts under the next number, and gives it.
pub async fn keep_facts(store: &dyn Store, records: &[RoomRecord]) -> Sequence {
    let number = store.newest().await.unwrap() + 1;
    store.keep_rooms(number, records).await.unwrap();
    number
}

/// A message in a room.
pub fn said_in(number: u64, content: &str) -> Record {
    let name = room(number, RoomKeep::All, 0).name;
    let record = said("ann", Some(name.as_str().trim_start_matches('#')), content);
    Record {
        destination: Destination::Room(RoomRef { number: RoomNumber(number), name }),
        ..record
    }
}

async fn say(store: &dyn Store, number: u64, count: usize) {
    super::keep_next(store, &vec![said_in(number, "hi"); count]).await.unwrap();
}

pub async fn page_of(store: &dyn Store, number: u64, above: Sequence, newest: Option<u32>) -> Page {
    let of = Conversation::Room { room: RoomNumber(number), above, newest };
    store.page(PageQuery { of, side: Side::Newest, limit: 10_000 }).await.unwrap()
}

pub async fn ids_of(store: &dyn Store, number: u64) -> Vec<Sequence> {
    let page = page_of(store, number, 0, None).await;
    page.records.into_iter().map(|(id, _)| id).collect()
}

/// Waits until so many messages can be read of rooms.
async fn settles<const N: usize>(store: &dyn Store, expected: [(u64, usize); N]) {
    let settled = async {
        loop {
            let mut is_so = true;
            for (number, count) in expected {
                is_so &= ids_of(store, number).await.len() == count;
            }
            if is_so {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, settled).await.is_err() {
        for (number, count) in expected {
            let found = ids_of(store, number).await;
            assert_eq!(found.len(), count, "{number}: {found:?}");
        }
    }
}

/// What is so of rooms, as a plain list of facts of which each takes the place of those that it contradicts.
#[derive(Debug, Default)]
struct Facts(Vec<RoomRecord>);

impl Facts {
    fn is_there(&self, number: RoomNumber) -> bool {
        self.0.iter().any(|fact| matches!(fact, RoomRecord::Defined(room) if room.number == number))
    }

    /// Which list a fact is in, and whom it is about.
    fn key(fact: &RoomRecord) -> (u8, u64, i64) {
        let id = |who: &RoomMember| match who {
            RoomMember::Account(account) => account.id,
            RoomMember::Guest(_) => panic!("{who:?}"),
        };
        match fact {
            RoomRecord::Defined(room) => (0, room.number.0, 0),
            RoomRecord::Entered { room, who, .. } => (1, room.0, id(who)),
            RoomRecord::Left { room, who, .. } => (2, room.0, id(who)),
            RoomRecord::LevelSet { room, account, .. } => (3, room.0, account.id),
            RoomRecord::Invited { room, who, .. } => (4, room.0, id(who)),
            RoomRecord::DefaultSet { account, .. } => (5, 0, *account),
            other => panic!("{other:?}"),
        }
    }

    fn apply(&mut self, fact: &RoomRecord) {
        let ends = |fact: &RoomRecord| -> Vec<(u8, u64, i64)> {
            let Some((list, room, account)) = (match fact {
                RoomRecord::Deleted(_) => None,
                RoomRecord::Uninvited { room, who: RoomMember::Account(account) } => {
                    Some((4, room.0, account.id))
                }
                other => Some(Self::key(other)),
            }) else {
                return Vec::new();
            };
            // Whoever is in has not left.
            if list == 1 {
                vec![(1, room, account), (2, room, account)]
            } else {
                vec![(list, room, account)]
            }
        };
        let about = match fact {
            RoomRecord::Deleted(number) => {
                let of_room = |fact: &RoomRecord| match fact {
                    RoomRecord::DefaultSet { room, .. } => *room == Some(*number),
                    other => Self::key(other).1 == number.0,
                };
                self.0.retain(|fact| !of_room(fact));
                return;
            }
            RoomRecord::Defined(room) => {
                let place = self.0.iter().position(|old| Self::key(old) == (0, room.number.0, 0));
                if let Some(place) = place {
                    self.0[place] = fact.clone();
                } else {
                    self.0.push(fact.clone());
                }
                return;
            }
            RoomRecord::Left { room, who, stays_out } => {
                let RoomMember::Account(account) = who else { panic!() };
                self.0.retain(|old| match old {
                    RoomRecord::DefaultSet { account: whose, room: Some(of) } => {
                        (*whose, of) != (account.id, room)
                    }
                    RoomRecord::Left { .. } => !stays_out || Self::key(old) != Self::key(fact),
                    old => Self::key(old) != (1, room.0, account.id),
                });
                if *stays_out && self.is_there(*room) {
                    self.0.push(fact.clone());
                }
                return;
            }
            RoomRecord::DefaultSet { room, .. } => *room,
            RoomRecord::LevelSet { room, level, .. } => {
                Some(*room).filter(|_| *level > Level::GUEST)
            }
            RoomRecord::Uninvited { .. } => None,
            RoomRecord::Entered { room, .. } | RoomRecord::Invited { room, .. } => Some(*room),
        };
        let is_there = about.is_some_and(|room| self.is_there(room));
        let contradicted = ends(fact);
        let takes_away = !matches!(fact, RoomRecord::Entered { .. } | RoomRecord::Invited { .. });
        if is_there || takes_away {
            self.0.retain(|old| !contradicted.contains(&Self::key(old)));
        }
        if is_there {
            self.0.push(fact.clone());
        }
    }

    fn sorted(&self) -> Vec<RoomRecord> {
        let mut facts = self.0.clone();
        // Members stay in the order in which they have joined.
        facts.sort_by_key(|fact| match Self::key(fact) {
            (1, ..) => (1, 0, 0),
            key => key,
        });
        facts
    }
}

fn random_fact(below: &mut impl FnMut(u64) -> u64, number: Sequence) -> RoomRecord {
    let room_of = |which: u64| RoomNumber([0, 3, 4, 5, 1 << 40][usize::try_from(which).unwrap()]);
    let room_number = room_of(below(5));
    let who = i64::try_from(below(4)).unwrap() + 1;
    let member = RoomMember::Account(account(who));
    match below(12) {
        0 | 1 => {
            let keep = [RoomKeep::All, RoomKeep::Off, RoomKeep::Newest(7)][number as usize % 3];
            defined(RoomDefinition {
                owner: Some(account(who)),
                ..room(room_number.0, keep, number)
            })
        }
        2 if number.is_multiple_of(3) => RoomRecord::Deleted(room_number),
        2 | 3 | 4 => RoomRecord::Entered { room: room_number, who: member, since: number },
        5 | 6 => {
            RoomRecord::Left { room: room_number, who: member, stays_out: number.is_multiple_of(2) }
        }
        7 => RoomRecord::LevelSet {
            room: room_number,
            account: account(who),
            level: Level::new((number % 6) as i64).unwrap(),
        },
        8 | 9 => {
            let until = SOME_DAY + number as i64;
            RoomRecord::Invited { room: room_number, who: member, by: format!("by{number}"), until }
        }
        10 => RoomRecord::Uninvited { room: room_number, who: member },
        _ => {
            let room = Some(room_number).filter(|room| *room != RoomNumber::LOBBY);
            RoomRecord::DefaultSet { account: who, room }
        }
    }
}

/// Facts are put together as a plain list would, and what is given makes the same again.
async fn facts<S: Store>(fresh: &impl Fn(Keep) -> S, seed: u8) {
    let store = fresh(ROOMY);
    assert_eq!(store.rooms().await.unwrap(), [], "a fresh store has no rooms");
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut below = |bound: u64| random.next_u64() % bound;
    let mut expected = Facts::default();
    let mut number = 0;
    for _ in 0..150 {
        number += 1 + below(3);
        let some: Vec<_> = (0..=below(3)).map(|_| random_fact(&mut below, number)).collect();
        store.keep_rooms(number, &some).await.unwrap();
        some.iter().for_each(|fact| expected.apply(fact));
        assert_eq!(store.rooms().await.unwrap(), expected.sorted(), "after {some:?}");
        assert_eq!(store.newest().await.unwrap(), number);
        if below(4) == 0 {
            let other = [random_fact(&mut below, number)];
            store.keep_rooms(number - below(2), &other).await.unwrap();
            assert_eq!(store.rooms().await.unwrap(), expected.sorted(), "it was kept before");
        }
    }
    let all = store.rooms().await.unwrap();
    assert!(all.len() > 10, "{all:?}");
    let again = fresh(ROOMY);
    again.keep_rooms(1, &all).await.unwrap();
    assert_eq!(again.rooms().await.unwrap(), all);
}

async fn every_setting_is_kept<S: Store>(store: S) {
    let mut one = room(1, RoomKeep::Newest(u32::MAX), 1 << 52);
    one.name = RoomName::parse("#La\u{308}B").unwrap();
    one.owner = Some(AccountRef { id: 3, name: Username::parse("J\u{f6}rg").unwrap() });
    (one.configured, one.auto) = (true, true);
    one.settings = RoomSettings {
        topic: "exercise \"3\"\n".into(),
        description: "\u{1f600}".into(),
        limit: u32::MAX,
        password: Some("$argon2id$v=19$x".into()),
        hidden: true,
        closed: true,
        talk: Level::ADMIN,
        slow: 3600,
        length: 1,
        keep: RoomKeep::Newest(0),
        show: RoomShow::Joined,
        roster: false,
    };
    let mut all = vec![defined(room(0, RoomKeep::All, 0)), defined(one.clone())];
    let flags: [fn(&mut RoomDefinition) -> &mut bool; 5] = [
        |room| &mut room.configured,
        |room| &mut room.auto,
        |room| &mut room.settings.hidden,
        |room| &mut room.settings.closed,
        |room| &mut room.settings.roster,
    ];
    for (number, flag) in (2..).zip(flags) {
        let mut other = room(number, [RoomKeep::Off, RoomKeep::All][number as usize % 2], 0);
        let flag = flag(&mut other);
        *flag = !*flag;
        all.push(defined(other));
    }
    keep_facts(&store, &all).await;
    let found = store.rooms().await.unwrap();
    assert_eq!(found, all);
    let RoomRecord::Defined(found) = &found[1] else { panic!() };
    assert_eq!(
        (found.name.as_str(), found.owner.as_ref().unwrap().name.as_str()),
        ("#L\u{e4}B", "J\u{f6}rg")
    );
    // Another definition takes the place of all of it, and leaves members alone.
    let entered =
        RoomRecord::Entered { room: RoomNumber(1), who: RoomMember::Account(account(1)), since: 9 };
    keep_facts(
        &store,
        &[
            entered.clone(),
            defined(RoomDefinition { number: RoomNumber(1), ..room(99, RoomKeep::All, 0) }),
        ],
    )
    .await;
    let found = store.rooms().await.unwrap();
    assert_eq!(
        found[1],
        defined(RoomDefinition { number: RoomNumber(1), ..room(99, RoomKeep::All, 0) })
    );
    assert_eq!(found.last(), Some(&entered));
}

async fn invitations_end<S: Store>(store: S) {
    let invited = |id, until| RoomRecord::Invited {
        room: RoomNumber(1),
        who: RoomMember::Account(account(id)),
        by: "ann".into(),
        until,
    };
    let one = defined(room(1, RoomKeep::All, 0));
    let all = [one.clone(), invited(1, LONG_AGO), invited(2, SOME_DAY), invited(3, LONG_AGO)];
    keep_facts(&store, &all).await;
    assert_eq!(store.rooms().await.unwrap(), [one.clone(), invited(2, SOME_DAY)]);
    keep_facts(&store, &[invited(1, SOME_DAY), invited(2, LONG_AGO)]).await;
    assert_eq!(store.rooms().await.unwrap(), [one, invited(1, SOME_DAY)]);
    // What concerns guests ends with them.
    let guest = RoomMember::Guest(guest());
    let room = RoomNumber(1);
    let before = store.rooms().await.unwrap();
    let of_guest = [
        RoomRecord::Entered { room, who: guest.clone(), since: 3 },
        RoomRecord::Invited { room, who: guest.clone(), by: "ann".into(), until: SOME_DAY },
        RoomRecord::Uninvited { room, who: guest.clone() },
        RoomRecord::Left { room, who: guest, stays_out: true },
    ];
    let number = keep_facts(&store, &of_guest).await;
    assert_eq!((store.rooms().await.unwrap(), store.newest().await.unwrap()), (before, number));
}

fn guest() -> MemberId {
    use chatterbox_hub::{Hub, JoinRequest, TimelineLimits};
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let name = Username::parse("guest").unwrap();
    hub.admit(JoinRequest::base(&name, "")).unwrap().id
}

/// A removed account leaves nothing, and its rooms go to the member of level 4 who joined first (RL-3).
async fn owners<S: Store>(store: S) {
    let of = |number, owner| RoomDefinition {
        owner: Some(account(owner)),
        ..room(number, RoomKeep::All, 0)
    };
    let (one, two, three) = (of(1, 1), of(2, 1), of(3, 2));
    let room = RoomNumber;
    let who = |id| RoomMember::Account(account(id));
    let entered = |number, id| RoomRecord::Entered { room: room(number), who: who(id), since: 9 };
    let level = |number, id, level| RoomRecord::LevelSet {
        room: room(number),
        account: account(id),
        level,
    };
    let left = |number, id| RoomRecord::Left { room: room(number), who: who(id), stays_out: true };
    let invited = |number, id| RoomRecord::Invited {
        room: room(number),
        who: who(id),
        by: "user1".into(),
        until: SOME_DAY,
    };
    let default = |account, number| RoomRecord::DefaultSet { account, room: Some(room(number)) };
    keep_facts(&store, &[defined(one.clone()), defined(two.clone()), defined(three.clone())]).await;
    // User 5 was in first, and comes back; user 6 has the level, and is not in; user 7 is in and has less.
    let members = [7, 1, 5, 4, 3].map(|id| entered(1, id));
    keep_facts(&store, &members).await;
    keep_facts(&store, &[left(1, 5), entered(1, 5)]).await;
    keep_facts(
        &store,
        &[
            level(1, 3, Level::OPERATOR),
            level(1, 4, Level::ADMIN),
            level(1, 5, Level::OPERATOR),
            level(1, 6, Level::OPERATOR),
            level(1, 7, Level::MODERATOR),
            level(2, 3, Level::OPERATOR),
            level(2, 1, Level::OPERATOR),
            entered(2, 7),
            left(3, 1),
            invited(3, 1),
            default(1, 1),
            default(3, 1),
        ],
    )
    .await;
    store.forget_account(1).await;
    let with = |room: &RoomDefinition, owner: Option<i64>| {
        defined(RoomDefinition { owner: owner.map(account), ..room.clone() })
    };
    let expected = [
        with(&one, Some(4)),
        with(&two, None),
        with(&three, Some(2)),
        entered(1, 7),
        entered(1, 4),
        entered(1, 3),
        entered(1, 5),
        entered(2, 7),
        level(1, 3, Level::OPERATOR),
        level(1, 4, Level::ADMIN),
        level(1, 5, Level::OPERATOR),
        level(1, 6, Level::OPERATOR),
        level(1, 7, Level::MODERATOR),
        level(2, 3, Level::OPERATOR),
        default(3, 1),
    ];
    assert_eq!(store.rooms().await.unwrap(), expected);
    // A room that belongs to nobody stays so, whoever is in it later.
    keep_facts(&store, &[entered(2, 3)]).await;
    store.forget_account(9).await;
    assert_eq!(store.rooms().await.unwrap()[1], with(&two, None));
}

/// Messages and facts have one sequence of numbers, and a number is used once, whatever it was used for.
async fn numbers<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let at = |place, record| (number(place), record);
    let (all, off) = (defined(room(1, RoomKeep::All, 0)), defined(room(2, RoomKeep::Off, 0)));
    store.keep_rooms(number(0), &[all.clone(), off.clone()]).await.unwrap();
    store.keep(&[at(0, said("ann", None, "late")), at(1, said_in(1, "b"))]).await.unwrap();
    assert_eq!(read_all(&store).await, [], "its number was that of a room");
    // What nothing is kept of has a number all the same; so has what is said in a room that is not there.
    for (place, nobody_knows) in [(2, said_in(2, "c")), (3, said_in(77, "d"))] {
        store.keep(&[at(place, nobody_knows)]).await.unwrap();
        assert_eq!(store.newest().await.unwrap(), number(place));
    }
    let group = [at(4, said_in(2, "e")), at(5, said_in(1, "f")), at(6, said_in(2, "g"))];
    store.keep(&group).await.unwrap();
    assert_eq!(store.newest().await.unwrap(), number(6));
    for place in [0, 3, 6] {
        store.keep_rooms(number(place), &[RoomRecord::Deleted(RoomNumber(1))]).await.unwrap();
    }
    assert_eq!(store.rooms().await.unwrap(), [all, off], "they were kept before");
    store.keep_rooms(number(7), &[]).await.unwrap();
    assert_eq!(store.newest().await.unwrap(), number(7));
    store.keep(&[at(6, said_in(1, "h")), at(7, said_in(1, "i"))]).await.unwrap();
    let lobby = at(8, said("ann", None, "j"));
    store.keep(std::slice::from_ref(&lobby)).await.unwrap();
    assert_eq!(ids_of(&store, 1).await, [1, 5].map(number));
    for unknown in [2, 77, 0, u64::MAX] {
        assert_eq!(page_of(&store, unknown, 0, None).await, Page::default(), "{unknown}");
    }
    assert_eq!(read_all(&store).await, [lobby], "rooms are read by pages only");
    // From now on it keeps what is said.
    keep_facts(&store, &[defined(room(2, RoomKeep::All, 0))]).await;
    say(&store, 2, 1).await;
    assert_eq!(ids_of(&store, 2).await, [number(8) + 2]);
}

/// A page of a room against a plain list: above a number, of the newest so many, in both directions.
async fn pages<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let rooms = [room(1, RoomKeep::All, 0), room(2, RoomKeep::All, 0)].map(defined);
    store.keep_rooms(number(0), &rooms).await.unwrap();
    let records = (0..60_u64).map(|place| match place % 4 {
        0 => said("ann", None, "lobby"),
        1 => said("ann", Some("bob"), "private"),
        2 => said_in(2, &place.to_string()),
        _ => said_in(1, &place.to_string()),
    });
    let records: Vec<_> = (1..).map(number).zip(records).collect();
    store.keep(&records).await.unwrap();
    let in_room = |record: &Record| record.room() == Some(RoomNumber(1));
    let all: Vec<_> =
        records.iter().filter(|(_, record)| in_room(record)).map(|(id, _)| *id).collect();
    assert_eq!(all.len(), 15);
    for newest in [None, Some(0), Some(1), Some(14), Some(15), Some(16), Some(u32::MAX)] {
        for above in [0, all[0] - 1, all[0], all[7] + 1, all[14], u64::MAX] {
            let hidden = newest.map_or(0, |newest| 15_usize.saturating_sub(newest as usize));
            let expected: Vec<_> =
                all.iter().skip(hidden).copied().filter(|id| *id > above).collect();
            for at in [0, all[0], all[6] + 1, all[7], all[14], 1 << 53] {
                for limit in [1, 4, 500] {
                    let of = Conversation::Room { room: RoomNumber(1), above, newest };
                    let query = |side| PageQuery { of: of.clone(), side, limit };
                    let before: Vec<_> = expected.iter().copied().filter(|id| *id < at).collect();
                    let start = before.len().saturating_sub(limit);
                    let page = store.page(query(Side::Before(at))).await.unwrap();
                    check(&page, &before[start..], start > 0, &records);
                    let after: Vec<_> = expected.iter().copied().filter(|id| *id > at).collect();
                    let end = after.len().min(limit);
                    let page = store.page(query(Side::After(at))).await.unwrap();
                    check(&page, &after[..end], end < after.len(), &records);
                    let start = expected.len().saturating_sub(limit);
                    let page = store.page(query(Side::Newest)).await.unwrap();
                    check(&page, &expected[start..], start > 0, &records);
                }
            }
        }
    }
    // Neither is part of another conversation.
    for of in [
        Conversation::Public,
        Conversation::between(&Username::parse("ann").unwrap(), &Username::parse("bob").unwrap()),
        Conversation::between(&Username::parse("ann").unwrap(), &Username::parse("room1").unwrap()),
    ] {
        let page = store.page(PageQuery { of, side: Side::Newest, limit: 500 }).await.unwrap();
        assert!(page.records.iter().all(|(_, record)| record.room().is_none()));
    }
}

/// Of the lobby nothing is read up to its floor; what is private stays.
async fn the_lobby_is_cleared<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let records = (0..60).map(|place| if place % 2 == 0 { None } else { Some("bob") });
    let records = numbered(number, records.map(|to| said("ann", to, "x")));
    store.keep(&records).await.unwrap();
    let floor = records[40].0;
    let left: Vec<_> = (0..)
        .zip(&records)
        .filter(|(place, _)| place % 2 == 1 || *place > 40)
        .map(|(_, kept)| kept.clone())
        .collect();
    let public: Vec<_> =
        left.iter().filter(|(_, record)| record.recipient().is_none()).cloned().collect();
    for raised in [floor, floor - 1, 0] {
        keep_facts(&store, &[defined(room(0, RoomKeep::Off, raised))]).await;
        assert_eq!(read_all(&store).await, left);
        let of = Conversation::Public;
        let query = PageQuery { of, side: Side::Newest, limit: 500 };
        assert_eq!(store.page(query).await.unwrap(), Page { records: public.clone(), more: false });
    }
}

/// Deleting, clearing and keeping less hold at once, and what has gone does not come back.
async fn what_may_be_read<S: Store>(store: S) {
    keep_facts(&store, &[1, 2, 3].map(|number| defined(room(number, RoomKeep::All, 0)))).await;
    for number in [1, 2, 3] {
        say(&store, number, 20).await;
    }
    let ids = ids_of(&store, 1).await;
    keep_facts(&store, &[defined(room(1, RoomKeep::Newest(5), 0))]).await;
    assert_eq!(ids_of(&store, 1).await, ids[15..]);
    let page = page_of(&store, 1, 0, Some(3)).await;
    assert_eq!(page.records.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ids[17..]);
    assert_eq!(page_of(&store, 1, 0, Some(9)).await.records.len(), 5, "KEEP counts, whoever asks");
    say(&store, 1, 2).await;
    assert_eq!(ids_of(&store, 1).await.len(), 5);
    assert_eq!(ids_of(&store, 1).await[..3], ids[17..]);
    let floor = ids[18];
    keep_facts(&store, &[defined(room(1, RoomKeep::Newest(5), floor))]).await;
    assert_eq!(ids_of(&store, 1).await.len(), 3);
    assert_eq!(ids_of(&store, 1).await[0], ids[19]);
    keep_facts(&store, &[defined(room(1, RoomKeep::Off, floor))]).await;
    assert!(ids_of(&store, 1).await.is_empty());
    say(&store, 1, 1).await;
    keep_facts(&store, &[RoomRecord::Deleted(RoomNumber(2))]).await;
    assert_eq!(page_of(&store, 2, 0, None).await, Page::default());
    let newest = store.newest().await.unwrap();
    say(&store, 2, 1).await;
    assert_eq!(page_of(&store, 2, 0, None).await, Page::default());
    assert_eq!(store.newest().await.unwrap(), newest + 1);
    assert_eq!(ids_of(&store, 3).await.len(), 20, "nothing of that is about others");
    // The name is free.
    let name = room(2, RoomKeep::All, 0).name;
    keep_facts(&store, &[defined(RoomDefinition { name, ..room(9, RoomKeep::All, 0) })]).await;
    assert!(ids_of(&store, 9).await.is_empty());
    // The room before is still cut when it keeps all again.
    settles(&store, [(1, 0)]).await;
    keep_facts(&store, &[defined(room(1, RoomKeep::All, floor))]).await;
    say(&store, 1, 1).await;
    assert_eq!(ids_of(&store, 1).await.last(), Some(&store.newest().await.unwrap()));
}

/// Ten messages are kept of the lobby, so forty of rooms.
async fn a_busy_room_pushes_out_nothing_of_others<S: Store>(store: S) {
    super::keep_next(&store, &[(); 10].map(|()| said("ann", None, "lobby"))).await.unwrap();
    let rooms = [1, 2, 3].map(|number| defined(room(number, RoomKeep::All, 0)));
    keep_facts(&store, &rooms).await;
    say(&store, 1, 5).await;
    let quiet = ids_of(&store, 1).await;
    say(&store, 2, 100).await;
    settles(&store, [(1, 5), (2, 35)]).await;
    let newest = store.newest().await.unwrap();
    assert_eq!(
        ids_of(&store, 2).await,
        (newest - 34..=newest).collect::<Vec<_>>(),
        "the oldest go"
    );
    for _ in 0..100 {
        say(&store, 3, 1).await;
    }
    let settled = async {
        loop {
            let counts = (ids_of(&store, 2).await.len(), ids_of(&store, 3).await.len());
            if matches!(counts, (17, 18) | (18, 17)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let is_settled = tokio::time::timeout(PATIENCE, settled).await;
    assert!(is_settled.is_ok(), "{:?} {:?}", ids_of(&store, 2).await, ids_of(&store, 3).await);
    assert_eq!(ids_of(&store, 3).await.last(), Some(&store.newest().await.unwrap()));
    assert_eq!(ids_of(&store, 1).await, quiet);
    assert_eq!(read_all(&store).await.len(), 10, "the lobby has bounds of its own");
}

async fn a_room_has_a_bound_of_its_own<S: Store>(store: S) {
    let rooms = [1, 2, 3].map(|number| {
        defined(room(number, [RoomKeep::All, RoomKeep::Newest(1000)][number as usize % 2], 0))
    });
    keep_facts(&store, &rooms).await;
    say(&store, 3, 3).await;
    let long = "x".repeat(1 << 20);
    for number in [1, 2] {
        for _ in 0..17 {
            super::keep_next(&store, &[said_in(number, &long)]).await.unwrap();
        }
    }
    // 16 MiB of them, less what is around the text.
    let counted = async |number| {
        let of = Conversation::Room { room: RoomNumber(number), above: 0, newest: None };
        let (mut count, mut side) = (0, Side::After(0));
        loop {
            let page = store.page(PageQuery { of: of.clone(), side, limit: 9 }).await.unwrap();
            count += page.records.len();
            match page.records.last() {
                Some((last, _)) if page.more => side = Side::After(*last),
                _ => return count,
            }
        }
    };
    let settled = async {
        while (counted(1).await, counted(2).await) != (15, 15) {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, settled).await.is_ok(), "{}", counted(1).await);
    assert_eq!(counted(3).await, 3);
}
