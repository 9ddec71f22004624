//! The first frame of a joined connection: who is here and what was said (AC-1, UL-1, HI-1).

use bytes::Bytes;
use chatterbox_proto::frame::{self, TooLong};
use chatterbox_proto::json::Object;
use chatterbox_proto::limits::PREFIX;

/// Puts the welcome together from shared pieces: only head and tail are made for this user.
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
    let mut object = Object::with_capacity(256)
        .boolean("USERNAME_ACCEPTED", true)
        .string("INFO", info)
        .list("USER_LIST", users);
    object.begin_list("MESSAGES");
    let mut head = object.into_open();
    let mut tail = b"]}".to_vec();
    let body = head.len() - PREFIX + history.iter().map(Bytes::len).sum::<usize>() + tail.len();
    let (prefix, padding) = frame::prefix(body)?;
    if let Some(place) = head.first_chunk_mut() {
        *place = prefix;
    }
    tail.resize(tail.len() + padding, b' ');
    let mut pieces = Vec::with_capacity(history.len() + 2);
    pieces.push(head.into());
    pieces.extend(history);
    pieces.push(tail.into());
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
