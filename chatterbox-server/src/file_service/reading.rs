//! Reading what is fetched: in blocks, of which pieces are cut.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::file_service::refusal::FileRefusal;
use crate::files::{Spool, SpoolError};

/// Reads at a time, for all who fetch.
const READS: usize = 8;

/// So much of a file is read at once: a thread and an open file for each piece of 16 KiB would cost more than the rest of its way.
const BLOCK: u64 = 128 * 1024;

/// So many downloads may have a block in memory; the others have one piece, so that what all take is bounded.
const BLOCKS: usize = 256;

/// Reads for all who fetch.
#[derive(Debug)]
pub(super) struct Reading {
    spool: Spool,
    reads: Arc<Semaphore>,
    blocks: Arc<Semaphore>,
}

/// What was read of a file and not sent yet, and its place among [`BLOCKS`].
#[derive(Debug)]
pub(super) struct Block {
    bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

/// Where somebody is in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position<'a> {
    pub token: &'a str,
    pub at: u64,
    /// No byte from here on is read.
    pub end: u64,
    /// Whether only what is asked for is read.
    pub is_first: bool,
}

impl Reading {
    pub(super) fn new(spool: Spool) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self { spool, reads: places(READS), blocks: places(BLOCKS) }
    }

    /// Takes a piece of so many bytes at most, of the block that was read before, or of one that is read now.
    ///
    /// # Errors
    /// [`FileRefusal`] when the file is not there any more, or can't be read.
    pub(super) async fn take(
        &self,
        block: &mut Option<Block>,
        position: Position<'_>,
        bytes: usize,
    ) -> Result<Bytes, FileRefusal> {
        let mut current = match block.take() {
            Some(block) => block,
            None => match self.place(position) {
                Some(place) => {
                    let end = position.end.min(position.at.saturating_add(BLOCK));
                    let ahead = end.saturating_sub(position.at);
                    let ahead = usize::try_from(ahead).unwrap_or(bytes).max(bytes);
                    Block { bytes: self.read(position, ahead).await?, _place: place }
                }
                None => return self.read(position, bytes).await,
            },
        };
        let piece = current.bytes.split_to(bytes.min(current.bytes.len()));
        *block = (!current.bytes.is_empty()).then_some(current);
        Ok(piece)
    }

    /// A place for a block, if it is worth one and one is left. The first piece is read alone: who asks for one after the other and goes
    /// on with none would have the disk work for nothing.
    fn place(&self, position: Position<'_>) -> Option<OwnedSemaphorePermit> {
        if position.is_first {
            return None;
        }
        Arc::clone(&self.blocks).try_acquire_owned().ok()
    }

    async fn read(&self, position: Position<'_>, bytes: usize) -> Result<Bytes, FileRefusal> {
        // It is never closed.
        let place = Arc::clone(&self.reads).acquire_owned().await.ok();
        let (spool, token, at) = (self.spool.clone(), position.token.to_owned(), position.at);
        // The place goes along: a disk that hangs is asked by no more than these, however many connections come and go.
        let read = tokio::task::spawn_blocking(move || {
            let read = spool.read(&token, at, bytes);
            drop(place);
            read
        });
        match read.await.map_err(|_| FileRefusal::failed())? {
            Ok(read) if read.len() == bytes => Ok(Bytes::from(read)),
            Ok(_) => Err(FileRefusal::expired()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(FileRefusal::expired())
            }
            Err(error) => Err(SpoolError::from(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAA_-";
    const SIZE: usize = 300_000;

    fn bytes() -> Vec<u8> {
        (0_u32..).flat_map(|number| number.to_le_bytes()).take(SIZE).collect()
    }

    /// A file, and so many places for blocks.
    fn reading(blocks: usize) -> (tempfile::TempDir, Reading) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let mut writing = spool.begin(TOKEN, SIZE as u64).unwrap();
        writing.add(&bytes()).unwrap();
        let reading = Reading { blocks: Arc::new(Semaphore::new(blocks)), ..Reading::new(spool) };
        (folder, reading)
    }

    fn at(at: usize, end: usize) -> Position<'static> {
        Position { token: TOKEN, at: at as u64, end: end as u64, is_first: false }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn pieces_are_those_of_the_file(
            blocks in 0_usize..2,
            begin in 0..SIZE,
            steps in proptest::collection::vec((1_usize..16_385, 0_usize..200_000), 1..60),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (_folder, reading) = reading(blocks);
                let (all, mut block, mut place) = (bytes(), None, begin);
                for (wanted, credit) in steps {
                    let end = (place + wanted + credit).min(SIZE);
                    let wanted = wanted.min(end - place);
                    if wanted == 0 {
                        break;
                    }
                    let piece = reading.take(&mut block, at(place, end), wanted).await.unwrap();
                    prop_assert!(!piece.is_empty() && piece.len() <= wanted);
                    prop_assert_eq!(&piece[..], &all[place..place + piece.len()]);
                    place += piece.len();
                }
                drop(block);
                prop_assert_eq!(reading.blocks.available_permits(), blocks);
                prop_assert_eq!(reading.reads.available_permits(), READS);
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn a_block_ends_where_nothing_more_may_be_sent_and_gives_its_place_back() {
        let (_folder, reading) = reading(1);
        let (mut block, mut other) = (None, None);
        let first = Position { is_first: true, ..at(0, SIZE) };
        assert_eq!(reading.take(&mut block, first, 10).await.unwrap().len(), 10);
        assert!(block.is_none(), "the first piece is alone");
        assert_eq!(reading.take(&mut block, at(10, 50), 10).await.unwrap().len(), 10);
        assert_eq!(block.as_ref().unwrap().bytes.len(), 30);
        assert_eq!(reading.take(&mut other, at(0, SIZE), 10).await.unwrap().len(), 10);
        assert!(other.is_none(), "no place is left");
        assert_eq!(reading.take(&mut block, at(20, SIZE), 40).await.unwrap().len(), 30);
        assert!(block.is_none());
        assert_eq!(reading.take(&mut other, at(10, SIZE), 10).await.unwrap().len(), 10);
        assert_eq!(other.as_ref().unwrap().bytes.len() as u64, BLOCK - 10);
    }

    #[tokio::test]
    async fn what_can_t_be_read_takes_no_place() {
        let (_folder, reading) = reading(1);
        let mut block = None;
        let behind = at(SIZE - 5, SIZE + 5);
        assert!(reading.take(&mut block, behind, 10).await.is_err());
        let elsewhere = Position { token: "BBBBBBBBBBBBBBBBBBBB_-", ..at(0, 10) };
        assert!(reading.take(&mut block, elsewhere, 10).await.is_err());
        assert!(block.is_none());
        assert_eq!(reading.blocks.available_permits(), 1);
    }

    #[test]
    fn a_disk_that_hangs_is_asked_so_often_and_no_more() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let (_folder, reading) = reading(1);
            // The only thread is busy until it is told to go on.
            let (go_on, hangs) = std::sync::mpsc::channel::<()>();
            tokio::task::spawn_blocking(move || hangs.recv());
            for _ in 0..2 * READS {
                let mut block = None;
                let gone = reading.take(&mut block, at(0, SIZE), 10);
                let gone = tokio::time::timeout(Duration::from_millis(1), Box::pin(gone));
                assert!(gone.await.is_err());
            }
            assert_eq!(reading.reads.available_permits(), 0);
            drop(go_on);
            let mut all = Vec::new();
            for _ in 0..READS {
                all.push(reading.reads.acquire().await.unwrap());
            }
        });
    }
}
