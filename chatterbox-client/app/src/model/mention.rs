//! Mentions: whether a text names somebody.

use chatterbox_proto::is_bidi_control;
use unicode_segmentation::UnicodeSegmentation as _;

/// Whether a text has a name as a whole: as words are bounded by UAX 29, so `ann` is neither in `anna` nor in `ann_b`, while
/// `小明` is in `小明你好`. Case is not regarded. Beyond UAX 29, a name may be followed by an apostrophe or a colon (`ann's`,
/// `ann:yes`), and a hyphen or an `@` between letters makes one word of both (`ann-marie`, `ann@example.org`), since names may
/// have a hyphen.
pub fn mentions(text: &str, name: &str) -> bool {
    if name.is_empty() || text.len() < name.len() && text.is_ascii() {
        return false;
    }
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    if !text.contains(&name) {
        return false;
    }
    let bounds: Vec<usize> =
        text.split_word_bound_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let is_bound = |at: usize| bounds.binary_search(&at).is_ok();
    // Each place is tried, also those inside of another: `an` in `anan an`.
    let starts = text.char_indices().map(|(at, _)| at);
    let mut found = starts.filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(&name)));
    found.any(|at| {
        let before = text.get(..at).unwrap_or_default().chars().rev();
        let behind = text.get(at + name.len()..).unwrap_or_default().chars();
        let begins = edge(before).unwrap_or_else(|| is_bound(at));
        let ends = edge(behind).unwrap_or_else(|| is_bound(at + name.len()));
        begins && ends
    })
}

/// Whether the characters beside a name set it apart, from the nearest on; `None` is for UAX 29 to say. Controls of the direction of
/// writing are passed over, since some programs put them around names.
fn edge(beside: impl Iterator<Item = char>) -> Option<bool> {
    let mut beside = beside.peekable();
    if beside.next_if(|c| is_bidi_control(*c)).is_some() {
        let next = beside.find(|c| !is_bidi_control(*c));
        return Some(!next.is_some_and(|c| c.is_alphanumeric() || c == '_'));
    }
    match beside.next() {
        None | Some('\'' | '’' | ':') => Some(true),
        Some('-' | '@') => Some(!beside.next().is_some_and(char::is_alphanumeric)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_whole() {
        let table = [
            ("ann", "ann", true),
            ("hi Ann!", "ann", true),
            ("ANN: yes", "ann", true),
            ("ann:yes", "ann", true),
            ("@ann yes", "ann", true),
            ("is this ann's?", "ann", true),
            ("is this ann’s?", "ann", true),
            ("(ann)", "ann", true),
            ("ask ann.", "ann", true),
            ("ann- wait", "ann", true),
            ("ann\nbob", "ann", true),
            ("\u{2068}ann\u{2069}, hi", "ann", true),
            ("\u{2068}ann\u{2069}a", "ann", false),
            ("anna", "ann", false),
            ("joann", "ann", false),
            ("ann2", "ann", false),
            ("2ann", "ann", false),
            ("ann_b", "ann", false),
            ("_ann", "ann", false),
            ("ann-marie", "ann", false),
            ("jo-ann", "ann", false),
            ("ann.example.org", "ann", false),
            ("ann@example.org", "ann", false),
            ("root@ann", "ann", false),
            ("anne\u{301}", "anne", false),
            ("annann ann", "ann", true),
            ("annann", "ann", false),
            ("hi ann-marie!", "ann-marie", true),
            ("hi ann-marie-louise", "ann-marie", false),
            ("hi ann_b, hi", "ann_b", true),
            ("say -x- now", "-x-", true),
            ("小明你好", "小明", true),
            ("grüße BÖB", "böb", true),
            ("böbs", "böb", false),
            ("", "ann", false),
            ("an", "ann", false),
            ("ann", "", false),
        ];
        for (text, name, expected) in table {
            assert_eq!(mentions(text, name), expected, "{name:?} in {text:?}");
        }
    }
}
