//! A file that this user fetches: begun under a temporary name, asked for, written piece by piece, checked and named (FI-2, FI-4, FI-7).
//! After a cut it goes on behind the last byte that has come.

use std::collections::VecDeque;

use bytes::Bytes;
use chatterbox_proto::capability::files::{FileAnswer, FileChunk, FileCredit, FileGet};
use chatterbox_proto::capability::meta::FileTold;

use super::name::SafeName;
use super::work::FileWork;

/// So many bytes are on their way at most, or wait to be written.
const WINDOW: u64 = 128 * 1024;

/// What has come is not what was asked for.
const NONSENSE: &str = "the server has sent what makes no sense";

/// A file that is fetched.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) file: FileTold,
    /// Where the user wants it.
    path: Option<String>,
    /// How many bytes have come, and how many of them are on the disk.
    came: u64,
    written: u64,
    /// The place up to which the server may send.
    credit: u64,
    /// What has come and is not written.
    queue: VecDeque<Vec<u8>>,
    is_writing: bool,
    step: Step,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A file on this machine.
    Creating { is_asked: bool },
    /// Its turn, or the connection.
    Waiting,
    /// The server's answer to FILE_GET.
    Asked,
    /// Pieces.
    Fetching,
    /// The digest, and a name.
    Finishing,
}

impl Download {
    pub(crate) fn new(file: FileTold, path: Option<String>) -> Self {
        Self {
            file,
            path,
            came: 0,
            written: 0,
            credit: 0,
            queue: VecDeque::new(),
            is_writing: false,
            step: Step::Creating { is_asked: false },
        }
    }

    pub(crate) fn name(&self) -> SafeName {
        SafeName::of(self.file.name.as_wire())
    }

    pub(crate) fn done(&self) -> u64 {
        self.written
    }

    pub(crate) fn is_moving(&self) -> bool {
        matches!(self.step, Step::Fetching | Step::Finishing)
    }

    /// Whether the server knows of it on this connection.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self.step, Step::Asked | Step::Fetching)
    }

    /// The next thing to do on this machine.
    pub(crate) fn work(&mut self, id: u64) -> Option<FileWork> {
        if let Step::Creating { is_asked } = &mut self.step {
            if std::mem::replace(is_asked, true) {
                return None;
            }
            return Some(FileWork::Create { id, name: self.name(), path: self.path.clone() });
        }
        if self.is_writing {
            return None;
        }
        if let Some(data) = self.queue.pop_front() {
            self.is_writing = true;
            return Some(FileWork::Write { id, data });
        }
        let is_whole = self.step == Step::Fetching && self.written == self.file.size;
        is_whole.then(|| {
            self.step = Step::Finishing;
            FileWork::Finish { id, sha256: self.file.sha256 }
        })
    }

    /// The file on this machine is begun.
    pub(crate) fn created(&mut self) {
        if matches!(self.step, Step::Creating { .. }) {
            self.step = Step::Waiting;
        }
    }

    /// Asks the server for it, if it waits for its turn; the connection is there.
    pub(crate) fn ask(&mut self, id: &str) -> Option<Bytes> {
        if self.step != Step::Waiting {
            return None;
        }
        self.credit = self.granted();
        let get = FileGet {
            id: id.to_owned(),
            file: self.file.token.as_str().to_owned(),
            at: self.came,
            credit: self.credit,
        };
        self.step = Step::Asked;
        get.to_object().finish().ok()
    }

    /// The place up to which there is room for pieces.
    fn granted(&self) -> u64 {
        self.written.saturating_add(WINDOW).max(self.came).min(self.file.size)
    }

    /// The server is asked again after a while.
    pub(crate) fn wait(&mut self) {
        if matches!(self.step, Step::Asked | Step::Fetching) {
            self.step = Step::Waiting;
        }
    }

    /// The connection is lost. What has come whole needs no other one.
    pub(crate) fn lost(&mut self) {
        if self.came < self.file.size || self.step == Step::Asked {
            self.wait();
        }
    }

    /// The server's answer to FILE_GET.
    pub(crate) fn answered(&mut self, answer: &FileAnswer) -> Result<(), &'static str> {
        if self.step != Step::Asked {
            return Ok(());
        }
        // A file of another size than was announced is another file.
        if answer.at != Some(self.came) || answer.size != Some(self.file.size) {
            return Err(NONSENSE);
        }
        self.step = Step::Fetching;
        Ok(())
    }

    /// A piece has come. It has to be the next one, within the credit: so no server makes this program take more than was announced,
    /// or than it has room for.
    pub(crate) fn chunk(&mut self, chunk: FileChunk) -> Result<(), &'static str> {
        // Pieces of what was asked for before may still be on their way.
        if self.step != Step::Fetching {
            return Ok(());
        }
        let data = chunk.data.filter(|data| !data.is_empty()).ok_or(NONSENSE)?;
        let end = self.came.saturating_add(data.len() as u64);
        if chunk.at != self.came || end > self.credit {
            return Err(NONSENSE);
        }
        self.came = end;
        self.queue.push_back(data);
        Ok(())
    }

    /// A piece is on the disk: the frame that lets the server send more, where it is time for that.
    pub(crate) fn written(&mut self, bytes: usize) -> Option<Bytes> {
        self.is_writing = false;
        self.written = self.written.saturating_add(bytes as u64).min(self.came);
        if self.step != Step::Fetching {
            return None;
        }
        let granted = self.granted();
        let is_all = granted == self.file.size && granted > self.credit;
        if granted.saturating_sub(self.credit) < WINDOW / 2 && !is_all {
            return None;
        }
        self.credit = granted;
        let credit = FileCredit { file: self.file.token.as_str().to_owned(), upto: granted };
        credit.to_object().finish().ok()
    }

    /// The server says that it has sent everything.
    pub(crate) fn all_sent(&self) -> Result<(), &'static str> {
        if self.came == self.file.size { Ok(()) } else { Err("the server has ended it too early") }
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::WireText;
    use chatterbox_proto::capability::meta::{Digest, FileToken};

    use super::*;

    fn fetching(size: u64) -> Download {
        let file = FileTold {
            token: FileToken::parse("Qx7").unwrap(),
            name: WireText::new("../x.pdf"),
            size,
            sha256: Digest([7; 32]),
            until: None,
        };
        let mut download = Download::new(file, None);
        assert!(matches!(download.work(1), Some(FileWork::Create { .. })));
        assert_eq!(download.work(1), None);
        download.created();
        assert!(download.ask("f1").is_some());
        download.answered(&answer(0, size)).unwrap();
        download
    }

    fn answer(at: u64, size: u64) -> FileAnswer {
        FileAnswer { at: Some(at), size: Some(size), ..FileAnswer::default() }
    }

    fn piece(at: u64, bytes: usize) -> FileChunk {
        FileChunk { file: "Qx7".to_owned(), at, data: Some(vec![7; bytes]) }
    }

    #[test]
    fn what_comes_is_written_and_makes_room_for_more() {
        let size = 3 * WINDOW;
        let mut download = fetching(size);
        let (mut at, mut upto, mut granted) = (0, WINDOW, 0);
        while at < size {
            assert!(at < upto, "there is credit for all of it");
            download.chunk(piece(at, 16 * 1024)).unwrap();
            at += 16 * 1024;
            let Some(FileWork::Write { data, .. }) = download.work(1) else { panic!("no work") };
            assert_eq!(download.work(1), None, "one piece at a time");
            if download.written(data.len()).is_some() {
                granted += 1;
                upto = download.credit;
            }
        }
        assert!(granted <= 6, "{granted}");
        assert_eq!(download.all_sent(), Ok(()));
        assert!(matches!(download.work(1), Some(FileWork::Finish { .. })));
        assert_eq!(download.work(1), None);
    }

    #[test]
    fn nothing_beyond_what_was_announced_is_taken() {
        for chunk in
            [piece(1, 10), piece(0, 0), piece(0, 31), FileChunk { data: None, ..piece(0, 1) }]
        {
            assert!(fetching(30).chunk(chunk.clone()).is_err(), "{chunk:?}");
        }
        let mut full = fetching(2 * WINDOW);
        for at in 0..8 {
            full.chunk(piece(at * 16 * 1024, 16 * 1024)).unwrap();
        }
        assert!(full.chunk(piece(WINDOW, 1)).is_err(), "beyond the credit");
        let mut other = fetching(30);
        other.lost();
        other.ask("f2").unwrap();
        assert!(other.answered(&answer(0, 31)).is_err());
        assert!(fetching(30).all_sent().is_err());
    }

    #[test]
    fn after_a_cut_it_goes_on_behind_what_has_come() {
        let mut download = fetching(30);
        download.chunk(piece(0, 10)).unwrap();
        download.lost();
        assert!(matches!(download.work(1), Some(FileWork::Write { .. })));
        assert!(download.written(10).is_none(), "there is nobody to tell");
        let frame = String::from_utf8(download.ask("f2").unwrap()[4..].to_vec()).unwrap();
        assert!(frame.contains(r#""AT": 10"#), "{frame}");
        download.answered(&answer(10, 30)).unwrap();
        download.chunk(piece(10, 20)).unwrap();
        download.lost();
        assert!(matches!(download.work(1), Some(FileWork::Write { .. })));
        download.written(20);
        assert!(matches!(download.work(1), Some(FileWork::Finish { .. })), "all of it is here");
    }

    #[test]
    fn an_empty_file_is_there_as_soon_as_it_may_be_fetched() {
        let mut download = fetching(0);
        assert!(matches!(download.work(1), Some(FileWork::Finish { .. })));
    }
}
