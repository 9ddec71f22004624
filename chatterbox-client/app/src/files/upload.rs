//! A file that this user sends: opened, asked for, sent piece by piece within the credit, and there (FI-1 to FI-3). After a cut it goes
//! on from the place that the server names.

use bytes::Bytes;
use chatterbox_proto::WireText;
use chatterbox_proto::capability::files::{FileAnswer, FileChunk, FilePut};
use chatterbox_proto::capability::meta::{Digest, FileToken, FileTold};

use super::fault::FileFault;
use super::name::SafeName;
use super::work::FileWork;
use crate::target::Target;

/// Why a server is not followed any more.
const NONSENSE: &str = "the server has answered what makes no sense";

/// A file that is sent.
#[derive(Debug)]
pub(crate) struct Upload {
    path: String,
    /// Where it is announced.
    pub(crate) to: Target,
    /// What is said with it.
    pub(crate) text: String,
    opened: Option<Opened>,
    token: Option<FileToken>,
    /// Where the piece begins that comes next.
    at: u64,
    step: Step,
}

/// What is known of a file as soon as it was read once.
#[derive(Debug, Clone)]
struct Opened {
    name: SafeName,
    size: u64,
    sha256: Digest,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Its size and digest.
    Opening { is_asked: bool },
    /// Its turn, or the connection.
    Waiting,
    /// The server's answer to FILE_PUT.
    Asked,
    /// Credit, a piece from the disk, or, behind the last piece, the word that all of it is there.
    Sending { credit: u64, is_reading: bool },
}

/// An upload that is there: the message that is said with it.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) to: Target,
    pub(crate) text: String,
    pub(crate) file: FileTold,
}

impl Upload {
    pub(crate) fn new(path: String, to: Target, text: String) -> Self {
        let step = Step::Opening { is_asked: false };
        Self { path, to, text, opened: None, token: None, at: 0, step }
    }

    /// What it is called: until it is opened, by the end of its path.
    pub(crate) fn name(&self) -> SafeName {
        let opened = self.opened.as_ref().map(|opened| opened.name.clone());
        opened.unwrap_or_else(|| SafeName::of(&self.path))
    }

    pub(crate) fn size(&self) -> Option<u64> {
        self.opened.as_ref().map(|opened| opened.size)
    }

    pub(crate) fn done(&self) -> u64 {
        self.at
    }

    pub(crate) fn token(&self) -> Option<&FileToken> {
        self.token.as_ref()
    }

    pub(crate) fn is_moving(&self) -> bool {
        matches!(self.step, Step::Sending { .. })
    }

    /// The next thing to do on this machine. A piece is read only where nothing else waits for the connection (`idle`), so that it
    /// stands before no message; it has at most `chunk` bytes.
    pub(crate) fn work(
        &mut self,
        id: u64,
        idle: bool,
        chunk: usize,
        most: Option<u64>,
    ) -> Option<FileWork> {
        match &mut self.step {
            Step::Opening { is_asked } if !*is_asked => {
                *is_asked = true;
                Some(FileWork::Open { id, path: self.path.clone(), most })
            }
            Step::Sending { credit, is_reading } if idle && !*is_reading => {
                let size = self.opened.as_ref()?.size;
                let granted = size.min(*credit).saturating_sub(self.at);
                let bytes = usize::try_from(granted).unwrap_or(chunk).min(chunk);
                *is_reading = bytes > 0;
                is_reading.then_some(FileWork::Read { id, at: self.at, bytes })
            }
            _ => None,
        }
    }

    /// The file was read once.
    pub(crate) fn opened(&mut self, name: &str, size: u64, sha256: Digest) {
        if matches!(self.step, Step::Opening { .. }) {
            self.opened = Some(Opened { name: SafeName::of(name), size, sha256 });
            self.step = Step::Waiting;
        }
    }

    /// Asks the server for it, if it waits for its turn; the connection is there.
    pub(crate) fn ask(&mut self, id: &str) -> Option<Bytes> {
        let opened = self.opened.as_ref().filter(|_| self.step == Step::Waiting)?;
        let put = FilePut {
            id: id.to_owned(),
            to: WireText::new(self.to.wire().to_owned()),
            name: WireText::new(opened.name.as_str().to_owned()),
            size: opened.size,
            sha256: opened.sha256,
        };
        self.step = Step::Asked;
        put.to_object().finish().ok()
    }

    /// The server is asked again after a while.
    pub(crate) fn wait(&mut self) {
        if self.opened.is_some() {
            self.step = Step::Waiting;
        }
    }

    /// The connection is lost.
    pub(crate) fn lost(&mut self) {
        self.wait();
    }

    /// The server's answer to FILE_PUT.
    pub(crate) fn answered(&mut self, answer: &FileAnswer) -> Result<(), &'static str> {
        let (Step::Asked, Some(size)) = (self.step, self.size()) else { return Ok(()) };
        let token = answer.file.as_ref().and_then(|token| FileToken::parse(token.as_wire()));
        let (Some(token), Some(at), Some(credit)) = (token, answer.at, answer.credit) else {
            return Err(NONSENSE);
        };
        if at > size {
            return Err(NONSENSE);
        }
        self.token = Some(token);
        self.at = at;
        self.step = Step::Sending { credit, is_reading: false };
        Ok(())
    }

    /// The server takes more.
    pub(crate) fn credited(&mut self, upto: u64) {
        if let Step::Sending { credit, .. } = &mut self.step {
            *credit = upto.max(*credit);
        }
    }

    /// A piece was read: the frame with it. One that was asked for before the connection was lost is read again.
    pub(crate) fn read(&mut self, at: u64, data: &[u8]) -> Result<Option<Bytes>, FileFault> {
        let Step::Sending { is_reading, credit } = &mut self.step else { return Ok(None) };
        if !std::mem::take(is_reading) || at != self.at {
            return Ok(None);
        }
        let credit = *credit;
        let size = self.size().unwrap_or_default();
        let end = at.saturating_add(data.len() as u64);
        if data.is_empty() || end > size.min(credit) {
            return Err(FileFault::Changed);
        }
        let token = self.token.as_ref().map(FileToken::as_str).unwrap_or_default();
        let frame = FileChunk::frame(token, at, data);
        let frame = frame.map_err(|error| FileFault::Other(error.to_string()))?;
        self.at = end;
        Ok(Some(frame))
    }

    /// The server says that all of it is there until some time.
    pub(crate) fn there(&self, until: Option<i64>) -> Result<Announced, &'static str> {
        let (Some(opened), Some(token)) = (&self.opened, &self.token) else { return Err(NONSENSE) };
        if !self.is_moving() || self.at != opened.size {
            return Err(NONSENSE);
        }
        let file = FileTold {
            token: token.clone(),
            name: WireText::new(opened.name.as_str().to_owned()),
            size: opened.size,
            sha256: opened.sha256,
            until,
        };
        Ok(Announced { to: self.to.clone(), text: self.text.clone(), file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(at: u64, credit: u64) -> FileAnswer {
        FileAnswer {
            file: Some(WireText::new("Qx7")),
            at: Some(at),
            credit: Some(credit),
            ..FileAnswer::default()
        }
    }

    fn asked(size: u64) -> Upload {
        let mut upload = Upload::new("~/notes.pdf".to_owned(), Target::Lobby, String::new());
        assert!(matches!(upload.work(1, false, 10, Some(5)), Some(FileWork::Open { .. })));
        assert_eq!(upload.work(1, true, 10, None), None);
        upload.opened("notes.pdf", size, Digest([7; 32]));
        assert!(upload.ask("f1").is_some());
        assert_eq!(upload.ask("f1"), None, "it is asked for once");
        upload
    }

    #[test]
    fn no_byte_goes_beyond_the_credit_or_before_something_else() {
        let mut upload = asked(25);
        upload.answered(&answer(0, 15)).unwrap();
        assert_eq!(upload.work(1, false, 10, None), None, "something else waits");
        assert_eq!(
            upload.work(1, true, 10, None),
            Some(FileWork::Read { id: 1, at: 0, bytes: 10 })
        );
        assert_eq!(upload.work(1, true, 10, None), None, "one piece at a time");
        assert!(upload.read(0, &[0; 10]).unwrap().is_some());
        assert_eq!(
            upload.work(1, true, 10, None),
            Some(FileWork::Read { id: 1, at: 10, bytes: 5 })
        );
        assert!(upload.read(10, &[0; 5]).unwrap().is_some());
        assert_eq!(upload.work(1, true, 10, None), None, "the credit is used up");
        assert!(upload.there(None).is_err(), "nothing is announced before it is there");
        upload.credited(5);
        assert_eq!(upload.work(1, true, 10, None), None, "credit is not taken back");
        upload.credited(100);
        assert_eq!(
            upload.work(1, true, 10, None),
            Some(FileWork::Read { id: 1, at: 15, bytes: 10 })
        );
        assert!(upload.read(15, &[0; 10]).unwrap().is_some());
        assert_eq!(upload.work(1, true, 10, None), None);
        assert_eq!(upload.there(Some(9)).unwrap().file.until, Some(9));
    }

    #[test]
    fn after_a_cut_it_goes_on_where_the_server_says() {
        let mut upload = asked(25);
        upload.answered(&answer(0, 25)).unwrap();
        upload.work(1, true, 10, None);
        upload.lost();
        assert_eq!(upload.read(0, &[0; 10]), Ok(None), "it was read for another connection");
        assert!(upload.ask("f2").is_some());
        upload.answered(&answer(7, 25)).unwrap();
        assert_eq!(
            upload.work(1, true, 10, None),
            Some(FileWork::Read { id: 1, at: 7, bytes: 10 })
        );
        assert_eq!(upload.read(7, &[]), Err(FileFault::Changed));
    }

    #[test]
    fn what_makes_no_sense_is_not_followed() {
        for answer in [
            answer(26, 30),
            FileAnswer { file: None, ..answer(0, 5) },
            FileAnswer { file: Some(WireText::new("../x")), ..answer(0, 5) },
            FileAnswer { credit: None, ..answer(0, 5) },
        ] {
            assert!(asked(25).answered(&answer).is_err(), "{answer:?}");
        }
    }
}
