//! What a member asks of the directory (EE-1, EE-2, EE-4).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use chatterbox_hub::{Event, Identity, LoggedIn};
use chatterbox_proto::capability::e2ee::{
    Claimed, Keys, KeysAnswer, KeysClaim, KeysCode, KeysGet, KeysPut, KeysRequest, UserKeys,
};
use chatterbox_proto::capability::meta::DeviceId;
use chatterbox_proto::{Username, WireText, limits};

use crate::accounts::{AccountKeys, ClaimedKey, DirectoryError, KeysPutDone, NewKeys};
use crate::chat::handle::Handle;
use crate::keys::desk::KeyDesk;
use crate::keys::signatures;

/// Why a request is refused, and for how long trying again makes no sense.
#[derive(Debug)]
struct Refused(KeysCode, Option<u64>);

impl From<KeysCode> for Refused {
    fn from(code: KeysCode) -> Self {
        Self(code, None)
    }
}

impl From<DirectoryError> for Refused {
    fn from(error: DirectoryError) -> Self {
        tracing::error!(%error, "keys can't be read or written");
        Self(KeysCode::NotStored, None)
    }
}

fn throttled(wait: Duration) -> Refused {
    Refused(KeysCode::Throttled, Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)))
}

impl KeyDesk {
    /// Answers a request of a member, if it is one that has an answer.
    pub async fn answer(&self, member: &Handle, request: KeysRequest) -> Option<Event> {
        let (id, answer) = match request {
            KeysRequest::Put(put) => {
                let id = put.id.clone();
                (id, self.put(member, *put).await)
            }
            KeysRequest::Get(KeysGet { id, names }) => (id, self.get(member, names).await),
            KeysRequest::Claim(KeysClaim { id, devices }) => {
                (id, self.claim(member, devices).await)
            }
            KeysRequest::Done(done) => {
                self.done(member, done.up_to);
                return None;
            }
        };
        let answer = match answer {
            Ok(keys) => KeysAnswer { id: WireText::new(id), keys },
            Err(Refused(code, wait)) => KeysAnswer::refused(&id, code, wait),
        };
        Some(Event::own(answer.to_object()))
    }

    /// Who asks, with their account, if they may ask now.
    fn admitted(&self, member: &Handle) -> Result<(Identity, LoggedIn), Refused> {
        let who = member.identity().ok_or(KeysCode::Guest)?;
        let login = who.login.clone().ok_or(KeysCode::Guest)?;
        self.pacing.try_ask(member.id(), &who).map_err(throttled)?;
        Ok((who, login))
    }

    async fn put(&self, member: &Handle, put: KeysPut) -> Result<Keys, Refused> {
        let (_, login) = self.admitted(member)?;
        let account = login.account_key.id;
        let number = number_of(account)?;
        if !signatures::are_good(number, &login.account, &put).await {
            return Err(KeysCode::BadSignature.into());
        }
        let KeysPut { id: _, identity, device, one_time, fallback } = put;
        let name = device.device.clone();
        let new = NewKeys { account, identity, device, one_time, fallback };
        let count = match self.accounts.put_keys(new).await? {
            KeysPutDone::Yes(count) => count,
            KeysPutDone::OtherIdentity => return Err(KeysCode::OtherIdentity.into()),
            KeysPutDone::Taken => return Err(KeysCode::Taken.into()),
            KeysPutDone::TooMany => return Err(KeysCode::TooMany.into()),
            // It was removed a moment ago.
            KeysPutDone::NoAccount => return Err(KeysCode::Guest.into()),
        };
        // From here on the connection is this device (EE-4).
        if let Some(own) = self.own_device(account, name.clone()).await {
            member.chat().set_device(member.id(), own);
        }
        Ok(Keys::Put { number, device: name, count })
    }

    async fn get(&self, member: &Handle, names: Vec<WireText<'static>>) -> Result<Keys, Refused> {
        self.admitted(member)?;
        let found = self.accounts_of(member, texts(names.iter())).await?;
        let owners: Vec<_> = found.values().flatten().cloned().collect();
        let numbers = owners.iter().map(|owner| owner.account_key.id).collect();
        let keys = self.accounts.keys_of(numbers).await?;
        let keys: HashMap<i64, AccountKeys> =
            owners.iter().map(|owner| owner.account_key.id).zip(keys).collect();
        let mut users: Vec<(WireText<'static>, Option<UserKeys>)> = Vec::new();
        for name in names {
            // Each key of an object stands once.
            if users.iter().any(|(other, _)| other.as_wire() == name.as_wire()) {
                continue;
            }
            let user = match found.get(name.as_wire()) {
                Some(Some(owner)) => Some(user_keys(owner, &keys)?),
                _ => None,
            };
            users.push((name, user));
        }
        Ok(Keys::Users(users))
    }

    async fn claim(
        &self,
        member: &Handle,
        devices: Vec<(WireText<'static>, DeviceId)>,
    ) -> Result<Keys, Refused> {
        let (who, login) = self.admitted(member)?;
        let wanted = devices.len();
        self.pacing.try_claim(login.account_key.id, wanted).map_err(throttled)?;
        let found = self.accounts_of(member, texts(devices.iter().map(|(name, _)| name))).await?;
        let number =
            |name: &WireText<'_>| Some(found.get(name.as_wire())?.as_ref()?.account_key.id);
        let owners: Vec<Option<i64>> = devices.iter().map(|(name, _)| number(name)).collect();
        let known: Vec<_> = devices
            .iter()
            .zip(&owners)
            .filter_map(|((_, device), owner)| Some(((*owner)?, device.clone())))
            .collect();
        // There is one for each that is known, in their order.
        let mut keys = self.take_keys(who.address, &known).await?.into_iter();
        let claimed = devices
            .into_iter()
            .zip(owners)
            .map(|((name, device), owner)| {
                let key = owner.and_then(|_| keys.next().flatten());
                Claimed { name, device, key }
            })
            .collect();
        self.tell_low(member.chat()).await;
        Ok(Keys::OneTime(claimed))
    }

    /// A key of each of these devices, in their order. Where many of one were claimed from this address, it is what the device has when
    /// no one-time keys are left: those that are left are for others.
    async fn take_keys(
        &self,
        from: Option<IpAddr>,
        devices: &[(i64, DeviceId)],
    ) -> Result<Vec<Option<ClaimedKey>>, DirectoryError> {
        let may_take: Vec<bool> = devices
            .iter()
            .map(|(owner, device)| self.pacing.may_take(from, *owner, device))
            .collect();
        let part = |wanted: bool| -> Vec<(i64, DeviceId)> {
            let part = devices.iter().zip(&may_take).filter(|(_, may_take)| **may_take == wanted);
            part.map(|(device, _)| device.clone()).collect()
        };
        let mut taken = self.accounts.claim_keys(part(true)).await?.into_iter();
        let mut spared = self.accounts.fallback_keys(part(false)).await?.into_iter();
        let next = |may_take: &bool| if *may_take { taken.next() } else { spared.next() };
        Ok(may_take.iter().map(next).map(Option::flatten).collect())
    }

    fn done(&self, member: &Handle, up_to: u64) {
        let Some(login) = member.identity().and_then(|who| who.login) else { return };
        if let Some((device, up_to)) = member.chat().keys_done(member.id(), up_to) {
            self.note_done(login.account_key.id, device, up_to);
        }
    }

    /// The accounts of names: of whoever is here under it, or that of this name.
    async fn accounts_of(
        &self,
        member: &Handle,
        names: Vec<String>,
    ) -> Result<HashMap<String, Option<LoggedIn>>, Refused> {
        let mut found = HashMap::new();
        for text in names {
            if found.contains_key(&text) {
                continue;
            }
            let owner = match Username::parse_within(&text, limits::USERNAME_CHARS_MOST) {
                Ok(name) => self.account_of(member, &name).await?,
                Err(_) => None,
            };
            found.insert(text, owner);
        }
        Ok(found)
    }

    async fn account_of(
        &self,
        member: &Handle,
        name: &Username,
    ) -> Result<Option<LoggedIn>, DirectoryError> {
        if let Some(login) = member.chat().find(name).and_then(|who| who.login) {
            return Ok(Some(login));
        }
        let account = self.accounts.account(name).await?;
        Ok(account.map(|found| LoggedIn { account: found.name, account_key: found.account_key }))
    }
}

/// Names as they were asked for.
fn texts<'n>(names: impl Iterator<Item = &'n WireText<'static>>) -> Vec<String> {
    names.map(|name| name.as_wire().to_owned()).collect()
}

/// The number of an account on the wire.
fn number_of(account: i64) -> Result<u64, Refused> {
    u64::try_from(account).map_err(|_| KeysCode::NotStored.into())
}

fn user_keys(owner: &LoggedIn, keys: &HashMap<i64, AccountKeys>) -> Result<UserKeys, Refused> {
    let id = owner.account_key.id;
    let AccountKeys { identity, devices } = keys.get(&id).cloned().unwrap_or_default();
    let account = WireText::new(owner.account.as_str().to_owned());
    Ok(UserKeys { account, number: number_of(id)?, identity, devices })
}
