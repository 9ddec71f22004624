//! Whatever comes as a piece of a file, from either end: it is read within bounds, and what is written is read as it was.
#![no_main]

use chatterbox_proto::capability::Request;
use chatterbox_proto::capability::files::{FileChunk, FileName, FileRequest};
use chatterbox_proto::client_frame::{ClientFrame, Known};
use chatterbox_proto::{Capabilities, Capability, ServerFrame, limits};
use libfuzzer_sys::fuzz_target;

const TOKEN: &str = "Qx7-_9Qx7-_9Qx7-_9Qx7a";

fn is_sound(chunk: &FileChunk) {
    assert!((1..=limits::FILE_TOKEN).contains(&chunk.file.len()) && chunk.at <= limits::LARGEST_ID);
    assert!(chunk.data.as_ref().is_none_or(|data| data.len() <= limits::FILE_CHUNK));
}

/// What a client and a server make of a body.
fn read(body: &[u8]) -> (Option<FileRequest>, Option<FileChunk>) {
    let all = Capability::EVERY.iter().copied().collect::<Capabilities>();
    let frame = ClientFrame::parse_as(body, Known::Agreed(all)).ok();
    let requests = frame.and_then(|frame| frame.keys).into_iter().flat_map(|keys| keys.requests);
    let request = requests.flatten().find_map(|request| match request {
        Request::File(request) => Some(request),
        _ => None,
    });
    let told = ServerFrame::parse_as(body, all).ok().and_then(|(frame, _)| frame.keys);
    (request, told.and_then(|keys| keys.file_chunk))
}

fuzz_target!(|data: &[u8]| {
    // As a whole frame, as the text of DATA, as bytes, and as a name.
    let text = String::from_utf8_lossy(data);
    let quoted = serde_json::Value::from(&*text);
    let body = format!(r#"{{"FILE_CHUNK": {{"FILE": "{TOKEN}", "AT": 5, "DATA": {quoted}}}}}"#);
    for body in [data, body.as_bytes()] {
        let (request, told) = read(body);
        match &request {
            Some(FileRequest::Chunk(chunk)) => is_sound(chunk),
            // A text that is too long is cut behind the character that makes it so.
            Some(FileRequest::Get(get)) => assert!(get.file.len() <= limits::FILE_TOKEN + 4),
            Some(FileRequest::Put(put)) => {
                let longest = put.to.as_wire().len().max(put.name.as_wire().len());
                assert!(longest <= limits::PAGE_WITH + 4);
            }
            _ => {}
        }
        told.iter().for_each(is_sound);
    }
    let piece = data.get(..limits::FILE_CHUNK).unwrap_or(data);
    let frame = FileChunk::frame(TOKEN, 7, piece).expect("a piece fits a frame");
    let (request, told) = read(frame.get(limits::PREFIX..).expect("a body"));
    let sent = FileChunk { file: TOKEN.to_owned(), at: 7, data: Some(piece.to_vec()) };
    assert_eq!(told.as_ref(), Some(&sent));
    assert_eq!(request, Some(FileRequest::Chunk(sent)));
    if let Ok(name) = FileName::parse(&text) {
        let is_bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | '\u{202e}');
        assert!(!name.as_str().starts_with('.') && !name.as_str().contains(is_bad));
    }
});
