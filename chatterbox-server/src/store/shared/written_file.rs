//! Files and claims of them, as they stand in the order.

use chatterbox_hub::Party;
use chatterbox_proto::Username;
use serde::{Deserialize, Serialize};

use crate::files::{Claim, NewFile};
use crate::store::shared::not_understood::NotUnderstood;

/// A file that is to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenFile {
    token: String,
    account: i64,
    scope: String,
    name: String,
    size: u64,
    sha256: [u8; 32],
    now: i64,
    until: i64,
}

impl WrittenFile {
    pub(super) fn of(new: &NewFile) -> Self {
        let NewFile { token, account, scope, name, size, sha256, now, until } = new;
        Self {
            token: token.clone(),
            account: *account,
            scope: scope.to_string(),
            name: name.clone(),
            size: *size,
            sha256: *sha256,
            now: *now,
            until: *until,
        }
    }

    pub(super) fn read(self) -> Result<NewFile, NotUnderstood> {
        let Self { token, account, scope, name, size, sha256, now, until } = self;
        let scope = scope.parse().map_err(|_| NotUnderstood)?;
        Ok(NewFile { token, account, scope, name, size, sha256, now, until })
    }
}

/// A message that is going to announce a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenClaim {
    token: String,
    account: i64,
    scope: String,
    source: String,
    recipient: Option<String>,
    key: String,
    now: i64,
}

impl WrittenClaim {
    pub(super) fn of(claim: &Claim) -> Self {
        let Claim { token, account, scope, source, recipient, key, now } = claim;
        Self {
            token: token.clone(),
            account: *account,
            scope: scope.to_string(),
            source: source.as_str().to_owned(),
            recipient: recipient.as_ref().map(|party| party.key().into_owned()),
            key: key.clone(),
            now: *now,
        }
    }

    pub(super) fn read(self) -> Result<Claim, NotUnderstood> {
        let Self { token, account, scope, source, recipient, key, now } = self;
        Ok(Claim {
            token,
            account,
            scope: scope.parse().map_err(|_| NotUnderstood)?,
            source: Username::stored(&source),
            recipient: recipient.map(|key| Party::of_key(&key)),
            key,
            now,
        })
    }
}
