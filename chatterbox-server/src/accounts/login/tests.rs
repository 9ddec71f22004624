use std::net::Ipv4Addr;

use chatterbox_proto::capability::accounts::Secret as WireSecret;

use super::*;
use crate::store::MemoryDirectory;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn password(text: &str) -> Option<Proof> {
    Some(Proof::Password(WireSecret::new(text)))
}

fn token(text: &str) -> Option<Proof> {
    Some(Proof::Token(WireSecret::new(text)))
}

fn accounts() -> Accounts {
    Accounts::new(MemoryDirectory::default(), Cost::CHEAP).unwrap()
}

async fn with_ann() -> (Accounts, Token) {
    let accounts = accounts();
    let secret = Secret::given("correct horse");
    let (token, _) =
        accounts.register(&name("ann"), secret, vec![name("eve")], HERE).await.unwrap();
    (accounts, token)
}

async fn login(
    accounts: &Accounts,
    text: &str,
    proof: Option<Proof>,
) -> Result<Login, &'static str> {
    let login = accounts.authenticate(&name(text), proof.as_ref(), HERE, true).await;
    login.map_err(|refusal| refusal.word())
}

#[tokio::test]
async fn a_password_is_good_for_its_name_and_gives_a_token() {
    let (accounts, _) = with_ann().await;
    let ann = login(&accounts, "ANN", password("correct horse")).await.unwrap();
    assert_eq!((ann.level, ann.account.clone()), (Level::USER, Some(name("ann"))));
    assert_eq!(ann.blocked, [name("eve")], "what was blocked as a guest is kept");
    let text = ann.token.clone().unwrap();
    let early = login(&accounts, "ann", token(text.as_str())).await;
    assert_eq!(early.unwrap_err(), "wrong-token", "it is worth nothing before ann has joined");
    accounts.store_token(&ann).await.unwrap();
    let again = login(&accounts, "ann", token(text.as_str())).await.unwrap();
    assert!(again.token.is_none() && again.token_hash == ann.token_hash);
    let other = login(&accounts, "bob", token(text.as_str())).await;
    assert_eq!(other.unwrap_err(), "wrong-token", "nobody else's name");
}

#[tokio::test]
async fn b4_a_failed_login_creates_nothing() {
    let (accounts, _) = with_ann().await;
    for (text, proof) in [
        ("ann", password("wrong")),
        ("bob", password("correct horse")),
        ("bob", password("")),
        ("ann", token("x")),
        ("ann", password("correct horse\0")),
        ("ann", password("correct horse\n{\"USERNAME\": \"bob\"}")),
    ] {
        let failed = login(&accounts, text, proof).await.unwrap_err();
        assert!(failed.starts_with("wrong-"), "{failed}");
    }
    let all = accounts.list(9).await.unwrap();
    assert_eq!(all.iter().map(|account| &account.name).collect::<Vec<_>>(), [&name("ann")]);
    assert!(login(&accounts, "bob", None).await.is_ok(), "bob is still free");
}

#[tokio::test]
async fn a_registered_name_is_not_free_and_neither_is_one_that_looks_like_it() {
    let (accounts, _) = with_ann().await;
    let secret = || Secret::given("correct horse");
    accounts.register(&name("Bill"), secret(), vec![], HERE).await.unwrap();
    for (text, word) in [("ann", "registered"), ("Ann", "registered"), ("BiII", "looks-taken")] {
        assert_eq!(login(&accounts, text, None).await.unwrap_err(), word, "{text}");
        let refused = accounts.register(&name(text), secret(), vec![], HERE).await;
        assert!(matches!(refused, Err(Refused::Registered(_))), "{refused:?}");
    }
    for text in ["anna", "an", "annb"] {
        assert!(login(&accounts, text, None).await.is_ok(), "b2: {text} is another name");
    }
    let stranger = accounts.authenticate(&name("carl"), None, HERE, false).await;
    assert_eq!(stranger.unwrap_err(), Refusal::NoGuests);
}

#[tokio::test]
async fn guessing_is_throttled_and_the_right_password_too() {
    let (accounts, _) = with_ann().await;
    for _ in 0..5 {
        let wrong = login(&accounts, "ann", password("wrong")).await;
        assert_eq!(wrong.unwrap_err(), "wrong-password");
    }
    for text in ["wrong", "correct horse"] {
        assert_eq!(login(&accounts, "ann", password(text)).await.unwrap_err(), "throttled");
    }
    let unknown = login(&accounts, "nobody", password("wrong")).await;
    assert_eq!(unknown.unwrap_err(), "wrong-password", "other names are not");
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let proof = password("correct horse");
    assert!(accounts.authenticate(&name("ann"), proof.as_ref(), elsewhere, true).await.is_ok());
}

#[tokio::test]
async fn guesses_at_the_same_moment_count_too() {
    let (accounts, _) = with_ann().await;
    let many = (0..100).map(|_| login(&accounts, "ann", password("wrong")));
    let outcomes = futures_util::future::join_all(many).await;
    let checked = outcomes.iter().filter(|o| o.as_ref().is_err_and(|w| *w == "wrong-password"));
    assert_eq!(checked.count(), 5);
}

#[tokio::test]
async fn of_two_that_look_alike_and_register_at_the_same_moment_one_is_registered() {
    let accounts = accounts();
    let (bill, alike) = (name("Bill"), name("BiII"));
    let register = |name| accounts.register(name, Secret::given("correct horse"), vec![], HERE);
    let (first, second) = futures_util::future::join(register(&bill), register(&alike)).await;
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    assert_eq!(accounts.list(9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn wrong_tokens_do_not_lock_out_good_ones() {
    let (accounts, good) = with_ann().await;
    let mut refused = Vec::new();
    for _ in 0..60 {
        refused.push(login(&accounts, "ann", token("wrong")).await.unwrap_err());
    }
    assert_eq!((refused[0], refused[59]), ("wrong-token", "throttled"));
    assert!(login(&accounts, "ann", token(good.as_str())).await.is_ok());
}

#[tokio::test]
async fn another_password_ends_all_logins() {
    let (accounts, old) = with_ann().await;
    let account_key = accounts.account(&name("ann")).await.unwrap().unwrap().account_key;
    let ann = LoggedIn { account: name("ann"), account_key };
    let change = |old, new| {
        accounts.change_password(&ann, None, Secret::given(old), Secret::given(new), HERE)
    };
    assert!(matches!(change("wrong", "x").await, Err(Refused::WrongPassword)));
    let (new, account_key) = change("correct horse", "battery staple").await.unwrap();
    assert!(login(&accounts, "ann", token(old.as_str())).await.is_err());
    assert!(login(&accounts, "ann", token(new.as_str())).await.is_ok());
    assert!(login(&accounts, "ann", password("correct horse")).await.is_err());
    assert!(login(&accounts, "ann", password("battery staple")).await.is_ok());
    let logged_in = LoggedIn { account: name("ann"), account_key };
    accounts.log_out(&logged_in, None, Some(new.hash()), false).await.unwrap();
    assert_eq!(login(&accounts, "ann", token(new.as_str())).await.unwrap_err(), "wrong-token");
}

#[tokio::test]
async fn a_hash_of_another_cost_is_made_anew() {
    let mut directory = MemoryDirectory::default();
    let secret = Secret::given("correct horse");
    let old = PasswordHash::make(&secret, Cost { passes: 2, ..Cost::CHEAP }).unwrap();
    let account = Account {
        account_key: AccountKey::default(),
        name: name("ann"),
        password: old.clone(),
        level: Level::HELPER,
        created: 7,
    };
    directory.add(&account).unwrap();
    let accounts = Accounts::new(directory, Cost::CHEAP).unwrap();
    assert!(login(&accounts, "ann", password("wrong")).await.is_err());
    assert_eq!(accounts.account(&name("ann")).await.unwrap().unwrap().password, old);
    assert_eq!(login(&accounts, "ann", password("correct horse")).await.unwrap().level.number(), 2);
    let new = accounts.account(&name("ann")).await.unwrap().unwrap().password;
    assert_eq!(new.check(&secret, Cost::CHEAP), Ok(Verdict::Right));
}

#[tokio::test]
async fn the_admin_password_is_throttled() {
    let mut directory = MemoryDirectory::default();
    let hash = PasswordHash::make(&Secret::given("correct horse"), Cost::CHEAP).unwrap();
    directory.set_admin_password(Some(&hash)).unwrap();
    let accounts = Accounts::new(directory, Cost::CHEAP).unwrap();
    let ann = name("ann");
    let elevate = |text| accounts.elevate(&ann, Secret::given(text), HERE);
    assert!(elevate("correct horse").await.is_ok());
    for _ in 0..5 {
        assert!(matches!(elevate("wrong").await, Err(Refused::WrongPassword)));
    }
    assert!(matches!(elevate("correct horse").await, Err(Refused::Throttled(_))));
    let bob = name("bob");
    let others = accounts.elevate(&bob, Secret::given("wrong"), HERE);
    assert!(matches!(others.await, Err(Refused::Throttled(_))), "one password, so one count");
    let none = self::accounts().elevate(&ann, Secret::given("x"), HERE).await;
    assert!(matches!(none, Err(Refused::NoAdminPassword)));
}
