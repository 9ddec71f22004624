//! An exception in what a subject printed: the shortest way from a failing case to the line that is to be mended.

use conformance_kit::escape::{shorten, visible};

/// The most lines of one exception that are shown.
const MOST_LINES: usize = 12;
/// The longest line that is shown.
const LONGEST_LINE: usize = 200;

/// An exception, as the subject printed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// What it says, in one line.
    pub says: String,
    /// Its lines; the middle of a long one is left out.
    pub lines: Vec<String>,
}

/// Finds the last line in which a program that catches its exceptions complains.
#[must_use]
pub fn complaint(printed: &str) -> Option<String> {
    let complains = |line: &&str| {
        let line = line.to_lowercase();
        ["error", "exception", "traceback", "failed", "invalid"]
            .iter()
            .any(|word| line.contains(word))
    };
    printed.lines().rfind(complains).map(|line| shown(line.trim()))
}

/// How a traceback begins, and whether the line with the reason is its last one.
const SIGNS: [(&str, bool); 12] = [
    ("Traceback (most recent call last)", true),
    ("Exception in thread", false),
    ("Unhandled exception", false),
    ("UnhandledPromiseRejection", false),
    ("Uncaught ", false),
    ("panicked at", false),
    ("panic: ", false),
    ("fatal error: ", false),
    ("Segmentation fault", false),
    ("terminate called after throwing", false),
    ("AddressSanitizer", false),
    ("core dumped", false),
];

/// Finds the last exception in what was printed.
#[must_use]
pub fn find(printed: &str) -> Option<Exception> {
    let lines: Vec<&str> = printed.lines().collect();
    let sign = |line: &&str| SIGNS.iter().find(|(sign, _)| line.contains(sign));
    let from = lines.iter().rposition(|line| sign(line).is_some()).or_else(|| node(&lines))?;
    let block = lines.get(from..)?;
    let reason_last = block.first().and_then(sign).is_some_and(|(_, last)| *last);
    let end = if reason_last { python_end(block) } else { stack_end(block) };
    let block = block.get(..end)?;
    // Rust and Go put the reason into the line behind the sign.
    let says = match (reason_last, block) {
        (true, [.., last]) => last,
        (false, [first, second, ..]) if first.trim_end().ends_with(':') => second,
        (false, [first, ..]) => first,
        _ => return None,
    };
    Some(Exception { says: shown(says.trim()), lines: shortened(block) })
}

/// Python's ends with the first line behind the stack that is not indented.
fn python_end(block: &[&str]) -> usize {
    let behind = block.iter().skip(1).position(|line| !line.starts_with([' ', '\t']));
    behind.map_or(block.len(), |at| at + 2)
}

/// The others' ends where the lines of a stack end.
fn stack_end(block: &[&str]) -> usize {
    let stack = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("at ") || line.starts_with("Caused by") || line.starts_with("note: ")
    };
    let rest = block.iter().skip(2);
    let stacked = rest.take_while(|line| line.starts_with([' ', '\t']) || stack(line)).count();
    (2 + stacked).min(block.len())
}

/// Node prints the place, the error, and the stack, without a word that is its own.
fn node(lines: &[&str]) -> Option<usize> {
    let error = |line: &str| {
        let name = line.split([':', ' ']).next().unwrap_or_default();
        name.ends_with("Error") || name.ends_with("Exception")
    };
    let at = |line: &str| line.starts_with("    at ") || line.starts_with("\tat ");
    (0..lines.len()).rev().find(|n| {
        lines.get(*n).is_some_and(|line| error(line)) && lines.get(n + 1).is_some_and(|l| at(l))
    })
}

fn shortened(block: &[&str]) -> Vec<String> {
    let shown_all = |lines: &[&str]| lines.iter().map(|line| shown(line)).collect::<Vec<_>>();
    if block.len() <= MOST_LINES {
        return shown_all(block);
    }
    let tail = MOST_LINES - 3;
    let (head, rest) = block.split_at(2);
    let mut lines = shown_all(head);
    lines.push("  ...".to_owned());
    lines.extend(shown_all(rest.get(rest.len().saturating_sub(tail)..).unwrap_or_default()));
    lines
}

fn shown(line: &str) -> String {
    shorten(&visible(line.trim_end()), LONGEST_LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_exception_of_python_is_found_with_its_reason() {
        let printed = "listening\nTraceback (most recent call last):\n  File \"s.py\", line 3\n    x()\n\
            KeyError: 'a'\nlog\nTraceback (most recent call last):\n  File \"s.py\", line 9\n    y()\n\
            ValueError: not enough values\nstill running\n";
        let found = find(printed).unwrap();
        assert_eq!(found.says, "ValueError: not enough values");
        assert_eq!(found.lines.len(), 4, "{found:?}");
    }

    #[test]
    fn other_languages_say_it_elsewhere() {
        let rust =
            "thread 'main' panicked at src/main.rs:3:5:\nindex out of bounds\nnote: run with\n";
        assert_eq!(find(rust).unwrap().says, "index out of bounds");
        let java = "Exception in thread \"main\" java.lang.NullPointerException: x\n\tat A.b(A.java:3)\nbye";
        let found = find(java).unwrap();
        assert!(
            found.says.ends_with("NullPointerException: x") && found.lines.len() == 2,
            "{found:?}"
        );
        let node = "server.js:3\n    f();\n\nTypeError: x is no function\n    at a (server.js:3:1)\n    at b\n";
        assert_eq!(find(node).unwrap().says, "TypeError: x is no function");
        assert_eq!(find("listening on 5000\nErrors: none\n"), None);
    }

    #[test]
    fn a_program_that_catches_everything_complains() {
        let printed = "listening on 5000\nerror unpack requires a buffer of 4 bytes\njoined: ann\n";
        assert_eq!(find(printed), None);
        assert_eq!(complaint(printed).unwrap(), "error unpack requires a buffer of 4 bytes");
        assert_eq!(complaint("listening\njoined: ann\n"), None);
    }

    #[test]
    fn a_long_one_is_cut_and_a_hostile_one_harmless() {
        let stack = "  File \u{1b}[31m\n".repeat(500);
        let found =
            find(&format!("Traceback (most recent call last):\n{stack}E: \u{202e}x")).unwrap();
        assert!(found.lines.len() <= MOST_LINES, "{}", found.lines.len());
        assert!(
            !found.lines.concat().contains(['\u{1b}', '\u{202e}']) && found.says.starts_with("E: ")
        );
    }
}
