//! Which account somebody is logged in with.

use chatterbox_proto::Username;

/// Which account it is, whatever its name, and since when its logins are good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountKey {
    /// Never used twice: who registers a name anew has another account.
    pub id: i64,
    /// Another one after everything that ends all logins: a new password, logging out everywhere.
    pub epoch: i64,
}

/// An account, as a login remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// Its name.
    pub account: Username,
    /// Which one of this name, and since when.
    pub account_key: AccountKey,
}
