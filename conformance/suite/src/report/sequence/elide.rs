//! Shortens the text of a frame so that each of its keys is still seen: a list of four hundred users
//! must not push the messages behind it out of the picture. The order and the spelling stay.

use conformance_kit::escape::shorten;

/// A member of so many characters is short.
const SHORT: usize = 30;
/// The fewest characters that a long one is cut to.
const LEAST: usize = 16;

/// Shortens a text to so many characters, and the dots behind them.
pub(super) fn elide(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let members = members(text);
    if members.len() < 2 {
        return middle(text, limit);
    }
    // Short members stay whole, if that leaves enough of the long ones to see what they are.
    let sizes: Vec<usize> = members.iter().map(|member| member.chars().count()).collect();
    let long = sizes.iter().filter(|size| **size > SHORT).count();
    let short: usize = sizes.iter().filter(|size| **size <= SHORT).sum();
    let share = match limit.checked_sub(short).and_then(|room| room.checked_div(long)) {
        Some(share) if share >= LEAST => share,
        _ => (limit / members.len()).max(LEAST),
    };
    let whole = share >= LEAST && short + long * share <= limit;
    let cut = |(member, size): (&&str, &usize)| {
        if whole && *size <= SHORT { (*member).to_owned() } else { middle(member, share) }
    };
    let text: String = members.iter().zip(&sizes).map(cut).collect();
    shorten(&text, limit)
}

/// Shortens a remark to its beginning and, mostly, its end: that is where an exception says what it is.
pub(super) fn ends(text: &str, limit: usize) -> String {
    let count = text.chars().count();
    if count <= limit {
        return text.to_owned();
    }
    let head = limit / 4;
    let tail = limit.saturating_sub(head + 3);
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{begin}...{end}")
}

/// Takes out the middle.
fn middle(text: &str, limit: usize) -> String {
    let count = text.chars().count();
    if count <= limit {
        return text.to_owned();
    }
    let kept = limit.saturating_sub(3).max(2);
    let tail = kept / 3;
    let head: String = text.chars().take(kept - tail).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{head}...{end}")
}

/// The members of the outermost object or list, each with the comma or bracket behind it.
fn members(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut escaped, mut from) = (0_usize, false, false, 0);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 1 => {
                found.extend(text.get(from..=at));
                from = at + 1;
            }
            _ => {}
        }
    }
    found.extend(text.get(from..).filter(|rest| !rest.is_empty()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_still_seen() {
        let users: Vec<String> = (0..400).map(|n| format!("\"user{n}\"")).collect();
        let text = format!(
            "{{\"USERNAME_ACCEPTED\": true, \"USER_LIST\": [{}], \"MESSAGES\": [[\"a,}}\\\"\", 1]]}}",
            users.join(", ")
        );
        let short = elide(&text, 120);
        assert!(short.contains("\"USERNAME_ACCEPTED\": true"), "{short}");
        assert!(short.contains("\"USER_LIST\"") && short.contains("\"MESSAGES\": [["), "{short}");
        assert!(short.chars().count() <= 130, "{short}");
    }

    #[test]
    fn short_and_strange_texts_stay_in_bounds() {
        assert_eq!(elide("{\"b\":1,\"a\":2}", 60), "{\"b\":1,\"a\":2}");
        for text in ["x".repeat(900), "[".repeat(900), "[1,".repeat(300), "\",".repeat(300)] {
            assert!(elide(&text, 60).chars().count() <= 100, "{}", elide(&text, 60));
        }
    }
}
