//! Shortens the text of a frame so that each of its keys is still seen: a list of four hundred users
//! must not push the messages behind it out of the picture. The order and the spelling stay.

use conformance_kit::escape::shorten;

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
    // As few members are cut as possible, the longest ones: the others stay whole.
    let mut sizes: Vec<usize> = members.iter().map(|member| member.chars().count()).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let share = (1..=sizes.len()).find_map(|long| {
        let rest: usize = sizes.iter().skip(long).sum();
        let share = limit.checked_sub(rest)? / long;
        let least = *sizes.get(long - 1)?;
        (share >= LEAST).then_some((share, least))
    });
    let (share, least) = share.unwrap_or((LEAST, 0));
    let cut = |member: &&str| {
        if member.chars().count() < least { (*member).to_owned() } else { middle(member, share) }
    };
    let text: String = members.iter().map(cut).collect();
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
    fn only_the_longest_value_is_cut() {
        let text = r#"{"USERNAME_ACCEPTED": true, "INFO": "Welcome!", "USER_LIST": ["ann9u6cr3g"], "MESSAGES": []}"#;
        let short = elide(text, 84);
        assert!(
            short.starts_with(r#"{"USERNAME_ACCEPTED": true, "INFO": "Welcome!", "USER_LI"#),
            "{short}"
        );
        assert!(short.ends_with(r#", "MESSAGES": []}"#) && short.chars().count() <= 84, "{short}");
    }

    #[test]
    fn short_and_strange_texts_stay_in_bounds() {
        assert_eq!(elide("{\"b\":1,\"a\":2}", 60), "{\"b\":1,\"a\":2}");
        for text in ["x".repeat(900), "[".repeat(900), "[1,".repeat(300), "\",".repeat(300)] {
            assert!(elide(&text, 60).chars().count() <= 100, "{}", elide(&text, 60));
        }
    }
}
