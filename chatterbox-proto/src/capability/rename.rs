//! `rename`: a user changes name without leaving (RN-1).

use serde_json::Value;

use crate::json;
use crate::text::WireText;

/// An object `{old: new}`; the server writes one change into each.
pub const USERS_RENAMED: &str = "USERS_RENAMED";

/// Appends the member `old: new` of the object, both being JSON strings already.
pub fn push_change(out: &mut Vec<u8>, old: &[u8], new: &[u8]) {
    out.extend_from_slice(old);
    out.extend_from_slice(b": ");
    out.extend_from_slice(new);
}

/// The value of `USERS_RENAMED` for one change, as JSON.
pub fn change(old: &str, new: &str) -> Vec<u8> {
    let mut out = vec![b'{'];
    push_change(&mut out, &json::string(old), &json::string(new));
    out.push(b'}');
    out
}

/// The old and new names, in the order of the object; `None` when the value is malformed.
pub(crate) fn read(value: Value) -> Option<Vec<(WireText<'static>, WireText<'static>)>> {
    let Value::Object(changes) = value else { return None };
    changes
        .into_iter()
        .map(|(old, new)| match new {
            Value::String(new) => Some((WireText::new(old), WireText::new(new))),
            _ => None,
        })
        .collect()
}
