//! Links: the addresses of the web in a text.

/// At most so many links of one text are found.
const LINKS: usize = 100;

/// A link is at most so many bytes; what is longer is none.
const LONGEST: usize = 4096;

/// The links of a text that is safe to show, in their order: `http` and `https` only, up to white space or a sign that stands
/// around links. A sentence's sign at the end is no part of it, nor is a bracket that the link does not open.
pub fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut rest = text;
    while links.len() < LINKS {
        let Some((start, scheme)) = next_scheme(rest) else { break };
        let before = rest.get(..start).and_then(|before| before.chars().next_back());
        let found = rest.get(start..).unwrap_or_default();
        let end = found.find(|c: char| ends_link(c)).unwrap_or(found.len());
        let link = trimmed(found.get(..end).unwrap_or_default());
        // `xhttp://` is another scheme, and a scheme alone is no link.
        let is_whole =
            !before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let named = link
            .get(scheme..)
            .is_some_and(|rest| rest.starts_with(char::is_alphanumeric) || rest.starts_with('['));
        if is_whole && named && link.len() <= LONGEST {
            links.push(link);
        }
        rest = found.get(end.max(scheme)..).unwrap_or_default();
    }
    links
}

/// Where the next scheme begins, and how long it is.
fn next_scheme(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    text.match_indices("://").find_map(|(at, sign)| {
        ["https", "http"].into_iter().find_map(|scheme| {
            let start = at.checked_sub(scheme.len())?;
            let is = bytes.get(start..at)?.eq_ignore_ascii_case(scheme.as_bytes());
            is.then_some((start, scheme.len() + sign.len()))
        })
    })
}

fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '<' | '>'
                | '"'
                | '`'
                | '{'
                | '}'
                | '|'
                | '\\'
                | '^'
                | '…'
                | '，'
                | '。'
                | '、'
                | '（'
                | '）'
                | '“'
                | '”'
                | '«'
                | '»'
        )
}

/// A link without the signs of the sentence that it stands in.
fn trimmed(mut link: &str) -> &str {
    loop {
        let Some(last) = link.chars().next_back() else { return link };
        let opens = match last {
            ')' => Some('('),
            ']' => Some('['),
            _ => None,
        };
        let count = |sign: char| link.matches(sign).count();
        let goes = match opens {
            Some(open) => count(last) > count(open),
            None => matches!(
                last,
                '.' | ','
                    | ';'
                    | ':'
                    | '!'
                    | '?'
                    | '\''
                    | '’'
                    | '*'
                    | '_'
                    | '~'
                    | '('
                    | '['
                    | '。'
                    | '，'
                    | '、'
            ),
        };
        if !goes {
            return link;
        }
        link = link.get(..link.len() - last.len_utf8()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_the_web_are_found_and_nothing_else() {
        let table: &[(&str, &[&str])] = &[
            ("see https://example.org/a?b=c#d.", &["https://example.org/a?b=c#d"]),
            ("HTTP://EXAMPLE.org, and http://b", &["HTTP://EXAMPLE.org", "http://b"]),
            (
                "(https://en.wikipedia.org/wiki/Rust_(video_game))",
                &["https://en.wikipedia.org/wiki/Rust_(video_game)"],
            ),
            ("(see https://example.org)", &["https://example.org"]),
            ("<https://example.org/>;", &["https://example.org/"]),
            ("[x](https://example.org/)!", &["https://example.org/"]),
            ("http://[::1]:80/ is here", &["http://[::1]:80/"]),
            ("ftp://x.org javascript:alert(1) file:///etc mailto:a@b xhttp://y.org", &[]),
            ("http:// https://. http", &[]),
            ("a http://b.org\u{a0}c", &["http://b.org"]),
            ("http://a.orghttp://b.org", &["http://a.orghttp://b.org"]),
            ("https://a.org/\\u{202e}gro.elgoog", &["https://a.org/"]),
            ("去https://例子.中国，好", &["https://例子.中国"]),
            ("", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(links(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn there_are_never_many() {
        assert_eq!(links(&"http://a.org ".repeat(1000)).len(), LINKS);
        assert_eq!(links(&format!("http://{}", "a".repeat(LONGEST))).len(), 0);
    }
}
