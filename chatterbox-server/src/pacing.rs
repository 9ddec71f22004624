//! Rate limits with a clock and behind a lock: for whatever several connections share.

#![allow(clippy::disallowed_methods, reason = "the edge: tells the rate limits the time")]

mod keys;
mod mail;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chatterbox_hub::guard::Buckets;
use chatterbox_hub::guard::pace::{
    ByAddress, ByPerson, COMMANDS, HIDDEN_PAGES, INPUT, INPUT_PIECE, LOGGED, LONGEST_JOIN_QUEUE,
    LONGEST_QUEUE, RENAMES, RENAMES_FROM_ADDRESS, REPORTS, REPORTS_FROM_ADDRESS, ROOM_CHANGES,
    ROOM_CHANGES_FROM_ADDRESS, ROOM_WISHES, joins,
};
use chatterbox_hub::{Identity, MemberId};
use chatterbox_proto::Refusal;
use tokio::time::Instant;

pub use keys::KeyPacing;
pub use mail::MailPacing;

/// Rate limits, and the clock that they are asked with.
#[derive(Debug)]
struct Paced<T> {
    start: Instant,
    limits: Mutex<T>,
}

impl<T> Paced<T> {
    fn new(limits: T) -> Self {
        Self { start: Instant::now(), limits: Mutex::new(limits) }
    }

    fn with<R>(&self, ask: impl FnOnce(&mut T, Duration) -> R) -> R {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut limits, self.start.elapsed())
    }
}

/// Joins, for each address: everybody is told of each, and it takes a piece of everything that was said.
#[derive(Debug)]
pub struct JoinPacing(Paced<ByAddress>);

impl Default for JoinPacing {
    fn default() -> Self {
        Self(Paced::new(ByAddress::new(joins(0))))
    }
}

impl JoinPacing {
    /// Waits until somebody from this address may join, from which so many may be connected.
    ///
    /// # Errors
    /// [`Refusal::TooOften`] when too many wait already.
    pub async fn wait(&self, address: IpAddr, max_per_address: usize) -> Result<(), Refusal> {
        let wait = self.0.with(|limits, now| {
            limits.set_rate(joins(max_per_address));
            limits.queue(now, address, LONGEST_JOIN_QUEUE)
        });
        let wait = wait.map_err(|_| Refusal::TooOften)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }
}

/// The frames of members, for each address.
#[derive(Debug)]
pub struct InputPacing(Paced<ByAddress>);

impl Default for InputPacing {
    fn default() -> Self {
        Self(Paced::new(ByAddress::new(INPUT)))
    }
}

impl InputPacing {
    /// Counts so many bytes from this address, and says how long to wait before the next frame of the connection.
    pub fn take(&self, address: IpAddr, bytes: usize) -> Duration {
        self.0.with(|limits, now| {
            let mut wait = Duration::ZERO;
            for _ in 0..bytes / INPUT_PIECE {
                match limits.queue(now, address, LONGEST_QUEUE) {
                    Ok(least) => wait = least,
                    // What is owed is bounded: others come from the same address.
                    Err(_) => return LONGEST_QUEUE,
                }
            }
            wait
        })
    }
}

/// Lines of the log about who joins and leaves, for each address: the disk holds only so many.
#[derive(Debug)]
pub struct LogPacing {
    limits: Paced<ByAddress>,
    left_out: AtomicU64,
}

impl Default for LogPacing {
    fn default() -> Self {
        Self { limits: Paced::new(ByAddress::new(LOGGED)), left_out: AtomicU64::new(0) }
    }
}

impl LogPacing {
    /// Whether one more line about somebody from this address is written.
    pub fn admits(&self, address: IpAddr) -> bool {
        if self.limits.with(|limits, now| limits.try_take(now, address)).is_ok() {
            return true;
        }
        // Logged at 1, 2, 4, 8 ..., so that it can be seen that something is missing.
        let left_out = self.left_out.fetch_add(1, Ordering::Relaxed) + 1;
        if left_out.is_power_of_two() {
            tracing::warn!(%address, left_out, "too many joins and leaves, not all are logged");
        }
        false
    }
}

/// Pages of history that hold nothing for whoever asks, for each address.
#[derive(Debug)]
pub struct PagePacing(Paced<ByAddress>);

impl Default for PagePacing {
    fn default() -> Self {
        Self(Paced::new(ByAddress::new(HIDDEN_PAGES)))
    }
}

impl PagePacing {
    /// Waits until one more page may be read for this address, no longer than `longest`. Says how long it was.
    ///
    /// # Errors
    /// [`Refusal::TooOften`] when it would be longer: whoever comes from there has searched too much.
    pub async fn wait(&self, address: IpAddr, longest: Duration) -> Result<Duration, Refusal> {
        let wait = self.0.with(|limits, now| limits.queue(now, address, longest));
        let wait = wait.map_err(|_| Refusal::TooOften)?;
        if wait.is_zero() {
            // The store works on another thread; this one goes on with others in between.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(wait).await;
        }
        Ok(wait)
    }
}

/// Accounts and guests whose commands are counted.
const ENTRIES: usize = 10_000;

/// Whose acts are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Person {
    /// The number of an account, over all of its connections.
    Account(i64),
    Guest(MemberId),
}

impl Person {
    fn of(id: MemberId, who: &Identity) -> Self {
        let login = who.login.as_ref();
        login.map_or(Self::Guest(id), |login| Self::Account(login.account_key.id))
    }
}

/// Commands, for each account or guest: an answer costs more than to ask.
#[derive(Debug)]
pub struct CommandPacing(Paced<Buckets<Person>>);

impl Default for CommandPacing {
    fn default() -> Self {
        Self(Paced::new(Buckets::new(COMMANDS, ENTRIES)))
    }
}

impl CommandPacing {
    /// Counts a command, if it may be given now.
    ///
    /// # Errors
    /// How long to wait.
    pub fn try_take(&self, id: MemberId, who: &Identity) -> Result<(), Duration> {
        let person = Person::of(id, who);
        self.0.with(|limits, now| limits.try_take(now, &person))
    }
}

/// Changes of name, for each account and address: each is told to everybody.
#[derive(Debug)]
pub struct RenamePacing(Paced<ByPerson<Person>>);

impl Default for RenamePacing {
    fn default() -> Self {
        Self(Paced::new(ByPerson::new(RENAMES, RENAMES_FROM_ADDRESS)))
    }
}

impl RenamePacing {
    /// Counts a change of name, if it may be made now.
    ///
    /// # Errors
    /// [`Refusal::TooOften`].
    pub fn try_take(&self, id: MemberId, who: &Identity) -> Result<(), Refusal> {
        let person = Person::of(id, who);
        let taken = self.0.with(|limits, now| limits.try_take(now, &person, who.address));
        taken.map_err(|_| Refusal::TooOften)
    }
}

/// Comings and goings in rooms, for each account and address: each is told to a room, and names can be found out by them.
#[derive(Debug)]
pub struct RoomPacing(Paced<ByPerson<Person>>);

impl Default for RoomPacing {
    fn default() -> Self {
        Self(Paced::new(ByPerson::new(ROOM_CHANGES, ROOM_CHANGES_FROM_ADDRESS)))
    }
}

impl RoomPacing {
    /// All changes of rooms, for each account and address: each is stored by itself, and everybody else waits for it.
    pub fn of_wishes() -> Self {
        Self(Paced::new(ByPerson::new(ROOM_WISHES, ROOM_CHANGES_FROM_ADDRESS)))
    }

    /// Reports, for each account and address: each is read by a person.
    pub fn of_reports() -> Self {
        Self(Paced::new(ByPerson::new(REPORTS, REPORTS_FROM_ADDRESS)))
    }

    /// Counts one, if it may be done now.
    ///
    /// # Errors
    /// How long to wait.
    pub fn try_take(&self, id: MemberId, who: &Identity) -> Result<(), Duration> {
        let person = Person::of(id, who);
        self.0.with(|limits, now| limits.try_take(now, &person, who.address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_joins_waits_and_then_is_refused() {
        let pacing = JoinPacing::default();
        let begin = Instant::now();
        for _ in 0..300 {
            pacing.wait(HERE, 2_000).await.unwrap();
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
        pacing.wait(HERE, 2_000).await.unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(99));
        // All at once: so many wait, the others are told at once.
        let all = (0..1_000).map(|_| pacing.wait(HERE, 2_000));
        let all = futures_util::future::join_all(all).await;
        let refused = all.iter().filter(|waited| **waited == Err(Refusal::TooOften)).count();
        assert!((390..=410).contains(&refused), "{refused}");
        let elsewhere = "2001:db8::1".parse().unwrap();
        let begin = Instant::now();
        pacing.wait(elsewhere, 2_000).await.unwrap();
        assert_eq!(begin.elapsed(), Duration::ZERO, "others do not wait for it");
    }

    #[tokio::test(start_paused = true)]
    async fn much_input_of_an_address_waits() {
        const MIB: usize = 1024 * 1024;
        let pacing = InputPacing::default();
        for _ in 0..8 {
            assert_eq!(pacing.take(HERE, 4 * MIB), Duration::ZERO, "the longest frame");
        }
        let wait = pacing.take(HERE, 4 * MIB);
        assert!((900..=1_100).contains(&wait.as_millis()), "{wait:?}");
        assert_eq!(pacing.take("2001:db8::1".parse().unwrap(), 4 * MIB), Duration::ZERO);
        for _ in 0..100 {
            assert!(pacing.take(HERE, 4 * MIB) <= LONGEST_QUEUE);
        }
        tokio::time::advance(2 * LONGEST_QUEUE).await;
        assert_eq!(pacing.take(HERE, INPUT_PIECE), Duration::ZERO, "what is owed is bounded");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_joins_is_not_a_flood_of_lines() {
        let pacing = LogPacing::default();
        let logged = (0..100_000).filter(|_| pacing.admits(HERE)).count();
        assert_eq!(logged, LOGGED.burst as usize);
        assert!(pacing.admits("2001:db8::1".parse().unwrap()));
        tokio::time::advance(LOGGED.every).await;
        assert!(pacing.admits(HERE) && !pacing.admits(HERE));
    }
}
