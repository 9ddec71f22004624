//! Password hashing on blocking threads, a few at a time, with a bounded queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::accounts::password_hash::{Cost, HashError, PasswordHash, Verdict};
use crate::accounts::secret::Secret;

/// Hashes that may wait for a thread. At some 30 ms each the last one waits for a few seconds.
pub const WAITING: usize = 256;

/// Makes and verifies hashes.
#[derive(Debug)]
pub struct Hashing {
    cost: Cost,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Verified in place of the hash of an account that does not exist.
    dummy: PasswordHash,
}

impl Hashing {
    /// One hash at a time for each processor; each takes the memory of `cost`.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn new(cost: Cost) -> Result<Self, HashError> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let dummy = PasswordHash::make(&Secret::given("nobody"), cost)?;
        Ok(Self {
            cost,
            slots: Arc::new(Semaphore::new(processors)),
            waiting: AtomicUsize::new(0),
            dummy,
        })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashError`], `Busy` when the queue is full.
    pub async fn make(&self, secret: Secret) -> Result<PasswordHash, HashError> {
        let cost = self.cost;
        self.work(move || PasswordHash::make(&secret, cost)).await
    }

    /// Verifies a password. Without an account (`None`) it is wrong, and takes the same time: the time of an answer does not
    /// reveal which accounts exist.
    ///
    /// # Errors
    /// [`HashError`], `Busy` when the queue is full.
    pub async fn check(
        &self,
        secret: Secret,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, HashError> {
        let cost = self.cost;
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        let verdict = self.work(move || hash.check(&secret, cost)).await?;
        Ok(if exists { verdict } else { Verdict::Wrong })
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let slot = self.slot().await?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work, not by its caller: a client that disconnects half way does not free a slot early.
            let _slot: OwnedSemaphorePermit = slot;
            work()
        });
        done.await.map_err(|_| HashError::Busy)?
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, HashError> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(slot);
        }
        let place = QueuePlace::take(&self.waiting).ok_or(HashError::Busy)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| HashError::Busy);
        drop(place);
        slot
    }
}

/// A place in the queue; dropping it gives it back.
struct QueuePlace<'a>(&'a AtomicUsize);

impl<'a> QueuePlace<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(waiting))
    }
}

impl Drop for QueuePlace<'_> {
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
