//! The keys with which two ends agree on capabilities (CP-1, CP-2, CP-7).

use serde_json::Value;

use super::set::Capabilities;
use super::table::Capability;
use crate::json::Object;
use crate::limits;
use crate::text::WireText;

/// What a client speaks, beside USERNAME; what is in force, in the welcome.
pub const CAPABILITIES: &str = "CAPABILITIES";
/// The integers that the welcome tells a client that offered (CP-7).
pub const LIMITS: &str = "LIMITS";
/// The name and the banner of a server, in the welcome of whoever offered capabilities.
pub const SERVER_INFO: &str = "SERVER";

/// `LIMITS` of the welcome (CP-7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The longest body in bytes that the server takes.
    pub frame: Option<u64>,
    /// The longest name in characters.
    pub username: Option<u64>,
    /// The longest message in characters.
    pub content: Option<u64>,
    /// The largest file in bytes that one user may upload, with `files` (CP-13).
    pub file: Option<u64>,
    /// The longest piece of a file in one frame, in bytes, with `files` (CP-13).
    pub chunk: Option<u64>,
    /// The most rooms that one user is a member of, with `rooms` (CP-13).
    pub rooms: Option<u64>,
    /// The longest topic of a room in characters, with `rooms` (CP-13).
    pub topic: Option<u64>,
    /// The longest inflated body in bytes that the server takes, with `zstd` (ZS-2).
    pub inflated: Option<u64>,
}

impl Limits {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let limits = value.as_object()?;
        let limit = |key| limits.get(key).and_then(Value::as_u64);
        Some(Self {
            frame: limit("FRAME"),
            username: limit("USERNAME"),
            content: limit("CONTENT"),
            file: limit("FILE"),
            chunk: limit("CHUNK"),
            rooms: limit("ROOMS"),
            topic: limit("TOPIC"),
            inflated: limit("INFLATED"),
        })
    }
}

/// `LIMITS` as a server writes it for a client that agreed to these (CP-7, CP-13).
///
/// `frame` is the longest body, `username` the longest name in characters, `file` the largest file in bytes.
pub fn limits_json(frame: usize, username: usize, file: u64, agreed: Capabilities) -> Vec<u8> {
    let limit = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
    let mut object = Object::with_capacity(160)
        .integer("FRAME", limit(frame))
        .integer("USERNAME", limit(username))
        .integer("CONTENT", limit(content_chars(frame)));
    if agreed.has(Capability::Files) {
        let file = i64::try_from(file).unwrap_or(i64::MAX);
        object = object.integer("FILE", file).integer("CHUNK", limit(limits::FILE_CHUNK));
    }
    if agreed.has(Capability::Rooms) {
        object = object
            .integer("ROOMS", limit(limits::MEMBERSHIPS))
            .integer("TOPIC", limit(limits::TOPIC_CHARS));
    }
    if agreed.has(Capability::Zstd) {
        object = object.integer("INFLATED", limit(frame));
    }
    object.into_value()
}

/// The longest text, in characters, that fits a frame of this size whatever is in it: an escaped character has up to 12 bytes,
/// and beside the text there are the longest name and the longest tag, escaped as well.
const fn content_chars(frame: usize) -> usize {
    frame.saturating_sub(BESIDE_CONTENT) / ESCAPED_CHAR
}

/// The longest character in JSON: a pair of `\u` escapes.
const ESCAPED_CHAR: usize = 12;

/// The most that a frame with one message has beside its text.
const BESIDE_CONTENT: usize = 4096;

/// `SERVER` as a server writes it, if there is anything to say. A longer text is cut.
pub fn server_info_json(name: Option<&str>, banner: Option<&str>) -> Option<Vec<u8>> {
    let texts =
        [("NAME", name, limits::SERVER_NAME_CHARS), ("BANNER", banner, limits::BANNER_CHARS)];
    let mut object = None;
    for (key, text, most) in texts {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let cut: String = text.chars().take(most).collect();
            let so_far = object.take().unwrap_or_else(|| Object::with_capacity(128));
            object = Some(so_far.string(key, &cut));
        }
    }
    object.map(Object::into_value)
}

/// A server agrees to nothing that we don't know; if it says so, that is not in force.
pub(crate) fn read_agreed(value: &Value) -> Option<Capabilities> {
    Capabilities::parse_offer(value.as_str()?).ok()
}

/// `SERVER` of the welcome: what the server says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerInfo {
    /// Its name.
    pub name: Option<WireText<'static>>,
    /// A text of one line or several.
    pub banner: Option<WireText<'static>>,
}

impl ServerInfo {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let server = value.as_object()?;
        let text =
            |key| server.get(key).and_then(Value::as_str).map(|t| WireText::new(t.to_owned()));
        Some(Self { name: text("NAME"), banner: text("BANNER") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: Vec<u8>) -> String {
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn what_is_told_of_a_server_is_bounded() {
        let json = |name, banner| server_info_json(name, banner).map(text);
        assert_eq!((json(None, None), json(Some(""), Some(""))), (None, None));
        assert_eq!(json(Some("Chat"), None), Some(r#"{"NAME": "Chat"}"#.into()));
        let both = r#"{"NAME": "Chat", "BANNER": "a\nb"}"#;
        assert_eq!(json(Some("Chat"), Some("a\nb")), Some(both.into()));
        let long = "\u{1f44d}".repeat(10_000);
        let longest = 12 * (limits::SERVER_NAME_CHARS + limits::BANNER_CHARS) + 32;
        assert!(json(Some(&long), Some(&long)).is_some_and(|json| json.len() <= longest));
    }

    #[test]
    fn rooms_and_files_have_limits_where_there_are_any() {
        let json = |agreed| text(limits_json(limits::CLIENT_FRAME, 32, 7, agreed));
        let base = r#"{"FRAME": 4194304, "USERNAME": 32, "CONTENT": 349184"#;
        assert_eq!(json(Capabilities::NONE), format!("{base}}}"));
        let rooms = Capabilities::NONE.with(Capability::Rooms);
        assert_eq!(json(rooms), format!(r#"{base}, "ROOMS": 50, "TOPIC": 400}}"#));
        let files = rooms.with(Capability::Files);
        let told = r#", "FILE": 7, "CHUNK": 16384, "ROOMS": 50, "TOPIC": 400}"#;
        assert_eq!(json(files), format!("{base}{told}"));
        let both = json(rooms.with(Capability::Zstd));
        assert_eq!(both, format!(r#"{base}, "ROOMS": 50, "TOPIC": 400, "INFLATED": 4194304}}"#));
    }

    #[test]
    fn the_longest_text_fits_a_frame_whatever_is_in_it() {
        for frame in [limits::JOINING_FRAME, limits::CLIENT_FRAME, 8 << 20] {
            let escaped = |chars: usize| "\\ud83d\\udc4d".repeat(chars);
            let (name, tag) = (escaped(limits::USERNAME_CHARS_MOST), "\\u0001".repeat(limits::TAG));
            let content = escaped(content_chars(frame));
            let time = i64::MIN;
            let body = format!(
                r#"{{"MESSAGES": [["{name}", "ALL", {time}, "{content}"]], "TAGS": ["{tag}"]}}"#
            );
            assert!(body.len() <= frame, "{} of {frame}", body.len());
        }
        assert_eq!(content_chars(0), 0);
    }
}
