//! Logins that end while their members are here, and while they are about to join.

use super::*;
use crate::replica::ended_logins::REMEMBERED;
use crate::{AccountChange, AccountChangeKind, AccountKey, Identity, LoggedIn};

fn join(hub: &mut Hub, text: &str, key: Option<(i64, i64)>) -> Result<MemberId, JoinError> {
    let login = key.map(|(id, epoch)| {
        let account_key = AccountKey { id, epoch };
        LoggedIn { account: name("ann"), account_key }
    });
    let name = name(text);
    let identity = Identity { login, ..Identity::guest(name.clone()) };
    Ok(hub.admit(JoinRequest { identity, ..JoinRequest::base(&name, "hi") })?.id)
}

fn ended(epoch: i64, spared: Option<MemberId>) -> AccountChange {
    let kind = AccountChangeKind::LoginsEnded { epoch, spared };
    AccountChange { account: 7, name: name("ann"), kind }
}

#[test]
fn members_with_logins_that_ended_are_removed_and_no_others() {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let old = join(&mut hub, "old", Some((7, 1))).unwrap();
    let mine = join(&mut hub, "mine", Some((7, 1))).unwrap();
    let new = join(&mut hub, "new", Some((7, 2))).unwrap();
    let namesake = join(&mut hub, "ann", Some((8, 0))).unwrap();
    let guest = join(&mut hub, "guest", None).unwrap();
    assert_eq!(hub.change_account(&ended(2, Some(mine))), [old]);
    assert_eq!(hub.removal(old), Some(Removal::LoggedOut));
    let login = hub.identity(mine).unwrap().login.clone().unwrap();
    assert_eq!(login.account_key, AccountKey { id: 7, epoch: 2 }, "it goes on in the new epoch");
    assert_eq!(hub.change_account(&ended(2, None)), [], "the same again");
    let removed = AccountChange { kind: AccountChangeKind::Removed, ..ended(0, None) };
    assert_eq!(hub.change_account(&removed), [mine, new]);
    assert_eq!(hub.removal(new), Some(Removal::AccountRemoved));
    for here in [namesake, guest] {
        assert!(hub.identity(here).is_some());
    }
}

#[test]
fn a_login_that_ended_before_its_user_joined_is_refused() {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    hub.change_account(&ended(3, None));
    assert!(matches!(join(&mut hub, "ann", Some((7, 2))), Err(JoinError::Refused(_))));
    join(&mut hub, "ann", Some((7, 3))).unwrap();
    let removed = AccountChange { kind: AccountChangeKind::Removed, ..ended(0, None) };
    assert_eq!(hub.change_account(&removed).len(), 1);
    assert!(join(&mut hub, "ann", Some((7, i64::MAX - 1))).is_err());
    hub.change_account(&ended(4, None));
    assert!(join(&mut hub, "ann", Some((7, 9))).is_err(), "it stays removed");
    join(&mut hub, "ann", Some((8, 0))).unwrap();
    for account in 100..100 + 2 * REMEMBERED as i64 {
        hub.change_account(&AccountChange { account, ..removed.clone() });
        let (accounts, changes) = hub.replica.ended_logins.len();
        assert!(accounts <= REMEMBERED && changes <= REMEMBERED);
    }
}
