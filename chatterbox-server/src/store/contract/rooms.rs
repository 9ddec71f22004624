//! What every store has to do with the facts about rooms.

use chatterbox_hub::{
    AccountRef, Conversation, Keep, Level, MemberId, Record, RoomDefinition, RoomKeep, RoomMember,
    RoomNumber, RoomRecord, RoomRef, RoomSettings, RoomShow, Sequence,
};
use chatterbox_proto::capability::ids::Side;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{RoomName, Username};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::{ROOMY, said};
use crate::store::message_store::Store;
use crate::store::page::{Page, PageQuery};

/// Later than any clock, and earlier.
const SOME_DAY: i64 = 1 << 40;
const LONG_AGO: i64 = 1_000_000;

pub async fn hold<S: Store>(fresh: &impl Fn(Keep) -> S) {
    for seed in 0..4 {
        facts(fresh, seed).await;
    }
    every_setting_is_kept(fresh(ROOMY)).await;
    invitations_end(fresh(ROOMY)).await;
    owners(fresh(ROOMY)).await;
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

pub async fn page_of(store: &dyn Store, number: u64, above: Sequence, newest: Option<u32>) -> Page {
    let of = Conversation::Room { room: RoomNumber(number), above, newest };
    store.page(PageQuery { of, side: Side::Newest, limit: 10_000 }).await.unwrap()
}

pub async fn ids_of(store: &dyn Store, number: u64) -> Vec<Sequence> {
    let page = page_of(store, number, 0, None).await;
    page.records.into_iter().map(|(id, _)| id).collect()
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

    fn drop(&mut self, key: (u8, u64, i64)) {
        self.0.retain(|fact| Self::key(fact) != key);
    }

    fn drop_default(&mut self, of: impl Fn(i64) -> bool, number: RoomNumber) {
        self.0.retain(|fact| match fact {
            RoomRecord::DefaultSet { account, room } => *room != Some(number) || !of(*account),
            _ => true,
        });
    }

    fn apply(&mut self, fact: &RoomRecord) {
        let is_so = match fact {
            RoomRecord::Defined(_) => true,
            RoomRecord::Deleted(number) => {
                self.0.retain(|fact| Self::key(fact).0 == 5 || Self::key(fact).1 != number.0);
                return self.drop_default(|_| true, *number);
            }
            RoomRecord::Uninvited { room, who: RoomMember::Account(account) } => {
                return self.drop((4, room.0, account.id));
            }
            RoomRecord::Left { room, who: RoomMember::Account(account), stays_out } => {
                self.drop((1, room.0, account.id));
                self.drop_default(|whose| whose == account.id, *room);
                if !stays_out {
                    return;
                }
                self.is_there(*room)
            }
            RoomRecord::Entered { room, who: RoomMember::Account(account), .. } => {
                if !self.is_there(*room) {
                    return;
                }
                self.drop((2, room.0, account.id));
                true
            }
            RoomRecord::Invited { room, .. } if !self.is_there(*room) => return,
            RoomRecord::LevelSet { room, level, .. } => {
                *level > Level::GUEST && self.is_there(*room)
            }
            RoomRecord::DefaultSet { room, .. } => room.is_some_and(|room| self.is_there(room)),
            RoomRecord::Invited { .. } => true,
            other => panic!("{other:?}"),
        };
        self.drop(Self::key(fact));
        if is_so {
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
            let keep = match number % 3 {
                0 => RoomKeep::All,
                1 => RoomKeep::Off,
                _ => RoomKeep::Newest(7),
            };
            defined(RoomDefinition {
                owner: Some(account(who)),
                ..room(room_number.0, keep, number)
            })
        }
        2 if number.is_multiple_of(3) => RoomRecord::Deleted(room_number),
        2..=4 => RoomRecord::Entered { room: room_number, who: member, since: number },
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
    const KEEPS: [RoomKeep; 2] = [RoomKeep::Off, RoomKeep::All];
    let mut all = vec![defined(room(0, RoomKeep::All, 0)), defined(one.clone())];
    let flags: [fn(&mut RoomDefinition) -> &mut bool; 5] = [
        |room| &mut room.configured,
        |room| &mut room.auto,
        |room| &mut room.settings.hidden,
        |room| &mut room.settings.closed,
        |room| &mut room.settings.roster,
    ];
    for (number, flag) in (2..).zip(flags) {
        let mut other = room(number, KEEPS[usize::try_from(number).unwrap() % 2], 0);
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
