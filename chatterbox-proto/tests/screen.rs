//! Writes `screen.js` of the page, which spells out what acts on a screen exactly as `ScreenText` does it: the tables in it are what
//! `ScreenText` does with each character. Beside it stand texts with what is shown of them, by which the script is tested.
//!
//! `UPDATE_SCREEN=1 cargo test -p chatterbox-proto --test screen` writes both; without it they are compared.
#![allow(clippy::disallowed_methods, reason = "what is compared are files")]
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use chatterbox_proto::ScreenText;

/// Set, it writes the files. Look at every change.
const UPDATE: &str = "UPDATE_SCREEN";

const TEMPLATE: &str = include_str!("screen/template.js");

/// Everywhere that marks could be: the planes of scripts and symbols, and that of tags.
const MARKED: [RangeInclusive<u32>; 2] = [0x300..=0x1_ffff, 0xe_0000..=0xe_0fff];

#[test]
fn the_page_spells_out_what_the_crate_spells_out() {
    settle("page/screen.js", &script());
    settle("tests/browser/state/screen.json", &examples());
}

fn settle(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chatterbox-server").join(name);
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    } else {
        let found = fs::read_to_string(path).unwrap_or_default();
        assert!(found == text, "{name} is not what ScreenText does; {UPDATE}=1 writes it anew");
    }
}

fn script() -> String {
    let all = || (0..=u32::from(char::MAX)).filter_map(char::from_u32);
    let marked: Vec<char> = MARKED.into_iter().flatten().filter_map(char::from_u32).collect();
    let of = |is: &dyn Fn(char) -> bool| table(marked.iter().copied().filter(|c| is(*c)));
    let most = (0..).find(|count| is_cut(&["x", &"\u{301}".repeat(count + 1)])).unwrap();
    TEMPLATE
        .replace("/*ACTS*/", &table(all().filter(|c| is_spelt_out(*c))))
        .replace("/*MARKS*/", &of(&|c| is_attached(c) && keeps_joining(c)))
        .replace("/*FOLLOWS*/", &of(&|c| is_attached(c) && !keeps_joining(c)))
        .replace("/*LINKERS*/", &of(&|c| is_attached(c) && joins(c)))
        .replace("/*LEADING*/", &of(&|c| !is_attached(c) && follows(c, '\u{1100}')))
        .replace("/*PREFIXES*/", &of(&|c| !is_attached(c) && follows(c, '\u{600}')))
        .replace("/*MOST*/", &most.to_string())
}

/// First and last character of each run.
fn table(characters: impl Iterator<Item = char>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for c in characters.map(u32::from) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == c => *last = c,
            _ => runs.push((c, c)),
        }
    }
    let mut lines = String::new();
    for row in runs.chunks(8) {
        let row: Vec<_> =
            row.iter().map(|(first, last)| format!("{first:#x}, {last:#x}")).collect();
        lines.push_str(&format!("\n  {},", row.join(", ")));
    }
    lines.push('\n');
    lines
}

/// Whether a character is not shown as it is, when nothing is before it.
fn is_spelt_out(c: char) -> bool {
    let mut bytes = [0; 4];
    let text: &str = c.encode_utf8(&mut bytes);
    ScreenText::new(text).as_str() != text
}

/// Whether marks of a text are left out.
fn is_cut(parts: &[&str]) -> bool {
    ScreenText::new(&parts.concat()).as_str().contains('…')
}

/// Whether a character is a mark on whatever is before it, as the one that is too many.
fn is_attached(c: char) -> bool {
    c != '…' && is_cut(&["x", &"\u{301}".repeat(16), c.encode_utf8(&mut [0; 4])])
}

/// Whether a letter is joined to what is before it, with these two between: a virama joins across marks.
fn reaches_across(between: &[char]) -> bool {
    let between: String = between.iter().collect();
    let marks = 17 - between.chars().count() - 1;
    is_cut(&["x", &"\u{301}".repeat(marks), &between, "\u{915}"])
}

fn keeps_joining(c: char) -> bool {
    reaches_across(&['\u{94d}', c])
}

fn joins(c: char) -> bool {
    reaches_across(&[c])
}

/// Whether characters of this kind pile up.
fn follows(c: char, kind: char) -> bool {
    c != '…' && is_cut(&[&kind.to_string().repeat(17), c.encode_utf8(&mut [0; 4])])
}

/// Texts, and what is shown of them: corners, and what a generator makes of characters that matter.
fn examples() -> String {
    let corners = [
        "",
        "hello",
        "Grüße, 世界",
        "עברית",
        "क्षत्रिय र्त्स्न्य",
        "👩\u{200d}💻 ❤\u{fe0f}",
        "a\\u{1b}b",
        "\u{1b}[2Jhi\u{7}",
        "\u{9b}31m",
        "a\u{202e}b",
        "a\u{200b}b",
        "one\ntwo\r\tthree",
        "a\u{200d}b\u{fe0f}",
        "\u{fffe}\u{10ffff}\u{e000}",
        "ก็กี่ที่น้ำผึ้ง",
        "1\u{fe0f}\u{20e3}",
    ];
    let mut texts: Vec<String> = corners.iter().map(|text| (*text).to_owned()).collect();
    for piece in [
        "\u{301}",
        "\u{93e}",
        "\u{1161}",
        "\u{1f3fb}",
        "\u{94d}\u{915}",
        "\u{94d}\u{93c}\u{915}",
        "\u{94d}\u{1161}\u{915}",
        "\u{200d}\u{1f468}",
        "\u{1100}",
        "\u{600}",
        "\u{600}\u{1100}",
    ] {
        texts.push(format!("\u{e9}{}b", piece.repeat(20)));
    }
    // A linear congruential generator: the same texts each time.
    let mut state: u64 = 1;
    let mut next = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let telling: Vec<char> = "a é\u{301}\u{94d}\u{915}\u{93c}\u{1161}\u{1100}\u{600}\u{200d}\u{200c}\u{fe0f}\u{202e}\u{7}\n\u{1f468}\u{ad}"
        .chars()
        .collect();
    for round in 0..400 {
        let text: String = (0..next(60))
            .map(|_| match round % 4 {
                0 => char::from_u32(u32::try_from(next(0x11_0000)).unwrap()).unwrap_or('x'),
                1 => char::from_u32(u32::try_from(next(0x2_0000)).unwrap()).unwrap_or('x'),
                _ => telling.get(next(telling.len())).copied().unwrap_or('x'),
            })
            .collect();
        texts.push(text);
    }
    let rows: Vec<_> = texts
        .iter()
        .map(|text| {
            let whole = ScreenText::new(text);
            let short = ScreenText::shortened(text, 9);
            format!("  [{}, {}, {}]", quoted(text), quoted(whole.as_str()), quoted(short.as_str()))
        })
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

/// A JSON string of ASCII: what acts on a screen is not in the file itself.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some(c @ (' ' | '!' | '#'..='[' | ']'..='~')) => quoted.push(c),
            _ => quoted.push_str(&format!("\\u{unit:04x}")),
        }
    }
    quoted.push('"');
    quoted
}
