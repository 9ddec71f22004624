//! The welcome, the first frame of a joined connection: a snapshot of the user list and the history (AC-1, UL-1, HI-1).

use bytes::Bytes;
use chatterbox_proto::capability::utf8;
use chatterbox_proto::frame::{self, TooLong};
use chatterbox_proto::json::Object;
use chatterbox_proto::limits::PREFIX;

/// Assembles the welcome from shared pieces; only its head and tail are made for this user.
///
/// The keys stand in the order USERNAME_ACCEPTED, INFO, USER_LIST, MESSAGES, which is the order in which weak clients
/// expect them.
///
/// # Errors
/// [`TooLong`] when the history does not fit a 4-byte length.
pub fn welcome<'a>(
    info: &str,
    users: impl Iterator<Item = &'a Bytes>,
    history: Vec<Bytes>,
) -> Result<Vec<Bytes>, TooLong> {
    frame(head(info, users), [history], b"]}".to_vec())
}

/// Assembles the welcome with keys of capabilities behind those of the base protocol: `ids` as pieces of IDS, if the
/// client agreed to them, then the members `rest`.
///
/// # Errors
/// [`TooLong`] when the history does not fit a 4-byte length.
pub fn extended<'a>(
    info: &str,
    users: impl Iterator<Item = &'a Bytes>,
    history: Vec<Bytes>,
    ids: Option<Vec<Bytes>>,
    rest: &[u8],
) -> Result<Vec<Bytes>, TooLong> {
    let mut lists = vec![history];
    if let Some(ids) = ids {
        lists.push(vec![Bytes::from_static(br#"], "IDS": ["#)]);
        lists.push(ids);
    }
    let tail = [b"], ", rest, b"}"].concat();
    frame(head(info, users), lists, tail)
}

/// Everything up to the elements of MESSAGES, behind the free place for the length.
fn head<'a>(info: &str, users: impl Iterator<Item = &'a Bytes>) -> Vec<u8> {
    let mut object = Object::with_capacity(256)
        .boolean("USERNAME_ACCEPTED", true)
        .string("INFO", info)
        .list("USER_LIST", users);
    object.begin_list("MESSAGES");
    object.into_open()
}

/// The pieces of one frame; `head` has a free place for the length.
fn frame(
    mut head: Vec<u8>,
    lists: impl AsRef<[Vec<Bytes>]> + IntoIterator<Item = Vec<Bytes>>,
    mut tail: Vec<u8>,
) -> Result<Vec<Bytes>, TooLong> {
    let middle: usize = lists.as_ref().iter().flatten().map(Bytes::len).sum();
    let count: usize = lists.as_ref().iter().map(Vec::len).sum();
    let (prefix, padding) = frame::prefix(head.len() - PREFIX + middle + tail.len())?;
    if let Some(place) = head.first_chunk_mut() {
        *place = prefix;
    }
    tail.resize(tail.len() + padding, b' ');
    let mut pieces = Vec::with_capacity(count + 2);
    pieces.push(head.into());
    pieces.extend(lists.into_iter().flatten());
    pieces.push(tail.into());
    Ok(pieces)
}

/// Changes the length of a welcome to what it has without escapes (U8-1). All pieces but the first stay as they are:
/// whoever writes them undoes the escapes then, since a copy for each reader would be as large as the history.
///
/// This reads all of it, so it is not done under the lock.
///
/// # Errors
/// [`TooLong`] never happens, since it gets shorter.
pub fn reframed(welcome: Vec<Bytes>) -> Result<Vec<Bytes>, TooLong> {
    let mut pieces = welcome;
    let mut head = pieces.first_mut().map(std::mem::take).unwrap_or_default();
    let kept = head.split_to(PREFIX.min(head.len()));
    let mut head = [&kept, &*utf8::unescaped(&head)].concat();
    let rest: usize = pieces.iter().map(|piece| utf8::unescaped_len(piece)).sum();
    let (prefix, padding) = frame::prefix(head.len() - PREFIX.min(head.len()) + rest)?;
    if let Some(place) = head.first_chunk_mut() {
        *place = prefix;
    }
    if let Some(first) = pieces.first_mut() {
        *first = head.into();
    }
    if padding > 0 {
        pieces.push(vec![b' '; padding].into());
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::json;

    use super::*;

    #[test]
    fn the_pieces_are_one_frame_in_the_kind_order() {
        let users = [json::string("bob"), json::string("ann")];
        let history = vec![Bytes::from_static(b"[1], "), Bytes::from_static(b"[2]")];
        let frame = welcome("Hi", users.iter(), history).unwrap().concat();
        let body = r#"{"USERNAME_ACCEPTED": true, "INFO": "Hi", "USER_LIST": ["bob", "ann"], "MESSAGES": [[1], [2]]}"#;
        assert_eq!(u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize, body.len());
        assert_eq!(std::str::from_utf8(&frame[4..]).unwrap(), body);
    }

    #[test]
    fn keys_of_capabilities_stand_behind_those_of_the_base_protocol() {
        let users = [json::string("é")];
        let lists = || vec![Bytes::from_static(br#"["\u00e9"]"#)];
        let frame =
            extended("\u{202e}", users.iter(), lists(), Some(lists()), br#""X": 1"#).unwrap();
        let body = r#"{"USERNAME_ACCEPTED": true, "INFO": "\u202e", "USER_LIST": ["\u00e9"], "MESSAGES": [["\u00e9"]], "IDS": [["\u00e9"]], "X": 1}"#;
        let check = |pieces: Vec<Bytes>, body: &str| {
            let frame = pieces.concat();
            assert_eq!(
                u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize,
                frame.len() - 4
            );
            assert_eq!(std::str::from_utf8(&frame[4..]).unwrap().trim_end(), body);
        };
        check(frame.clone(), body);
        let undone: Vec<Bytes> = reframed(frame)
            .unwrap()
            .iter()
            .map(|piece| utf8::unescaped(piece).into_owned().into())
            .collect();
        check(undone, &body.replace("\\u00e9", "é"));
        let base = extended("", [].iter(), vec![], None, br#""X": 1"#).unwrap();
        let body =
            r#"{"USERNAME_ACCEPTED": true, "INFO": "", "USER_LIST": [], "MESSAGES": [], "X": 1}"#;
        check(base, body);
    }

    #[test]
    fn every_length_is_padded_right() {
        for fill in 0..600 {
            let frame = welcome(&"x".repeat(fill), [].iter(), vec![]).unwrap().concat();
            assert_eq!(
                u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize,
                frame.len() - 4
            );
            assert!(!frame[..4].contains(&b'{'));
        }
    }
}
