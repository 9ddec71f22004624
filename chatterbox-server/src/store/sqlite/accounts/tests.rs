use chatterbox_hub::AccountChangeKind;

use super::*;

#[test]
fn holds_the_contract() {
    let folders = std::cell::RefCell::new(Vec::new());
    crate::accounts::contract::holds(|| {
        let folder = tempfile::tempdir().unwrap();
        let directory = Sqlite::open(folder.path()).unwrap();
        folders.borrow_mut().push(folder);
        directory
    });
}

#[test]
fn two_that_are_open_at_a_time_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, mut beside) =
        (Sqlite::open(folder.path()).unwrap(), Sqlite::open(folder.path()).unwrap());
    let name = Username::parse("ann").unwrap();
    let account = Account {
        account_key: AccountKey { id: 1, epoch: 0 },
        name: name.clone(),
        password: PasswordHash::stored("x".into()),
        level: Level::USER,
        created: 7,
    };
    assert_eq!(beside.add(&account).unwrap(), Added::Yes);
    assert_eq!(server.account(&name).unwrap(), Some(account.clone()));
    assert_eq!(server.add(&account).unwrap(), Added::Already);
    beside.set_level(&name, Level::ADMIN).unwrap();
    assert_eq!(server.account(&name).unwrap().unwrap().level, Level::ADMIN);
    beside.remove(&name).unwrap();
    assert_eq!(server.account(&name).unwrap(), None);
}

#[test]
fn what_ends_logins_is_told_to_the_other_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, mut beside) =
        (Sqlite::open(folder.path()).unwrap(), Sqlite::open(folder.path()).unwrap());
    let name = |text| Username::parse(text).unwrap();
    let mut id = |text| {
        let password = PasswordHash::stored("x".into());
        let (name, level) = (name(text), Level::USER);
        let account_key = AccountKey::default();
        let account = Account { account_key, name: name.clone(), password, level, created: 7 };
        beside.add(&account).unwrap();
        beside.account(&name).unwrap().unwrap().account_key.id
    };
    let (ann, bob) = (id("Ann"), id("bob"));
    assert_eq!(server.changes().unwrap(), [], "an account that is made ends nothing");
    let change = |account, text, kind| AccountChange { account, name: name(text), kind };
    let ended = |epoch| AccountChangeKind::LoginsEnded { epoch, spared: None };
    beside.change_password(&name("ann"), &PasswordHash::stored("y".into())).unwrap();
    beside.remove_tokens(&name("ann")).unwrap();
    assert!(beside.set_level(&name("ANN"), Level::ADMIN).unwrap());
    assert!(!beside.set_level(&name("nobody"), Level::ADMIN).unwrap());
    beside.remove(&name("BOB")).unwrap();
    server.remove_tokens(&name("ann")).unwrap();
    let expected = [
        change(ann, "Ann", ended(1)),
        change(ann, "Ann", ended(2)),
        change(ann, "Ann", ended(2)), // Another level: no login of this epoch ends.
        change(bob, "bob", AccountChangeKind::Removed),
    ];
    assert_eq!(server.changes().unwrap(), expected, "without its own");
    assert_eq!(server.changes().unwrap(), []);
    assert_eq!(beside.changes().unwrap(), [change(ann, "Ann", ended(3))]);
    // A server that starts has nobody who is logged in.
    assert_eq!(Sqlite::open(folder.path()).unwrap().changes().unwrap(), []);
    let few = |sqlite: &Sqlite| {
        let count = "SELECT count(*) FROM account_changes";
        sqlite.connection.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(few(&server), 5);
    let fill = "UPDATE account_changes SET number = number + 100000";
    server.connection.execute(fill, []).unwrap();
    server.connection.execute("UPDATE sqlite_sequence SET seq = 200000", []).unwrap();
    beside.remove_tokens(&name("ann")).unwrap();
    assert_eq!(few(&server), 1, "old ones go");
}
