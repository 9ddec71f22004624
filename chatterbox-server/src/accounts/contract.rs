//! The contract test of every directory.

use chatterbox_hub::{AccountKey, Level};
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
    settings(&mut fresh());
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
