//! Hashing without stopping anybody: on threads of its own, a few at a time, and nobody waits in a line without an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::accounts::password::{Cost, HashError, PasswordHash, Verdict};
use crate::accounts::secret::Secret;

/// Hashes that may wait for their turn. At some 30 ms each the last one waits for a few seconds.
pub const WAITING: usize = 256;

/// Makes and checks hashes.
#[derive(Debug)]
pub struct Hashing {
    cost: Cost,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// The hash of no password: what is checked for users who do not exist.
    nobody: PasswordHash,
}

impl Hashing {
    /// As many at a time as there are processors: each takes one, and the memory of `cost`.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn new(cost: Cost) -> Result<Self, HashError> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobody = PasswordHash::make(&Secret::given("nobody"), cost)?;
        Ok(Self {
            cost,
            turns: Arc::new(Semaphore::new(processors)),
            waiting: AtomicUsize::new(0),
            nobody,
        })
    }

    /// Hashes a password that was chosen.
    ///
    /// # Errors
    /// [`HashError`], `Busy` when too many wait.
    pub async fn make(&self, secret: Secret) -> Result<PasswordHash, HashError> {
        let cost = self.cost;
        self.work(move || PasswordHash::make(&secret, cost)).await
    }

    /// Checks a password. Where there is no account (`None`) it is wrong, and that takes as long to find out.
    ///
    /// # Errors
    /// [`HashError`], `Busy` when too many wait.
    pub async fn check(
        &self,
        secret: Secret,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let cost = self.cost;
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let verdict = self.work(move || hash.check(&secret, cost)).await?;
        Ok(if exists { verdict } else { Verdict::Wrong })
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = self.turn().await?;
        let done = tokio::task::spawn_blocking(move || {
            // Held here, not by whoever waits: who hangs up half way does not make room for more work than we have
            // processors for.
            let _turn: OwnedSemaphorePermit = turn;
            work()
        });
        done.await.map_err(|_| HashError::Busy)?
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, HashError> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let place = Place::take(&self.waiting).ok_or(HashError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| HashError::Busy);
        drop(place);
        turn
    }
}

/// A place in the line, given back however the waiting ends.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn who_does_not_exist_is_checked_too() {
        let hashing = Hashing::new(Cost::CHEAP).unwrap();
        let nobody = hashing.check(Secret::given("nobody"), None).await;
        assert_eq!(nobody, Ok(Verdict::Wrong), "even with the password of nobody");
        let hash = hashing.make(Secret::given("correct horse")).await.unwrap();
        let right = hashing.check(Secret::given("correct horse"), Some(hash)).await;
        assert_eq!(right, Ok(Verdict::Right));
    }

    #[tokio::test]
    async fn a_line_that_is_full_is_busy_and_empties_again() {
        let hashing = Hashing::new(Cost::CHEAP).unwrap();
        let many = (0..WAITING + 64).map(|_| hashing.make(Secret::given("x")));
        let outcomes = join_all(many).await;
        let busy = outcomes.iter().filter(|made| **made == Err(HashError::Busy)).count();
        assert!(busy > 0 && busy <= 64, "{busy}");
        assert_eq!(hashing.waiting.load(Ordering::Relaxed), 0);
        assert!(hashing.make(Secret::given("x")).await.is_ok());
    }
}
