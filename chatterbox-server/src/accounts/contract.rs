//! The contract test of every directory.

mod keys;

use chatterbox_hub::{AccountKey, Level, Marked, RoomNumber};
use chatterbox_proto::Username;

use super::*;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::stored(text.to_owned())
}

fn account(text: &str) -> Account {
    Account {
        account_key: AccountKey::default(),
        name: name(text),
        password: hash(text),
        level: Level::USER,
        created: 7,
    }
}

/// The account without its key.
fn whichever(account: Account) -> Account {
    Account { account_key: AccountKey::default(), ..account }
}

/// Runs the contract against fresh directories.
pub fn holds<D: Directory>(fresh: impl Fn() -> D) {
    accounts(&mut fresh());
    identities(&mut fresh());
    look_alikes(&mut fresh());
    tokens(&mut fresh());
    blocks(&mut fresh());
    marks(&mut fresh());
    keys::hold(&mut fresh());
    settings(&mut fresh());
    ever_seen(&mut fresh());
    guests_are_bounded(&mut fresh());
    let mut first = fresh();
    first.add(&account("ann")).unwrap();
    assert_eq!(fresh().account(&name("ann")).unwrap(), None, "directories share nothing");
}

fn accounts(directory: &mut impl Directory) {
    assert_eq!(directory.account(&name("ann")).unwrap(), None);
    assert!(!directory.set_level(&name("ann"), Level::ADMIN).unwrap());
    assert!(!directory.change_password(&name("ann"), &hash("x")).unwrap());
    assert_eq!(directory.remove(&name("ann")).unwrap(), None);
    assert_eq!(directory.list(9).unwrap(), [], "nothing of that has made anything");

    assert_eq!(directory.add(&account("Ann")).unwrap(), Added::Yes);
    assert_eq!(directory.add(&account("aNN")).unwrap(), Added::Already);
    let found = directory.account(&name("ANN")).unwrap().map(whichever);
    assert_eq!(found, Some(account("Ann")), "the same name, and the first one counts");
    assert_eq!(found.unwrap().name.as_str(), "Ann", "in the spelling that was registered");
    assert_eq!(directory.account(&name("anna")).unwrap(), None, "b2: whole names only");

    assert_eq!(directory.add(&account("jörg")).unwrap(), Added::Yes);
    assert_eq!(directory.add(&account("JO\u{308}RG")).unwrap(), Added::Already);
    assert_eq!(directory.add(&account("bob")).unwrap(), Added::Yes);
    let listed: Vec<_> = directory.list(2).unwrap().into_iter().map(|a| a.name).collect();
    assert_eq!(listed, [name("ann"), name("bob")]);

    assert!(directory.set_level(&name("ann"), Level::MODERATOR).unwrap());
    assert!(directory.change_password(&name("ann"), &hash("new")).unwrap());
    directory.replace_hash(&name("ann"), &hash("old"), &hash("late")).unwrap();
    let found = directory.account(&name("ann")).unwrap().unwrap();
    assert_eq!((found.level, found.password), (Level::MODERATOR, hash("new")));
    directory.replace_hash(&name("ann"), &hash("new"), &hash("costlier")).unwrap();
    assert_eq!(directory.account(&name("ann")).unwrap().unwrap().password, hash("costlier"));
    assert_eq!(directory.account(&name("bob")).unwrap().map(whichever), Some(account("bob")));

    let account_key = directory.account(&name("ann")).unwrap().unwrap().account_key;
    assert_eq!(directory.remove(&name("ANN")).unwrap(), Some(account_key), "it says which");
    assert_eq!(directory.changes().unwrap(), [], "those of others only");
    assert_eq!(directory.account(&name("ann")).unwrap(), None);
}

fn identities(directory: &mut impl Directory) {
    for owner in ["ann", "bob"] {
        directory.add(&account(owner)).unwrap();
    }
    let mut seen = Vec::new();
    let mut is_new = |directory: &mut dyn Directory, what| {
        let account_key = directory.account(&name("ann")).unwrap().unwrap().account_key;
        assert!(!seen.contains(&account_key), "{what}");
        seen.push(account_key);
        account_key
    };
    let bob = directory.account(&name("bob")).unwrap().unwrap().account_key;
    let first = is_new(directory, "an account");
    assert_ne!(first.id, bob.id);
    directory.change_password(&name("ANN"), &hash("new")).unwrap();
    assert_eq!(is_new(directory, "a password").id, first.id);
    directory.remove_tokens(&name("ANN")).unwrap();
    let last = is_new(directory, "all logins ended");
    assert_eq!(last.id, first.id);
    directory.set_level(&name("ann"), Level::ADMIN).unwrap();
    directory.replace_hash(&name("ann"), &hash("new"), &hash("costlier")).unwrap();
    directory.add_token(&name("ann"), TokenHash([1; 32]), 100).unwrap();
    directory.remove_token(TokenHash([1; 32])).unwrap();
    let same = directory.account(&name("ann")).unwrap().unwrap().account_key;
    assert_eq!(same, last, "none of that ends all logins");
    for _ in 0..2 {
        directory.remove(&name("ann")).unwrap();
        directory.add(&account("ann")).unwrap();
        assert_ne!(is_new(directory, "it is another ann's").id, first.id);
    }
    assert_eq!(directory.account(&name("bob")).unwrap().unwrap().account_key, bob);
}

fn marks(directory: &mut impl Directory) {
    for owner in ["ann", "bob"] {
        directory.add(&account(owner)).unwrap();
    }
    let mut id = |text| directory.account(&name(text)).unwrap().unwrap().account_key.id;
    let (ann, bob) = (id("ann"), id("bob"));
    let room = Marked::Room(RoomNumber(7));
    let mark = |account, with: &Marked, upto| NewMark { account, with: with.clone(), upto };
    let eve = Marked::User(name("Eve"));
    let set = [
        mark(ann, &Marked::Lobby, 5),
        mark(bob, &Marked::Lobby, 9),
        mark(ann, &Marked::Room(RoomNumber(8)), 0),
        mark(ann, &eve, 3),
        mark(ann, &room, 4),
        mark(ann, &Marked::Lobby, 4),
        mark(ann + bob + 1, &Marked::Lobby, 4),
    ];
    let news = directory.set_marks(&set).unwrap();
    let expected = [true, true, false, true, true, false, false];
    assert_eq!(news, expected, "up to something, only forward, and of who is there");
    let eve = Marked::User(name("EVE"));
    assert_eq!(directory.set_marks(&[mark(ann, &eve, 8)]).unwrap(), [true]);
    assert_eq!(directory.marks(ann).unwrap(), [(Marked::Lobby, 5), (room, 4), (eve, 8)]);
    assert_eq!(directory.marks(bob).unwrap(), [(Marked::Lobby, 9)]);
    // Those of the oldest messages go.
    let many: Vec<_> = (0..MARKS as u64)
        .map(|number| mark(ann, &Marked::Room(RoomNumber(100 + number)), 100 + number))
        .collect();
    directory.set_marks(&many).unwrap();
    let kept = directory.marks(ann).unwrap();
    assert_eq!(kept.len(), MARKS);
    assert!(kept.iter().all(|(_, upto)| *upto >= 100), "the least numbers have gone");
    // What is news is kept, however far the others are.
    let old = (Marked::Room(RoomNumber(9)), 1);
    assert_eq!(directory.set_marks(&[mark(ann, &old.0, old.1)]).unwrap(), [true]);
    let kept = directory.marks(ann).unwrap();
    assert!(kept.len() == MARKS && kept.contains(&old));
    assert!(
        kept.iter().all(|mark| *mark == old || mark.1 > 100),
        "the least of the others has gone"
    );
    directory.remove(&name("ann")).unwrap();
    directory.add(&account("ann")).unwrap();
    let anew = directory.account(&name("ann")).unwrap().unwrap().account_key.id;
    assert_eq!(directory.marks(anew).unwrap(), [], "somebody else has read nothing");
    assert_eq!(directory.marks(ann).unwrap(), []);
    assert_eq!(directory.marks(bob).unwrap().len(), 1);
}

fn look_alikes(directory: &mut impl Directory) {
    directory.add(&account("scope")).unwrap();
    directory.add(&account("Bill")).unwrap();
    let mut alike = |text| directory.look_alike(&name(text)).unwrap().map(|n| n.to_string());
    assert_eq!(alike("ѕсоре").as_deref(), Some("scope"));
    assert_eq!(alike("BiII").as_deref(), Some("Bill"));
    assert_eq!(alike("sc0pe").as_deref(), Some("scope"));
    assert_eq!(alike("scope"), None, "it is no look-alike of itself");
    assert_eq!(alike("SCOPE"), None, "the same name is not one that looks like it");
    assert_eq!(alike("otto"), None);
    for text in ["ѕсоре", "BiII", "sc0pe", "bill"] {
        assert_eq!(directory.add_unlike(&account(text)).unwrap(), Added::Already, "{text}");
    }
    assert_eq!(directory.list(9).unwrap().len(), 2, "nothing of that has made anything");
    assert_eq!(directory.add_unlike(&account("otto")).unwrap(), Added::Yes);
    directory.remove(&name("scope")).unwrap();
    assert_eq!(directory.look_alike(&name("ѕсоре")).unwrap(), None);
}

fn tokens(directory: &mut impl Directory) {
    let token = |number: usize| TokenHash([u8::try_from(number).unwrap(); 32]);
    directory.add_token(&name("ann"), token(1), 100).unwrap();
    assert_eq!(directory.token_owner(token(1), 7).unwrap(), None, "there is no such account");
    for owner in ["ann", "bob"] {
        directory.add(&account(owner)).unwrap();
    }
    directory.add_token(&name("ANN"), token(1), 100).unwrap();
    directory.add_token(&name("bob"), token(2), 100).unwrap();
    assert_eq!(directory.token_owner(token(1), 99).unwrap().map(whichever), Some(account("ann")));
    assert_eq!(directory.token_owner(token(1), 100).unwrap(), None, "it has ended");
    directory.remove_token(token(1)).unwrap();
    assert_eq!(directory.token_owner(token(1), 7).unwrap(), None);
    for number in 10..=10 + TOKENS {
        directory.add_token(&name("ann"), token(number), 100).unwrap();
    }
    assert_eq!(directory.token_owner(token(10), 7).unwrap(), None, "the oldest goes");
    assert!(directory.token_owner(token(11), 7).unwrap().is_some());
    directory.change_password(&name("ann"), &hash("new")).unwrap();
    assert_eq!(directory.token_owner(token(11), 7).unwrap(), None, "a new password ends them");
    assert_eq!(directory.token_owner(token(2), 7).unwrap().map(whichever), Some(account("bob")));
    directory.remove_tokens(&name("bob")).unwrap();
    assert_eq!(directory.token_owner(token(2), 7).unwrap(), None);
    directory.add_token(&name("bob"), token(3), 100).unwrap();
    directory.remove(&name("bob")).unwrap();
    directory.add(&account("bob")).unwrap();
    assert_eq!(directory.token_owner(token(3), 7).unwrap(), None, "it was another bob's");
}

fn blocks(directory: &mut impl Directory) {
    for owner in ["ann", "bob"] {
        directory.add(&account(owner)).unwrap();
    }
    let (ann, bob) = (name("ann"), name("bob"));
    assert_eq!(directory.block(&name("guest"), &ann).unwrap(), Added::Full, "no account");
    assert_eq!(directory.block(&ann, &name("eve")).unwrap(), Added::Yes);
    assert_eq!(directory.block(&ann, &name("EVE")).unwrap(), Added::Already);
    assert_eq!(directory.block(&ann, &name("Dan")).unwrap(), Added::Yes);
    assert_eq!(directory.block(&bob, &name("eve")).unwrap(), Added::Yes);
    let texts =
        |names: Vec<Username>| -> Vec<_> { names.iter().map(Username::to_string).collect() };
    assert_eq!(texts(directory.blocked(&ann).unwrap()), ["Dan", "eve"]);
    let found = directory.blockers(&name("EVE")).unwrap();
    for (id, owner) in &found {
        assert_eq!(directory.account(owner).unwrap().unwrap().account_key.id, *id);
    }
    let mut blockers = texts(found.into_iter().map(|(_, name)| name).collect());
    blockers.sort();
    assert_eq!(blockers, ["ann", "bob"]);
    assert_eq!(directory.blockers(&name("ev")).unwrap(), []);
    assert!(directory.unblock(&ann, &name("Eve")).unwrap());
    assert!(!directory.unblock(&ann, &name("eve")).unwrap());
    assert_eq!(texts(directory.blocked(&ann).unwrap()), ["Dan"]);
    let others = texts(directory.blocked(&bob).unwrap());
    assert_eq!(others, ["eve"], "b9: one user's unblock leaves everybody else's list alone");
    for number in 0..BLOCKS - 1 {
        assert_eq!(directory.block(&ann, &name(&format!("x{number}"))).unwrap(), Added::Yes);
    }
    assert_eq!(directory.block(&ann, &name("more")).unwrap(), Added::Full);
    assert_eq!(directory.block(&ann, &name("dan")).unwrap(), Added::Already);
    directory.remove(&ann).unwrap();
    directory.add(&account("ann")).unwrap();
    assert_eq!(directory.blocked(&ann).unwrap(), []);
}

fn settings(directory: &mut impl Directory) {
    assert_eq!(directory.settings().unwrap(), Settings::default());
    directory.set_prefix("/").unwrap();
    directory.set_prefix("!").unwrap();
    for command in ["nick", "test", "test"] {
        directory.set_disabled(command, true).unwrap();
    }
    directory.set_disabled("nick", false).unwrap();
    directory.set_disabled("nick", false).unwrap();
    directory.set_guests(true).unwrap();
    directory.set_guests(false).unwrap();
    directory.set_admin_password(Some(&hash("x"))).unwrap();
    let expected = Settings {
        prefix: Some("!".into()),
        disabled: ["test".to_owned()].into(),
        guests: Some(false),
        admin_password: Some(hash("x")),
    };
    assert_eq!(directory.settings().unwrap(), expected);
    directory.set_admin_password(None).unwrap();
    assert_eq!(directory.settings().unwrap().admin_password, None);
}

/// Name, number of the account or none, and when.
fn seen(text: &str, account: Option<i64>, at: i64, is_new: bool) -> Seen {
    Seen { name: name(text), account, at, is_new }
}

fn ever_seen(directory: &mut impl Directory) {
    let day = 24 * 60 * 60;
    let now = 100 * day;
    let shown = |directory: &mut dyn Directory, after: Option<&str>, limit, now| {
        let after = after.map(name);
        let found = directory.ever_seen(after.as_ref(), limit, now).unwrap();
        let shown = found.into_iter().map(|one| (one.name.to_string(), one.at, one.hides));
        shown.collect::<Vec<_>>()
    };
    let row = |text: &str, at, hides| (text.to_owned(), at, hides);
    directory.add(&account("Ann")).unwrap();
    directory.add(&account("zoe")).unwrap();
    let ann = directory.account(&name("ann")).unwrap().unwrap().account_key.id;
    assert_eq!(shown(directory, None, 9, now), [row("Ann", None, false), row("zoe", None, false)]);
    let all = [
        seen("Ann", Some(ann), now - 9, true),
        seen("bob", None, now - 5, true),
        seen("Cyd", None, now - 40 * day, true),
        seen("Dan", None, now - 29 * day, true),
        seen("eve", None, now, false),
        seen("nobody", Some(ann + 1_000), now, true),
    ];
    directory.note_seen(&all, now).unwrap();
    let expected = [
        row("Ann", Some(now - 9), false),
        row("bob", Some(now - 5), false),
        row("Dan", Some(now - 29 * day), false),
        row("zoe", None, false),
    ];
    assert_eq!(shown(directory, None, 9, now), expected, "no guest of before, and no new one");
    assert_eq!(shown(directory, None, 2, now), expected[..2]);
    assert_eq!(shown(directory, Some("BOB"), 9, now), expected[2..], "behind a name");
    assert_eq!(shown(directory, Some("bobby"), 1, now), expected[2..3]);
    assert_eq!(
        shown(directory, Some("ann"), 9, now + 2 * day),
        [expected[1].clone(), expected[3].clone()]
    );

    // A later time counts, an earlier one does not; a guest who was here is known.
    let later = [
        seen("ann", Some(ann), now - 90, true),
        seen("BOB", None, now + 7, false),
        seen("dan", None, now - 29 * day - 1, false),
    ];
    directory.note_seen(&later, now).unwrap();
    assert_eq!(directory.last_seen(ann).unwrap(), Some(now - 9));
    assert_eq!(directory.last_seen(ann + 1_000).unwrap(), None);
    let found = shown(directory, None, 9, now);
    assert_eq!(found[1..3], [row("BOB", Some(now + 7), false), row("dan", expected[2].1, false)]);

    // Whoever hides it, hides it until they don't; a name that is registered is an account.
    assert!(directory.hide_last_seen(ann, true).unwrap());
    assert!(!directory.hide_last_seen(ann + 1_000, true).unwrap());
    assert_eq!(shown(directory, None, 1, now), [row("Ann", Some(now - 9), true)]);
    assert!(directory.hide_last_seen(ann, false).unwrap());
    directory.add(&account("bob")).unwrap();
    let found = shown(directory, None, 9, now);
    assert_eq!(found[..2], [row("Ann", Some(now - 9), false), row("bob", None, false)]);
    // Nothing is left of an account that is removed.
    directory.remove(&name("ann")).unwrap();
    assert_eq!(directory.last_seen(ann).unwrap(), None);
    assert!(!shown(directory, None, 9, now).iter().any(|(name, ..)| name == "Ann"));
}

fn guests_are_bounded(directory: &mut impl Directory) {
    let many = GUESTS as i64 + 100;
    let all: Vec<_> =
        (0..many).map(|number| seen(&format!("g{number}"), None, number, true)).collect();
    directory.note_seen(&all, 0).unwrap();
    let found = directory.ever_seen(None, usize::MAX, 0).unwrap();
    assert_eq!(found.len(), GUESTS);
    assert_eq!(found.iter().filter_map(|one| one.at).min(), Some(100), "the oldest have gone");
}
