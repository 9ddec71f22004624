//! `utf8`: text without escapes, but for what could act on a terminal.

use conformance_suite::fault::Fault;
use serde_json::Value;

use crate::faults::Faults;

/// JSON with characters beyond ASCII as they are.
pub(crate) fn raw(value: &Value, f: &Faults) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if u32::from(c) > 0xFFFF && f.acts(Fault::AstralLost) {
            out.push('?');
        } else if acts_on_terminals(c) && !f.acts(Fault::ControlsRaw) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

const fn acts_on_terminals(c: char) -> bool {
    matches!(c,
        '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}
