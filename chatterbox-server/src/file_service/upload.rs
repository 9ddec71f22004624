//! An upload that is under way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chatterbox_hub::guard::network;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::files::StoredFile;
use crate::files::{SpoolError, Writing};

/// So far a client may send ahead of what is written: what waits of an upload in memory is no more.
pub const WINDOW: u64 = 128 * 1024;

/// Uploads of one account that may be under way on this node at a time: a few who send slowly don't keep all others from it.
const OF_ACCOUNT: usize = 8;

/// The same of one address, which is an IPv4 address or an IPv6 /64 network: it may have made many accounts.
const OF_ADDRESS: usize = 16;

/// One upload that is under way.
#[derive(Debug)]
struct One {
    account: i64,
    address: IpAddr,
    ended: CancellationToken,
}

/// The uploads that are under way on this node, by token: a later connection takes an upload over from an earlier one, of which
/// nobody may have noticed yet that it is gone.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<HashMap<String, One>>);

impl UnderWay {
    /// Begins an upload, and ends the one of the same token that is under way. Nothing where its account has too many others, or
    /// the address that this connection comes from.
    pub fn begin(self: &Arc<Self>, token: &str, account: i64, peer: IpAddr) -> Option<Place> {
        let address = network(peer);
        let ended = CancellationToken::new();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut of_account, mut of_address) = (0, 0);
        for (_, one) in all.iter().filter(|(of, _)| *of != token) {
            of_account += usize::from(one.account == account);
            of_address += usize::from(one.address == address);
        }
        if of_account >= OF_ACCOUNT || of_address >= OF_ADDRESS {
            return None;
        }
        let one = One { account, address, ended: ended.clone() };
        if let Some(before) = all.insert(token.to_owned(), one) {
            before.ended.cancel();
        }
        Some(Place { all: Arc::clone(self), token: token.to_owned(), ended })
    }
}

/// The place of one upload among those that are under way.
#[derive(Debug)]
pub struct Place {
    all: Arc<UnderWay>,
    token: String,
    ended: CancellationToken,
}

impl Place {
    /// Whether a later connection has taken the upload over.
    pub fn is_over(&self) -> bool {
        self.ended.is_cancelled()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Under the lock: whoever takes it over meanwhile has the entry then.
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.ended.is_cancelled() {
            all.remove(&self.token);
        }
    }
}

/// An upload that is under way.
#[derive(Debug)]
pub struct Upload {
    /// What is uploaded.
    pub file: StoredFile,
    /// How many bytes of it are written.
    pub at: u64,
    /// The place up to which the client may send.
    pub credit: u64,
    /// The place behind which is counted how much has come.
    counted: u64,
    /// `None` while a piece is written, when that was given up, and when the bytes were let go of.
    writing: Option<Writing>,
    place: Place,
    /// One of all uploads that may be under way.
    _permit: OwnedSemaphorePermit,
}

impl Upload {
    pub(super) fn new(
        file: StoredFile,
        writing: Writing,
        place: Place,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let at = writing.at();
        let credit = file.size.min(at.saturating_add(WINDOW));
        let writing = Some(writing);
        Self { file, at, credit, counted: at, writing, place, _permit: permit }
    }

    /// Whether all bytes have come.
    pub const fn is_whole(&self) -> bool {
        self.at >= self.file.size
    }

    /// Extends the credit when half of it is used up. Says how far it goes then.
    pub fn extend(&mut self) -> Option<u64> {
        let credit = self.file.size.min(self.at.saturating_add(WINDOW));
        let is_due = self.credit < self.file.size && self.credit - self.at <= WINDOW / 2;
        if is_due {
            self.credit = credit;
        }
        is_due.then_some(credit)
    }

    /// Whether so many bytes have come since this was last so, or since it began.
    pub fn has_come(&mut self, bytes: u64) -> bool {
        let has_come = self.at.saturating_sub(self.counted) >= bytes;
        if has_come {
            self.counted = self.at;
        }
        has_come
    }

    /// Whether another connection goes on with it.
    pub fn is_taken_over(&self) -> bool {
        self.place.is_over()
    }

    /// Waits until another connection goes on with it.
    pub async fn taken_over(&self) {
        self.place.ended.cancelled().await;
    }

    /// Writes a piece.
    ///
    /// # Errors
    /// [`SpoolError`]; the upload can't go on then.
    pub(super) async fn add(&mut self, piece: Vec<u8>) -> Result<(), SpoolError> {
        let mut writing = self.writing.take().ok_or_else(gone)?;
        let bytes = piece.len() as u64;
        let written = tokio::task::spawn_blocking(move || writing.add(&piece).map(|()| writing));
        self.writing = Some(written.await.map_err(std::io::Error::other)??);
        self.at += bytes;
        Ok(())
    }

    /// Makes it outlive a power cut, and gives its digest. Its bytes stay locked.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub(super) async fn finish(&mut self) -> Result<[u8; 32], SpoolError> {
        let writing = self.writing.take().ok_or_else(gone)?;
        let finish = move || writing.finish().map(|digest| (digest, writing));
        let finished = tokio::task::spawn_blocking(finish).await;
        let (digest, writing) = finished.map_err(std::io::Error::other)??;
        self.writing = Some(writing);
        Ok(digest)
    }

    /// Lets go of its bytes: others may lock them from now on.
    pub(super) fn let_go(&mut self) {
        self.writing = None;
    }
}

fn gone() -> SpoolError {
    std::io::Error::other("it is not written any more").into()
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::FileScope;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::files::Spool;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn a_few_bytes_now_and_then_are_added_up() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let file = StoredFile {
            token: "a".repeat(22),
            account: 1,
            scope: FileScope::All,
            name: "x".to_owned(),
            size: 100,
            sha256: [7; 32],
            begun: 1,
            until: 2,
            is_there: false,
            claimed: None,
            message: None,
            source: None,
            recipient: None,
        };
        let writing = spool.begin(&file.token, file.size).unwrap();
        let place = Arc::new(UnderWay::default()).begin(&file.token, 1, PEER).unwrap();
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let mut upload = Upload::new(file, writing, place, permit);
        let mut has_come = Vec::new();
        for bytes in [4, 5, 1, 9, 10] {
            upload.add(vec![0; bytes]).await.unwrap();
            has_come.push(upload.has_come(10));
        }
        assert_eq!(has_come, [false, false, true, false, true]);
    }

    #[test]
    fn a_later_connection_takes_an_upload_over() {
        let all = Arc::new(UnderWay::default());
        let first = all.begin("a", 1, PEER).unwrap();
        let other = all.begin("b", 1, PEER).unwrap();
        let second = all.begin("a", 1, PEER).unwrap();
        assert!(first.is_over() && !other.is_over());
        drop(first);
        let third = all.begin("a", 1, PEER).unwrap();
        assert!(second.is_over(), "the first one took the place of the second along");
        drop((second, third, other));
        assert!(all.0.lock().unwrap().is_empty());
    }

    #[test]
    fn one_account_does_not_take_all_places() {
        let all = Arc::new(UnderWay::default());
        let begin = |token: usize, account| all.begin(&token.to_string(), account, PEER);
        let mut held: Vec<_> = (0..OF_ACCOUNT).map(|token| begin(token, 1).unwrap()).collect();
        assert!(begin(99, 1).is_none());
        held.push(begin(99, 2).unwrap());
        held.push(begin(3, 1).unwrap());
        assert!(held[3].is_over(), "what is under way is taken over");
        held.swap_remove(0);
        assert!(begin(100, 1).is_some());
    }

    #[test]
    fn one_address_does_not_take_all_places() {
        let all = Arc::new(UnderWay::default());
        let begin = |token: i64, peer: &str| {
            // Each is of an account of its own.
            all.begin(&token.to_string(), token, peer.parse().unwrap())
        };
        let most = i64::try_from(OF_ADDRESS).unwrap();
        let mut held: Vec<_> =
            (0..most).map(|token| begin(token, &format!("2001:db8::{token:x}")).unwrap()).collect();
        assert!(begin(99, "2001:db8::99").is_none());
        held.push(begin(99, "2001:db8:0:1::99").unwrap());
        held.push(begin(3, "2001:db8::99").unwrap());
        assert!(held[3].is_over(), "what is under way is taken over");
        held.swap_remove(0);
        assert!(begin(100, "2001:db8::99").is_some());
    }
}
