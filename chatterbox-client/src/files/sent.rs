//! A file that is sent.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};

use chatterbox_app::{FileFault, SafeName};
use chatterbox_proto::capability::meta::Digest;
use ring::digest::{Context, SHA256};

use super::place::typed;
use super::trouble::fault_of;

/// So much is read at a time to find out the digest.
const PIECE: usize = 256 * 1024;

/// A file that is open.
#[derive(Debug)]
pub(super) struct Sent {
    file: File,
}

/// What is known of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: Digest,
}

impl Sent {
    /// Opens a file and reads it once. It stays open, so that what takes its name meanwhile is not sent in its place.
    pub(super) fn open(path: &str, most: Option<u64>) -> Result<(Self, Known), FileFault> {
        let path = typed(path);
        let fault = |error: io::Error| fault_of(&error);
        // To open a pipe would wait for whoever writes to it.
        let meta = fs::metadata(&path).map_err(fault)?;
        if !meta.is_file() {
            return Err(FileFault::NotAFile);
        }
        fits(meta.len(), most)?;
        let mut file = File::open(&path).map_err(fault)?;
        if !file.metadata().map_err(fault)?.is_file() {
            return Err(FileFault::NotAFile);
        }
        let mut context = Context::new(&SHA256);
        let mut piece = vec![0; PIECE];
        let mut size = 0;
        loop {
            let read = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fault_of(&error)),
            };
            context.update(piece.get(..read).unwrap_or_default());
            size += read as u64;
            // It may grow while it is read.
            fits(size, most)?;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_else(|| SafeName::of("").to_string());
        Ok((Self { file }, Known { name, size, sha256: digest_of(context) }))
    }

    /// Reads a piece; a shorter one where the file ends.
    pub(super) fn read(&mut self, at: u64, bytes: usize) -> Result<Vec<u8>, FileFault> {
        let mut piece = Vec::with_capacity(bytes);
        let read = self.file.seek(SeekFrom::Start(at));
        let read = read.and_then(|_| (&self.file).take(bytes as u64).read_to_end(&mut piece));
        read.map_err(|error| fault_of(&error))?;
        Ok(piece)
    }
}

fn fits(size: u64, most: Option<u64>) -> Result<(), FileFault> {
    match most {
        Some(most) if size > most => Err(FileFault::TooLarge { size, most }),
        _ => Ok(()),
    }
}

/// The digest of all that was given to a context.
pub(super) fn digest_of(context: Context) -> Digest {
    let digest = context.finish();
    let of: &[u8] = digest.as_ref();
    let mut bytes = [0; 32];
    for (byte, of) in bytes.iter_mut().zip(of) {
        *byte = *of;
    }
    Digest(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_and_then_piece_by_piece() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my notes.txt");
        fs::write(&path, "abc").unwrap();
        let (mut sent, known) = Sent::open(&path.display().to_string(), Some(3)).unwrap();
        assert_eq!((known.name.as_str(), known.size), ("my notes.txt", 3));
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(known.sha256.to_string(), digest);
        fs::remove_file(&path).unwrap();
        assert_eq!(sent.read(1, 5), Ok(b"bc".to_vec()));
        assert_eq!(sent.read(9, 5), Ok(Vec::new()));
    }

    #[test]
    fn what_can_not_be_sent_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "abc").unwrap();
        let open = |path: &std::path::Path, most| {
            Sent::open(&path.display().to_string(), most).map(|(_, known)| known)
        };
        assert_eq!(open(&path, Some(2)), Err(FileFault::TooLarge { size: 3, most: 2 }));
        assert_eq!(open(folder.path(), None), Err(FileFault::NotAFile));
        assert_eq!(open(std::path::Path::new("/dev/null"), None), Err(FileFault::NotAFile));
        assert_eq!(open(&folder.path().join("none"), None), Err(FileFault::Missing));
        assert_eq!(open(&path.join("none"), None), Err(FileFault::Missing));
    }
}
