//! Reads in a client's output why it failed: an exception of its own says more than the usual cause of
//! a failure does.
//!
//! What is found is mostly only shown, since anybody can print anything. Of the verdicts, that of a refused
//! name alone depends on it: a client that falls over has not told its user anything.

use conformance_kit::escape;

/// The most characters of an exception that are repeated.
const LONGEST: usize = 200;

/// How many lines of the output a report keeps.
const LAST_LINES: usize = 40;
/// The longest of these lines.
const WIDTH: usize = 300;

/// The languages' words for an exception that nobody has caught, each at the beginning of a line.
const UNCAUGHT: [&str; 10] = [
    "Traceback (most recent call last)",
    "thread '",
    "Exception in thread",
    "Unhandled exception",
    "Uncaught ",
    "Error: Uncaught",
    "panic: ",
    "fatal error: ",
    "Segmentation fault",
    "terminate called",
];

/// Exceptions that come from a mistake in the program, and not from what its author wants to say.
const ACCIDENTS: [&str; 11] = [
    "KeyError",
    "IndexError",
    "TypeError",
    "AttributeError",
    "NameError",
    "UnboundLocalError",
    "AssertionError",
    "NullPointerException",
    "`None` value",
    "nil pointer",
    "out of range",
];

/// Where code lies that the student has not written.
const LIBRARIES: [&str; 4] = ["/lib/python", "-packages/", "<frozen", "<string>"];

/// The kinds of errors that keep a client from connecting: words of the error, and what helps.
const KINDS: [(&[&str], &str); 4] = [
    (
        &[
            "certificate verify failed",
            "CERTIFICATE_VERIFY_FAILED",
            "self-signed certificate",
            "unable to get local issuer",
            "UnknownIssuer",
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            "unable to verify the first certificate",
            "certificate signed by unknown authority",
            "PKIX path building failed",
            "SELF_SIGNED_CERT_IN_CHAIN",
        ],
        "The client does not trust the suite's server. Load the file that stands at {ca} in its command as the \
         authority: ssl.create_default_context(cafile=FILE) in Python. A file that is built into the client is \
         the certificate of another server.",
    ),
    (
        &["ConnectionRefused", "Connection refused", "ECONNREFUSED", "No connection could be made"],
        "The client went to a place where nobody listens. Connect to the host and the port that stand at {host} and \
         {port} in its command, not to fixed ones.",
    ),
    (
        &["ModuleNotFoundError", "ImportError:", "Cannot find module", "ClassNotFoundException"],
        "The client lacks a library here: install it, or start the client with the interpreter that has it.",
    ),
    (
        &["the following arguments are required", "unrecognized arguments", "invalid int value"],
        "The client does not understand its command line: does the command work when you type it yourself, with a \
         host, a port and a file in the place of {host}, {port} and {ca}?",
    ),
];

/// A better hint than the usual one, when the output of a client says what is wrong; the usual cause
/// stays behind an exception, which seldom names it. That it can't connect is only looked for where it
/// did not.
#[must_use]
pub fn hint(output: &str, usual: &str, connecting: bool) -> Option<String> {
    let says = |words: &[&str]| connecting && words.iter().any(|word| output.contains(word));
    let kind = KINDS.iter().find(|(words, _)| says(words));
    match (kind, exception(output)) {
        (Some((_, hint)), Some(what)) => Some(format!("{hint} (It ended with {what}.)")),
        (Some((_, hint)), None) => Some((*hint).to_owned()),
        (None, Some(what)) => Some(format!(
            "Look at your program's exceptions first: it ended with {what}. The usual cause: {usual}"
        )),
        (None, None) => None,
    }
}

/// Whether a client ended with an exception that nobody throws on purpose: it tells its user nothing.
#[must_use]
pub fn is_accident(output: &str) -> bool {
    exception(output).is_some_and(|what| ACCIDENTS.iter().any(|word| what.contains(word)))
}

/// The last lines of an output, escaped, for reports.
#[must_use]
pub fn last_lines(output: &str) -> String {
    let all: Vec<&str> = output.trim_end().lines().collect();
    let last = all.iter().skip(all.len().saturating_sub(LAST_LINES));
    let shown = last.map(|line| escape::shorten(&escape::visible(line.trim_end()), WIDTH));
    shown.collect::<Vec<_>>().join("\n")
}

/// The last exception that nobody caught, and where it was raised; escaped.
#[must_use]
pub fn exception(output: &str) -> Option<String> {
    let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
    // A prompt may stand in front of it.
    let begins = |line: &str| {
        let (at, word) = UNCAUGHT.into_iter().find_map(|word| Some((line.find(word)?, word)))?;
        let alone = |c: char| !c.is_ascii_alphabetic();
        let first = line.get(..at)?.chars().all(alone);
        let known = match word {
            "thread '" => line.contains("panicked at"),
            "Traceback (most recent call last)" | "Exception in thread" => true,
            _ => first,
        };
        known.then_some(at)
    };
    let at = lines.iter().rposition(|line| begins(line).is_some())?;
    let (first, behind) = lines.get(at..)?.split_first()?;
    let first = first.get(begins(first)?..)?;
    let what = if first.contains("Traceback") {
        // Python names the exception behind the last frame, which is the first line without indentation.
        let end = behind.iter().position(|line| !line.is_empty() && !line.starts_with(' '))?;
        let places =
            behind.iter().take(end).rev().filter_map(|line| line.trim().strip_prefix("File \""));
        let own = |place: &&str| !LIBRARIES.iter().any(|library| place.contains(library));
        let place = places.clone().find(own).or_else(|| places.clone().next());
        let place =
            place.map(|place| format!(" in {}", place.replace('"', ""))).unwrap_or_default();
        format!("{}{place}", behind.get(end)?)
    } else if first.contains("panicked at") {
        // Rust says the place first, and why in the next line.
        format!("{} {}", first, behind.first().unwrap_or(&""))
    } else {
        first.to_owned()
    };
    Some(escape::shorten(&escape::visible(what.trim()), LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exception_and_its_place_are_named() {
        let python = "name: Exception in thread Thread-1 (listen):\nTraceback (most recent call last):\n  \
            File \"/usr/lib/python3/threading.py\", line 1, in run\n  File \"client.py\", line 42, in listen\n    \
            f[\"INFO\"]\n  File \"/usr/lib/python3.11/json/decoder.py\", line 5, in raw\nKeyError: 'INFO'\n";
        let hint = hint(python, "recv", false).unwrap();
        for word in ["your program's exceptions", "KeyError: 'INFO' in client.py, line 42", "recv"]
        {
            assert!(hint.contains(word), "{hint}");
        }
        let rust =
            "thread 'main' (77) panicked at src/main.rs:3:5:\ncalled `Option::unwrap()` on None\n";
        assert!(
            super::hint(rust, "", false)
                .unwrap()
                .contains("src/main.rs:3:5: called `Option::unwrap()`")
        );
        let go = "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\n";
        assert!(super::hint(go, "", false).unwrap().contains("index out of range"));
    }

    #[test]
    fn errors_with_a_cause_of_their_own_say_what_helps() {
        assert!(is_accident("Traceback (most recent call last):\nKeyError: 'USER_LIST'\n"));
        assert!(!is_accident("Traceback (most recent call last):\nRefused: the name is taken\n"));
        let tls = "Traceback (most recent call last):\n  File \"c.py\", line 9, in <module>\n\
            ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed\n";
        let hint = hint(tls, "", true).unwrap();
        assert!(hint.contains("{ca}") && hint.contains("SSLCertVerificationError"), "{hint}");
        assert!(
            super::hint("connect ECONNREFUSED 127.0.0.1:5000", "", true)
                .unwrap()
                .contains("{port}")
        );
    }

    #[test]
    fn what_a_connected_client_prints_is_no_reason_not_to_connect() {
        assert_eq!(hint("bob: Connection refused, they said", "", false), None);
    }

    #[test]
    fn ordinary_output_says_nothing_and_nothing_acts_on_the_screen() {
        assert_eq!(hint("bob: a Traceback came\nthread 'x' is long\n", "", false), None);
        let hostile = "Traceback (most recent call last):\nEvil: \u{1b}]0;x\u{7}\n";
        assert!(!hint(hostile, "", false).unwrap().contains('\u{1b}'));
    }
}
