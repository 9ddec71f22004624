//! JSON in ASCII only.

use serde_json::Value;

/// JSON in ASCII only: some servers decode nothing else, and only `framing.raw-utf8` may find out.
#[must_use]
pub fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_else_is_escaped() {
        let value = json!({"A": "é\"\\😀"});
        let text = ascii(&value);
        assert_eq!(text, r#"{"A":"\u00e9\"\\\ud83d\ude00"}"#);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
