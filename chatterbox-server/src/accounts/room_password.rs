//! Passwords of rooms: hashed like those of accounts, and checked within a rate limit of their own.

use std::net::IpAddr;

use chatterbox_hub::guard::network;
use chatterbox_hub::{Identity, LoggedIn};
use chatterbox_proto::RoomName;

use crate::accounts::login::{Accounts, Refused};
use crate::accounts::password_hash::{PasswordHash, Verdict};
use crate::accounts::secret::Secret;

impl Accounts {
    /// Hashes the password of a room.
    ///
    /// # Errors
    /// [`Refused::Hash`].
    pub async fn make_room_password(&self, secret: Secret) -> Result<PasswordHash, Refused> {
        Ok(self.hashing.make(secret).await?)
    }

    /// Whether this is the password of a hash. Nobody waits for more than the hashing: it is the operator who gives it.
    ///
    /// # Errors
    /// [`Refused::Hash`], also when the hash is damaged.
    pub async fn is_room_password(
        &self,
        secret: Secret,
        hash: PasswordHash,
    ) -> Result<bool, Refused> {
        Ok(self.hashing.check(secret, Some(hash)).await? != Verdict::Wrong)
    }

    /// Checks a password that somebody gives for a room. Without a hash it is wrong, and takes as long: neither the answer
    /// nor its time tells whether there is such a room (RM-12). So the limit counts names, not rooms.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn check_room_password(
        &self,
        room: &RoomName,
        who: &Identity,
        peer: IpAddr,
        secret: Secret,
        hash: Option<PasswordHash>,
    ) -> Result<(), Refused> {
        // No name has a space in it, so that nothing else comes to the same text.
        let key = match &who.login {
            Some(LoggedIn { account_key, .. }) => format!("{} {}", room.key(), account_key.id),
            None => format!("{} guest {}", room.key(), who.name.key()),
        };
        let now = self.now();
        let attempt = self.limits().room_passwords.begin(now, &key, network(peer))?;
        match self.hashing.check(secret, hash).await {
            Ok(Verdict::Wrong) => Err(Refused::WrongPassword),
            Ok(Verdict::Right | Verdict::RightButOld) => {
                let now = self.now();
                self.limits().room_passwords.succeeded(now, attempt);
                Ok(())
            }
            Err(error) => {
                self.limits().room_passwords.give_up(&attempt);
                Err(error.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use chatterbox_proto::Username;

    use super::*;
    use crate::accounts::Cost;
    use crate::store::MemoryDirectory;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn guesses_are_counted_for_room_and_user_whether_there_is_such_a_room_or_not() {
        let accounts = Accounts::new(MemoryDirectory::default(), Cost::CHEAP).unwrap();
        let hash = accounts.make_room_password(Secret::given("x")).await.unwrap();
        let room = |text| RoomName::parse(text).unwrap();
        let guest = |text| Identity::guest(Username::parse(text).unwrap());
        let (ann, bob) = (guest("ann"), guest("bob"));
        let (lab, none) = (room("#lab"), room("#none"));
        let check = async |room, who, text, hash: Option<&PasswordHash>| {
            let secret = Secret::given(text);
            accounts.check_room_password(room, who, HERE, secret, hash.cloned()).await
        };
        for (room, hash) in [(&lab, Some(&hash)), (&none, None)] {
            for _ in 0..5 {
                let wrong = check(room, &ann, "y", hash).await;
                assert!(matches!(wrong, Err(Refused::WrongPassword)), "{wrong:?}");
            }
            // The wait doubles with each, so a machine that stalls comes to it, too.
            let mut throttled = false;
            for _ in 0..10 {
                let wrong = check(room, &ann, "y", hash).await;
                throttled |= matches!(wrong, Err(Refused::Throttled(_)));
            }
            assert!(throttled, "{room}");
        }
        assert!(check(&lab, &bob, "x", Some(&hash)).await.is_ok(), "others are not held up");
        assert!(check(&none, &bob, "x", None).await.is_err());
        let damaged = PasswordHash::stored("plain".into());
        for _ in 0..20 {
            let failed = check(&lab, &bob, "x", Some(&damaged)).await;
            assert!(matches!(failed, Err(Refused::Hash(_))), "no fault of bob's: {failed:?}");
        }
    }
}
