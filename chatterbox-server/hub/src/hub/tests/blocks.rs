//! Block lists over whole chats, against a model that knows no index: everybody is held against everybody.
//!
//! The model keeps its own identities and lists. What a member is not shown and whom it can't write to is asked of the hub
//! as delivery and commands ask it, so a change that forgets to call a filter stale is found as well.

use std::collections::{BTreeMap, HashSet};

use chatterbox_proto::{Capabilities, Capability, Code, ServerFrame};

use super::*;
use crate::{
    AccountKey, Amendment, BlockFilter, BlockLists, Delivery, Identity, JoinRequest, Level,
    LoggedIn, Login, MemberId, Rename, Resuming, SessionKey,
};

/// Names that overlap: accounts, nicks and names that nobody has.
const NAMES: [&str; 6] = ["ann", "bob", "cyd", "dan", "eve", "flo"];

/// Two accounts for each name: one can be registered anew.
const ACCOUNTS: usize = 2 * NAMES.len();

#[derive(Debug, Clone)]
enum Step {
    Join {
        name: usize,
        account: Option<usize>,
        blocks: Vec<usize>,
        blocked_by: Vec<usize>,
        base: bool,
    },
    Leave(usize),
    /// Another connection takes the place of this one, with other lists.
    Resume {
        who: usize,
        blocks: Vec<usize>,
        blocked_by: Vec<usize>,
    },
    Rename {
        who: usize,
        name: usize,
        owns: bool,
        blocked_by: Vec<usize>,
    },
    Block {
        who: usize,
        blocks: Vec<usize>,
    },
    Login {
        who: usize,
        account: Option<usize>,
        level: u8,
        elevated: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0_usize..8;
    let name = || 0..NAMES.len();
    let names = || prop::collection::vec(0..NAMES.len(), 0..3);
    let accounts = || prop::collection::vec(0..ACCOUNTS, 0..3);
    let account = || prop::option::of(0..ACCOUNTS);
    let step = prop_oneof![
        5 => (name(), account(), names(), accounts(), any::<bool>()).prop_map(
            |(name, account, blocks, blocked_by, base)| Step::Join { name, account, blocks, blocked_by, base }
        ),
        2 => who().prop_map(Step::Leave),
        2 => (who(), names(), accounts())
            .prop_map(|(who, blocks, blocked_by)| Step::Resume { who, blocks, blocked_by }),
        3 => (who(), name(), any::<bool>(), accounts())
            .prop_map(|(who, name, owns, blocked_by)| Step::Rename { who, name, owns, blocked_by }),
        3 => (who(), names()).prop_map(|(who, blocks)| Step::Block { who, blocks }),
        2 => (who(), account(), 0_u8..4, any::<bool>())
            .prop_map(|(who, account, level, elevated)| Step::Login { who, account, level, elevated }),
    ];
    prop::collection::vec(step, 0..40)
}

/// What the model knows of a member.
#[derive(Debug, Clone)]
struct User {
    identity: Identity,
    blocks: Vec<Username>,
    blocked_by: BTreeMap<i64, Username>,
    key: Option<SessionKey>,
}

fn account(number: usize) -> LoggedIn {
    let account_key = AccountKey { id: i64::try_from(number).unwrap(), epoch: 0 };
    LoggedIn { account: name(NAMES[number % NAMES.len()]), account_key }
}

fn blockers(numbers: &[usize]) -> Vec<(i64, Username)> {
    numbers
        .iter()
        .map(|number| account(*number))
        .map(|login| (login.account_key.id, login.account))
        .collect()
}

fn names_of(numbers: &[usize]) -> Vec<Username> {
    let unique: std::collections::BTreeSet<_> = numbers.iter().collect();
    unique.into_iter().map(|number| name(NAMES[*number])).collect()
}

impl User {
    fn blocks(&self, other: &Self) -> bool {
        other.identity.names().any(|name| self.blocks.contains(name))
    }
}

/// The rule itself, over everybody.
fn filter(all: &BTreeMap<MemberId, User>, id: MemberId) -> BlockFilter {
    let me = &all[&id];
    let mut hidden: HashSet<_> = me.blocks.iter().cloned().collect();
    let mut theirs: HashSet<_> = me.blocked_by.values().cloned().collect();
    for (_, other) in all.iter().filter(|(other, _)| **other != id) {
        let login = other.identity.login.as_ref();
        if me.blocks(other) {
            hidden.extend(other.identity.names().cloned());
        }
        if other.blocks(me)
            || login.is_some_and(|login| me.blocked_by.contains_key(&login.account_key.id))
        {
            theirs.extend(other.identity.names().cloned());
        }
    }
    let not_me = |name: &Username| !me.identity.names().any(|own| own == name);
    hidden.retain(not_me);
    theirs.retain(not_me);
    let (refused, ignored) = (hidden.union(&theirs).cloned().collect(), hidden.clone());
    let Identity { login, level, elevated, .. } = &me.identity;
    let is_staff = login.is_some() && (*elevated || *level >= Level::HELPER);
    if !me.identity.is_base() && !is_staff {
        hidden.extend(theirs);
    }
    BlockFilter { hidden, ignored, refused }
}

/// The account of `id` tells those who are known by one of these names whether it blocks them.
fn pass_on(all: &mut BTreeMap<MemberId, User>, id: MemberId, names: &[Username]) {
    let me = all[&id].clone();
    let Some(login) = me.identity.login.clone() else { return };
    for (_, other) in all.iter_mut().filter(|(other, _)| **other != id) {
        if !other.identity.names().any(|name| names.contains(name)) {
            continue;
        }
        if me.blocks(other) {
            other.blocked_by.insert(login.account_key.id, login.account.clone());
        } else {
            other.blocked_by.remove(&login.account_key.id);
        }
    }
}

fn admit(
    hub: &mut Hub,
    user: &User,
    resume: bool,
) -> Result<(MemberId, Option<SessionKey>), JoinError> {
    let lists = BlockLists::new(user.blocks.clone(), user.blocked_by.clone());
    let agreed = user.identity.agreed;
    let request = JoinRequest {
        identity: user.identity.clone(),
        lists,
        extra: br#""CAPABILITIES": """#,
        resume: resume.then_some(Resuming { key: user.key, after: 0, only: false }),
        random: 5,
        ..JoinRequest::base(&user.identity.name, "hi")
    };
    let joined = hub.admit(request)?;
    assert_eq!(joined.replaced.is_some(), resume);
    let Some(agreed) = agreed else { return Ok((joined.id, None)) };
    let frame =
        ServerFrame::parse_as(&joined.welcome.assemble().unwrap().concat()[4..], agreed).unwrap().0;
    let key = frame.keys.unwrap().resume.and_then(|token| SessionKey::parse(token.as_wire()));
    Ok((joined.id, key))
}

proptest! {
    #[test]
    fn everybody_is_filtered_as_if_held_against_everybody(steps in steps()) {
        let mut hub = hub();
        let mut all: BTreeMap<MemberId, User> = BTreeMap::new();
        for (number, step) in steps.into_iter().enumerate() {
            let here: Vec<MemberId> = all.keys().copied().collect();
            let at = |who: usize| here.get(who % here.len().max(1)).copied();
            match step {
                Step::Join { name: wanted, account: of, blocks, blocked_by, base } => {
                    let every: Capabilities = Capability::EVERY.iter().copied().collect();
                    // The hub does not keep how frames are written, and here nobody joins under a name in use (DV-1).
                    let every = every.without(Capability::Zstd).without(Capability::Devices);
                    let user = User {
                        identity: Identity {
                            login: of.map(account),
                            agreed: (!base).then_some(every),
                            ..Identity::guest(name(NAMES[wanted]))
                        },
                        blocks: names_of(&blocks),
                        blocked_by: blockers(&blocked_by).into_iter().collect(),
                        key: None,
                    };
                    let taken = all.values().any(|other| other.identity.name == user.identity.name);
                    match admit(&mut hub, &user, false) {
                        Ok((id, key)) => {
                            prop_assert!(!taken);
                            all.insert(id, User { key, ..user });
                        }
                        Err(_) => prop_assert!(taken),
                    }
                }
                Step::Leave(who) => {
                    if let Some(id) = at(who) {
                        let _ = hub.leave(id);
                        all.remove(&id);
                    }
                }
                Step::Resume { who, blocks, blocked_by } => {
                    let Some(id) = at(who).filter(|id| all[id].key.is_some()) else { continue };
                    let Some(old) = all.remove(&id) else { continue };
                    let user = User {
                        // Nobody resumes with the admin password.
                        identity: Identity { elevated: false, ..old.identity.clone() },
                        blocks: names_of(&blocks),
                        blocked_by: blockers(&blocked_by).into_iter().collect(),
                        key: old.key,
                    };
                    let (resumed, key) = admit(&mut hub, &user, true).unwrap();
                    let _ = hub.leave(id);
                    all.insert(resumed, User { key, ..user });
                }
                Step::Rename { who, name: to, owns, blocked_by } => {
                    let Some(id) = at(who) else { continue };
                    let to = name(NAMES[to]);
                    let blocked_by = blockers(&blocked_by);
                    let rename = Rename { name: to.clone(), owns, blocked_by: blocked_by.clone(), now: 0 };
                    let taken = all.iter().any(|(other, user)| *other != id && user.identity.name == to);
                    prop_assert_eq!(hub.rename(id, rename).is_err(), taken);
                    if !taken {
                        let user = all.get_mut(&id).unwrap();
                        user.identity.name = to;
                        user.blocked_by.extend(blocked_by);
                    }
                }
                Step::Block { who, blocks } => {
                    let Some(id) = at(who) else { continue };
                    let blocks = names_of(&blocks);
                    hub.set_blocked(id, blocks.clone());
                    let user = all.get_mut(&id).unwrap();
                    let old = std::mem::replace(&mut user.blocks, blocks.clone());
                    let changed: Vec<_> = old
                        .iter()
                        .filter(|name| !blocks.contains(name))
                        .chain(blocks.iter().filter(|name| !old.contains(name)))
                        .cloned()
                        .collect();
                    pass_on(&mut all, id, &changed);
                }
                Step::Login { who, account: of, level, elevated } => {
                    let Some(id) = at(who) else { continue };
                    let login = of.map(account);
                    let level = Level::new(level.into()).unwrap();
                    let changed = Some(login.clone().map_or(Login::Out, Login::In));
                    hub.amend(id, Amendment { login: changed, level: Some(level), elevated: Some(elevated) });
                    let user = all.get_mut(&id).unwrap();
                    let old = user.identity.login.clone();
                    (user.identity.login, user.identity.level, user.identity.elevated) = (login.clone(), level, elevated);
                    let id_of = |login: &Option<LoggedIn>| login.as_ref().map(|login| login.account_key.id);
                    if id_of(&old) != id_of(&login) {
                        let names = user.blocks.clone();
                        pass_on(&mut all, id, &names);
                    }
                }
            }
            // Not all are asked each time: a filter that is asked for later has to be right as well.
            for id in all.keys().copied().filter(|id| !(id.0 + number as u64).is_multiple_of(3)).collect::<Vec<_>>() {
                let expected = filter(&all, id);
                prop_assert_eq!(&hub.shared_filter(id).hidden, &expected.hidden, "{:?} after step {}", id, number);
                prop_assert_eq!(&hub.filter(id), &expected);
            }
            for (id, user) in &all {
                for (other, to) in &all {
                    let expected = filter(&all, *id).refused.contains(&to.identity.name)
                        || filter(&all, *other).refused.contains(&user.identity.name);
                    let reserved = hub.reserve(*id, &to.identity.name, 0);
                    prop_assert_eq!(reserved == Err(Code::Blocked), expected, "{:?} to {:?}", id, other);
                }
                prop_assert_eq!(hub.identity(*id), Some(&user.identity));
                if let Some(login) = &user.identity.login {
                    let found: HashSet<_> = hub.logged_in(login).map(|(id, _)| id).collect();
                    let same = |user: &User| user.identity.login.as_ref() == Some(login);
                    let expected: HashSet<_> =
                        all.iter().filter(|(_, user)| same(user)).map(|(id, _)| *id).collect();
                    prop_assert_eq!(found, expected);
                }
            }
        }
        for id in all.into_keys() {
            let _ = hub.leave(id);
        }
        prop_assert!(hub.replica.presence().is_empty(), "nothing is kept of those who left");
    }
}

#[test]
fn nothing_for_one_member_alone_is_put_together_under_the_lock() {
    let mut hub = hub();
    let every = Capability::EVERY.iter().copied().collect();
    let mut admit = |text: &str, blocks: &[&str]| {
        let identity = Identity { agreed: Some(every), ..Identity::guest(name(text)) };
        let lists = BlockLists::new(blocks.iter().map(|text| name(text)).collect(), []);
        let extra = br#""CAPABILITIES": """#;
        let request =
            JoinRequest { identity, lists, extra, ..JoinRequest::base(&name(text), "hi") };
        hub.admit(request).unwrap().id
    };
    let (hider, other) = (admit("ann", &["Eve"]), admit("bob", &[]));
    let _ = (hub.take(hider), hub.take(other));
    for (source, text) in [("eve", "hidden"), ("cyd", "shown"), ("EVE", "hidden")] {
        let _ = apply(&mut hub, &record(source, None, text));
    }
    let _ = hub.tell(hider, Event::error("own"));
    let Delivery::Frames { frames, more: false, .. } = hub.take(hider) else { panic!() };
    assert!(!frames.is_assembled(), "whoever writes them puts them together");
    let Delivery::Frames { frames: others, .. } = hub.take(other) else { panic!() };
    assert!(!others.is_assembled());
    // They are what was taken, whatever happens before they are put together.
    let _ = apply(&mut hub, &record("cyd", None, "later"));
    hub.set_blocked(hider, vec![]);
    let told = |frames: &[Bytes]| String::from_utf8(frames.concat().split_off(4)).unwrap();
    let told = told(frames.frames());
    assert!(told.contains("shown") && told.contains("own") && !told.contains("hidden"), "{told}");
    assert!(!told.contains("later"));
}

fn guest_here(hub: &mut Hub, text: &str) -> MemberId {
    hub.admit(JoinRequest::base(&name(text), "hi")).unwrap().id
}

#[test]
fn whoever_hides_somebody_shares_what_the_others_say() {
    let mut hub = hub();
    let [hider, other, ann, bob] =
        ["hider", "other", "ann", "bob"].map(|text| guest_here(&mut hub, text));
    hub.set_blocked(hider, vec![name("ann")]);
    for id in [hider, other, ann, bob] {
        while let Delivery::Frames { .. } = hub.take(id) {}
    }
    let both = |hub: &mut Hub, first, second| {
        let (Delivery::Frames { frames, .. }, Delivery::Frames { frames: same, .. }) =
            (hub.take(first), hub.take(second))
        else {
            panic!("there is something")
        };
        frames.is_same(&same)
    };
    let _ = apply(&mut hub, &record("bob", None, "shown"));
    assert!(both(&mut hub, other, hider));
    let _ = apply(&mut hub, &record("bob", None, "shown"));
    assert!(both(&mut hub, hider, other), "also when it is the first to take");
    let _ = hub.leave(ann);
    assert!(both(&mut hub, other, hider), "everybody is told who leaves");
    let ann = guest_here(&mut hub, "ann");
    let _ = apply(&mut hub, &record("ann", None, "hidden"));
    assert!(!both(&mut hub, hider, other));
    assert!(hub.name_of(ann).is_some());
}
