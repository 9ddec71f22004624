use super::*;

const T: &str = "AAAAAAAAAAAAAAAAAAAA_-";

fn spool() -> (tempfile::TempDir, Spool) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(&folder.path().join("files")).unwrap();
    (folder, spool)
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    *ring::digest::digest(&SHA256, bytes).as_ref().first_chunk().unwrap()
}

#[test]
fn what_was_written_before_is_gone_on_with() {
    let (_folder, spool) = spool();
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let mut first = spool.begin(T, 200_000).unwrap();
    assert_eq!(first.at(), 0);
    first.add(&bytes[..150_001]).unwrap();
    assert!(matches!(spool.begin(T, 200_000), Err(SpoolError::InUse)), "one at a time");
    drop(first);
    let mut again = spool.begin(T, 200_000).unwrap();
    assert_eq!(again.at(), 150_001);
    again.add(&bytes[150_001..]).unwrap();
    assert_eq!(again.finish().unwrap(), digest(&bytes));
    assert!(matches!(spool.begin(T, 200_000), Err(SpoolError::InUse)), "until it is let go of");
    drop(again);
    assert_eq!(spool.size(T).unwrap(), Some(200_000));
    assert_eq!(spool.read(T, 0, 10).unwrap(), bytes[..10]);
    assert_eq!(spool.read(T, 199_995, 10).unwrap(), bytes[199_995..]);
    assert_eq!(spool.read(T, 200_000, 10).unwrap(), b"");
    // An upload of another size under this token has no more than that.
    assert_eq!(spool.begin(T, 5).unwrap().at(), 5);
}

#[test]
fn nothing_is_there_of_nothing() {
    let (_folder, spool) = spool();
    assert_eq!(spool.begin(T, 0).unwrap().finish().unwrap(), digest(b""));
    assert_eq!(spool.read(T, 0, 10).unwrap(), b"");
    spool.remove(T).unwrap();
    spool.remove(T).unwrap();
    assert_eq!(spool.size(T).unwrap(), None);
    assert!(spool.read(T, 0, 10).is_err());
    assert!(spool.free().unwrap() > 0);
}

#[test]
fn no_token_leads_out_of_the_folder() {
    let (folder, spool) = spool();
    fs::write(folder.path().join("outside"), "x").unwrap();
    fs::write(folder.path().join("files").join("not-ours"), "x").unwrap();
    let up = format!("../outside{}", "A".repeat(TOKEN - 10));
    for token in ["", "..", "../outside", &up, "A", &"A".repeat(TOKEN + 1), "not-ours"] {
        assert!(spool.begin(token, 1).is_err() && spool.read(token, 0, 1).is_err(), "{token:?}");
        assert!(spool.remove(token).is_err(), "{token:?}");
    }
    drop(spool.begin(T, 1).unwrap());
    assert_eq!(spool.tokens(Duration::ZERO).unwrap(), [T]);
    assert_eq!(spool.tokens(Duration::from_secs(3600)).unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_no_file_is_neither_followed_nor_waited_for() {
    let (folder, spool) = spool();
    let (outside, path) = (folder.path().join("outside"), folder.path().join("files").join(T));
    fs::write(&outside, "secret").unwrap();
    std::os::unix::fs::symlink(&outside, &path).unwrap();
    let is_refused = || {
        spool.begin(T, 1).is_err()
            && spool.read(T, 0, 1).is_err()
            && spool.hold_idle(T, Duration::ZERO, Duration::ZERO).is_err()
    };
    assert!(is_refused(), "a link");
    assert_eq!(fs::read(&outside).unwrap(), b"secret");
    spool.remove(T).unwrap();
    assert!(outside.exists());
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    assert!(is_refused(), "a pipe");
    spool.remove(T).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(is_refused(), "a folder");
    // It can't be removed like bytes, and whoever removes those of nobody does not try to.
    let other = "B".repeat(TOKEN);
    drop(spool.begin(&other, 1).unwrap());
    assert_eq!(spool.tokens(Duration::ZERO).unwrap(), [other]);
}

#[test]
fn nobody_else_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, spool) = spool();
    drop(spool.begin(T, 1).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let files = folder.path().join("files");
    assert_eq!((mode(&files), mode(&files.join(T))), (0o700, 0o600));
}

#[test]
fn a_server_alone_has_the_folder_and_nodes_share_it() {
    let (_folder, spool) = spool();
    let alone = spool.clone().locked(false).unwrap();
    for is_shared in [false, true] {
        assert!(matches!(spool.clone().locked(is_shared), Err(SpoolError::Taken(_))));
    }
    assert_eq!(alone.tokens(Duration::ZERO).unwrap(), Vec::<String>::new(), "the lock is no file");
    drop(alone);
    let first = spool.clone().locked(true).unwrap();
    let second = spool.clone().locked(true).unwrap();
    assert!(matches!(spool.clone().locked(false), Err(SpoolError::Taken(_))));
    drop((first, second));
    drop(spool.locked(false).unwrap());
}

#[test]
fn an_upload_is_idle_when_nobody_has_it_and_nothing_has_come_for_a_while() {
    let (_folder, spool) = spool();
    let hour = Duration::from_secs(60 * 60);
    let is_idle = |untouched, empty| spool.hold_idle(T, untouched, empty).unwrap().is_some();
    assert!(is_idle(hour, hour), "there is nothing of it");
    drop(spool.begin(T, 10).unwrap());
    assert!(is_idle(hour, Duration::ZERO), "no byte has come");
    assert!(!is_idle(Duration::ZERO, hour));
    let mut writing = spool.begin(T, 10).unwrap();
    writing.add(b"half").unwrap();
    assert!(!is_idle(Duration::ZERO, Duration::ZERO), "it is being written");
    drop(writing);
    assert!(!is_idle(hour, Duration::ZERO));
    let file = OpenOptions::new().write(true).open(spool.folder.join(T)).unwrap();
    file.set_modified(SystemTime::now() - hour - Duration::from_secs(1)).unwrap();
    assert!(is_idle(hour, Duration::ZERO));
    assert_eq!(spool.begin(T, 10).unwrap().at(), 4, "it can be written again");
}

#[test]
fn nobody_begins_to_write_what_is_held() {
    let (_folder, spool) = spool();
    let hold = || spool.hold_idle(T, Duration::ZERO, Duration::ZERO).unwrap();
    for (bytes, why) in [(None, "there is nothing of it"), (Some(b"half"), "there is a part")] {
        if let Some(bytes) = bytes {
            spool.begin(T, 10).unwrap().add(bytes).unwrap();
        }
        let held = hold().unwrap();
        assert!(matches!(spool.begin(T, 10), Err(SpoolError::InUse)), "{why}");
        assert!(hold().is_none(), "another node holds it: {why}");
        spool.remove(T).unwrap();
        drop(held);
        assert_eq!(spool.begin(T, 10).unwrap().at(), 0, "{why}");
        spool.remove(T).unwrap();
    }
}
