//! What every store of what is known about files does. The accounts 1 and 2 are there.

use chatterbox_hub::{FileScope, Party, RoomNumber, Sequence};
use chatterbox_proto::Username;

use crate::files::file_store::FileStore;
use crate::files::stored_file::*;

const QUOTAS: Quotas = Quotas { account: 100, room: 150, all: 180 };
const NOW: i64 = 1_000_000;

fn new(token: &str, account: i64, scope: FileScope, size: u64) -> NewFile {
    NewFile {
        token: token.to_owned(),
        account,
        scope,
        name: format!("{token}.pdf"),
        size,
        // Of each another one.
        sha256: [u8::try_from(token.len()).unwrap(); 32],
        now: NOW,
        until: NOW + 7 * 86_400,
    }
}

fn room() -> FileScope {
    FileScope::Room(RoomNumber(12))
}

fn claim(token: &str, key: &str) -> Claim {
    Claim {
        token: token.to_owned(),
        account: 1,
        scope: room(),
        source: Username::parse("Ann").unwrap(),
        recipient: Some(Party::Account(2)),
        key: key.to_owned(),
        now: NOW,
    }
}

fn space_of(reserved: &Reserved) -> Option<(Quota, u64, u64)> {
    match reserved {
        Reserved::NoSpace { quota, most, left } => Some((*quota, *most, *left)),
        _ => None,
    }
}

/// Checks all of it on empty stores. `announce` has the next message announce a file, and gives its number.
pub(crate) fn holds<S: FileStore>(
    mut empty: impl FnMut() -> S,
    mut announce: impl FnMut(&mut S, &str) -> Sequence,
) {
    what_is_reserved_counts_and_is_found_again(&mut empty());
    quotas_are_of_accounts_rooms_and_all(&mut empty());
    a_file_is_announced_once_by_its_owner_to_its_place(&mut empty(), &mut announce);
    a_claim_is_given_back_or_ends(&mut empty());
    what_is_given_up_is_no_file_of_a_message(&mut empty(), &mut announce);
    what_is_old_is_not_gone_on_with(&mut empty());
    files_are_listed_shortened_and_removed(&mut empty());
}

fn what_is_reserved_counts_and_is_found_again(store: &mut impl FileStore) {
    let wanted = new("a", 1, room(), 60);
    let Reserved::New(file) = store.reserve(&wanted, QUOTAS).unwrap() else { panic!() };
    assert_eq!((file.token.as_str(), file.size, file.is_there), ("a", 60, false));
    assert_eq!((&file.scope, file.sha256, file.until), (&room(), wanted.sha256, wanted.until));
    assert_eq!(store.find("a").unwrap(), Some(file.clone()));
    assert_eq!(store.being_written().unwrap(), 60);
    // The same is the same upload, whatever it is called, and takes no space again.
    let again = NewFile { token: "b".into(), name: "other".into(), now: NOW + 5, ..wanted.clone() };
    assert_eq!(store.reserve(&again, QUOTAS).unwrap(), Reserved::Again(file));
    assert_eq!(store.find("b").unwrap(), None);
    for other in [
        NewFile { size: 59, ..again.clone() },
        NewFile { sha256: [9; 32], size: 59, ..again.clone() },
        NewFile { scope: FileScope::All, size: 10, ..again.clone() },
        NewFile { account: 2, ..again.clone() },
    ] {
        let quotas = Quotas { account: 1000, room: 1000, all: 1000 };
        let token = format!("c{}{}", other.account, other.scope);
        let other = NewFile { token: format!("{token}{}", other.sha256[0]), ..other };
        assert!(matches!(store.reserve(&other, quotas).unwrap(), Reserved::New(_)), "{other:?}");
    }
    assert!(store.complete("a").unwrap() && !store.complete("zzz").unwrap());
    assert!(store.find("a").unwrap().unwrap().is_there);
    // All of it is there: whoever asks again need not send it again.
    let Reserved::Again(file) = store.reserve(&again, QUOTAS).unwrap() else { panic!() };
    assert!(file.is_there && file.announcement().is_none());
}

fn quotas_are_of_accounts_rooms_and_all(store: &mut impl FileStore) {
    let mut reserve = |token: &str, account, scope, size| {
        store.reserve(&new(token, account, scope, size), QUOTAS).unwrap()
    };
    let over = reserve("a", 1, room(), 101);
    assert_eq!(space_of(&over), Some((Quota::Account, 100, 100)));
    assert!(matches!(reserve("a", 1, room(), 100), Reserved::New(_)));
    assert_eq!(space_of(&reserve("bb", 1, room(), 1)), Some((Quota::Account, 100, 0)));
    assert!(matches!(reserve("bbb", 1, room(), 0), Reserved::New(_)), "nothing takes no space");
    assert_eq!(space_of(&reserve("bb", 2, room(), 51)), Some((Quota::Room, 150, 50)));
    let user = FileScope::User("bob".into());
    assert_eq!(space_of(&reserve("bb", 2, user.clone(), 81)), Some((Quota::All, 180, 80)));
    assert!(matches!(reserve("bb", 2, user, 80), Reserved::New(_)), "it is in no room");
    store.remove(&["a".into(), "unknown".into()]).unwrap();
    let free = store.reserve(&new("cccc", 1, room(), 100), QUOTAS).unwrap();
    assert!(matches!(free, Reserved::New(_)));
}

fn a_file_is_announced_once_by_its_owner_to_its_place<S: FileStore>(
    store: &mut S,
    announce: &mut impl FnMut(&mut S, &str) -> Sequence,
) {
    store.reserve(&new("a", 1, room(), 5), QUOTAS).unwrap();
    let is_claimed = |store: &mut S, claim: Claim| store.claim(&claim).unwrap().is_some();
    let may_be = |store: &mut S, claim: &Claim| {
        store.find(&claim.token).unwrap().is_some_and(|file| file.may_be_claimed(claim))
    };
    assert!(!is_claimed(store, claim("a", "k")), "it is not there yet");
    assert!(!may_be(store, &claim("a", "k")));
    store.complete("a").unwrap();
    for wrong in [
        Claim { account: 2, ..claim("a", "k") },
        Claim { scope: FileScope::All, ..claim("a", "k") },
        Claim { scope: FileScope::Room(RoomNumber(13)), ..claim("a", "k") },
        claim("b", "k"),
    ] {
        assert!(!is_claimed(store, wrong.clone()) && !may_be(store, &wrong), "{wrong:?}");
    }
    assert!(may_be(store, &claim("a", "k")));
    let claimed = store.claim(&claim("a", "k")).unwrap().unwrap();
    assert_eq!((claimed.name.as_str(), claimed.size), ("a.pdf", 5));
    assert!(!is_claimed(store, claim("a", "other")), "another message has it");
    assert!(is_claimed(store, claim("a", "k")), "the same message is sent again");
    assert_eq!(store.find("a").unwrap().unwrap().announcement(), None, "nobody can read it yet");
    let number = announce(store, "a");
    assert_ne!(announce(store, "a"), number);
    let announced = store.find("a").unwrap().unwrap().announcement().unwrap();
    assert_eq!((announced.number, announced.account), (number, 1), "the first one counts");
    assert_eq!((announced.source.as_str(), announced.recipient), ("Ann", Some(Party::Account(2))));
    for key in ["k", "other"] {
        store.release("a", key).unwrap();
        let later = Claim { now: NOW + 3600, ..claim("a", key) };
        assert!(!may_be(store, &later) && !is_claimed(store, later), "once");
    }
    // Who asks for the same again uploads it again: this one belongs to its message.
    let again = store.reserve(&new("b", 1, room(), 5), QUOTAS).unwrap();
    assert!(matches!(again, Reserved::New(_)));
}

fn a_claim_is_given_back_or_ends(store: &mut impl FileStore) {
    store.reserve(&new("a", 1, room(), 5), QUOTAS).unwrap();
    store.complete("a").unwrap();
    assert!(store.claim(&claim("a", "k")).unwrap().is_some());
    store.release("a", "other").unwrap();
    assert!(store.claim(&claim("a", "other")).unwrap().is_none());
    assert!(store.find("a").unwrap().unwrap().is_claimed(NOW));
    store.release("a", "k").unwrap();
    assert!(!store.find("a").unwrap().unwrap().is_claimed(NOW));
    assert!(store.claim(&claim("a", "other")).unwrap().is_some());
    // Whoever asks for the same again gets it as soon as no message may have it any more.
    let again =
        |seconds| NewFile { token: "b".into(), now: NOW + seconds, ..new("a", 1, room(), 5) };
    let file = store.find("a").unwrap().unwrap();
    assert!(file.is_claimed(NOW + CLAIM_AGE - 1) && !file.is_claimed(NOW + CLAIM_AGE));
    assert_eq!(store.reserve(&again(CLAIM_AGE), QUOTAS).unwrap(), Reserved::Again(file));
    let early = store.reserve(&again(CLAIM_AGE - 1), QUOTAS).unwrap();
    assert!(matches!(early, Reserved::New(_)));
    let later = |seconds| Claim { now: NOW + seconds, ..claim("a", "third") };
    assert!(store.claim(&later(CLAIM_AGE - 1)).unwrap().is_none());
    assert!(store.claim(&later(CLAIM_AGE)).unwrap().is_some());
}

fn what_is_given_up_is_no_file_of_a_message<S: FileStore>(
    store: &mut S,
    announce: &mut impl FnMut(&mut S, &str) -> Sequence,
) {
    let put = |store: &mut S, token: &str| {
        let reserved = store.reserve(&new(token, 1, room(), 5), QUOTAS).unwrap();
        assert!(matches!(reserved, Reserved::New(_)), "{reserved:?}");
    };
    let give_up = |store: &mut S, token: &str, account, seconds| {
        let is_given_up = store.give_up(token, account, NOW + seconds).unwrap();
        assert!(!is_given_up || store.find(token).unwrap().is_none());
        is_given_up
    };
    put(store, "a");
    assert!(!give_up(store, "a", 2, 0) && !give_up(store, "b", 1, 0), "it is of somebody else");
    assert!(give_up(store, "a", 1, 0), "it is not there yet");
    assert!(!give_up(store, "a", 1, 0), "once");
    put(store, "a");
    store.complete("a").unwrap();
    assert!(give_up(store, "a", 1, 0), "nobody has it");
    for token in ["a", "bb"] {
        put(store, token);
        store.complete(token).unwrap();
        assert!(store.claim(&claim(token, "k")).unwrap().is_some());
        assert!(!give_up(store, token, 1, CLAIM_AGE - 1), "a message has it");
    }
    announce(store, "a");
    assert!(!give_up(store, "a", 1, CLAIM_AGE), "it was announced");
    assert!(give_up(store, "bb", 1, CLAIM_AGE), "the message never came");
    assert!(store.find("a").unwrap().is_some());
}

fn what_is_old_is_not_gone_on_with(store: &mut impl FileStore) {
    let wanted = new("a", 1, room(), 5);
    store.reserve(&wanted, QUOTAS).unwrap();
    store.complete("a").unwrap();
    let at = |seconds| NewFile { token: "b".into(), now: NOW + seconds, ..wanted.clone() };
    let just = store.reserve(&at(UPLOAD_AGE - 1), QUOTAS).unwrap();
    assert!(matches!(just, Reserved::Again(_)));
    let late = Claim { now: NOW + UPLOAD_AGE, ..claim("a", "k") };
    assert!(store.claim(&late).unwrap().is_none());
    assert!(matches!(store.reserve(&at(UPLOAD_AGE), QUOTAS).unwrap(), Reserved::New(_)));
    let file = store.find("a").unwrap().unwrap();
    assert!(file.is_over(NOW + UPLOAD_AGE) && !file.is_over(NOW + UPLOAD_AGE - 1));
    let announced = StoredFile { message: Some(1), ..file };
    assert!(!announced.is_over(NOW + UPLOAD_AGE) && announced.is_over(NOW + 7 * 86_400));
}

fn files_are_listed_shortened_and_removed<S: FileStore>(store: &mut S) {
    for token in ["a", "bb", "ccc"] {
        store.reserve(&new(token, 1, room(), 1), QUOTAS).unwrap();
    }
    store.reserve(&new("dddd", 2, room(), 7), QUOTAS).unwrap();
    let unfinished = |store: &mut S, account| store.unfinished(account).unwrap();
    let one = |token: &str, size| (token.to_owned(), size);
    assert_eq!(unfinished(store, 1), [one("a", 1), one("bb", 1), one("ccc", 1)]);
    store.complete("bb").unwrap();
    assert_eq!(unfinished(store, 1), [one("a", 1), one("ccc", 1)]);
    assert_eq!(unfinished(store, 2), [one("dddd", 7)]);
    store.remove(&["dddd".into()]).unwrap();
    let tokens = |files: Vec<StoredFile>| files.into_iter().map(|file| file.token);
    assert!(tokens(store.list("", 2).unwrap()).eq(["a", "bb"]));
    assert!(tokens(store.list("bb", 2).unwrap()).eq(["ccc"]));
    store.shorten("a", NOW + 60).unwrap();
    store.shorten("a", NOW + 90).unwrap();
    assert_eq!(store.find("a").unwrap().unwrap().until, NOW + 60);
    store.remove(&["a".into(), "ccc".into()]).unwrap();
    assert!(tokens(store.list("", 9).unwrap()).eq(["bb"]));
    assert_eq!(store.being_written().unwrap(), 0);
}
