//! `presence`: since when users are here, and whether they are away (PR-1).

use serde_json::Value;

use crate::json;
use crate::limits::AWAY_CHARS;
use crate::text::WireText;

/// An object `{name: {"SINCE", "AWAY"}}`: everybody in the welcome, later those who changed.
pub const PRESENCE: &str = "PRESENCE";

const SINCE: &str = "SINCE";
const AWAY: &str = "AWAY";

/// Appends the member of one user; the name is a JSON string already.
pub fn push_user(out: &mut Vec<u8>, name: &[u8], since: i64, away: Option<&str>) {
    out.extend_from_slice(name);
    let state = json::Object::with_capacity(48).integer(SINCE, since);
    let state = match away {
        Some(text) => state.string(AWAY, text),
        None => state.json(AWAY, b"null"),
    };
    out.extend_from_slice(b": ");
    out.extend_from_slice(&state.into_value());
}

/// What is told of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPresence {
    /// The name.
    pub name: WireText<'static>,
    /// Since when they are here, in seconds since 1970 UTC.
    pub since: Option<i64>,
    /// What they said when they went away, which may be nothing; `None` where they are not away.
    pub away: Option<WireText<'static>>,
}

/// What is told of each user; whoever is no object is left out. `None` when the value is none.
pub(crate) fn read(value: Value) -> Option<Vec<UserPresence>> {
    let Value::Object(users) = value else { return None };
    let user = |(name, state): (String, Value)| {
        let state = state.as_object()?;
        // A server of ours takes no longer text.
        let cut = |text: &str| WireText::new(text.chars().take(AWAY_CHARS).collect::<String>());
        Some(UserPresence {
            name: WireText::new(name),
            since: state.get(SINCE).and_then(Value::as_i64),
            away: state.get(AWAY).and_then(Value::as_str).map(cut),
        })
    };
    Some(users.into_iter().filter_map(user).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_no_user_is_left_out() {
        let mut members = b"{".to_vec();
        push_user(&mut members, &json::string("a\"b"), 7, None);
        members.extend_from_slice(b", ");
        push_user(&mut members, &json::string("\u{e9}"), -1, Some("lunch\u{202e}"));
        members.extend_from_slice(br#", "x": 1, "y": {"SINCE": "now", "AWAY": false}}"#);
        let text = std::str::from_utf8(&members).unwrap();
        assert!(text.starts_with(r#"{"a\"b": {"SINCE": 7, "AWAY": null}, "#), "{text}");
        let users = read(serde_json::from_slice(&members).unwrap()).unwrap();
        let wire = |text: &str| WireText::new(text.to_owned());
        let user = |name, since, away: Option<&str>| UserPresence {
            name: wire(name),
            since,
            away: away.map(wire),
        };
        assert_eq!(
            users,
            [
                user("a\"b", Some(7), None),
                user("y", None, None),
                user("\u{e9}", Some(-1), Some("lunch\u{202e}")),
            ]
        );
        assert_eq!(read(Value::Array(Vec::new())), None);
        let long = serde_json::json!({"ann": {"AWAY": "x".repeat(5_000)}});
        let cut = read(long).unwrap().pop().and_then(|user| user.away).unwrap();
        assert_eq!(cut.as_wire().len(), AWAY_CHARS);
    }
}
