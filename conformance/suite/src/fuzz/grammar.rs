//! Sessions that are nearly right: a valid one is made, then a few things in it are changed, on
//! the level on which a server could trip over them.

use conformance_kit::wire::{ascii::ascii, prefix::Prefix};
use rand::{
    RngExt as _,
    rngs::StdRng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use serde_json::{Value, json};

use super::transcript::{End, Step};

/// The users of a session.
pub struct Cast<'a> {
    /// The name that the fuzzer joins under.
    pub me: &'a str,
    /// Somebody who is in the chat.
    pub other: &'a str,
    /// The mark of what is malformed on purpose.
    pub mark: &'a str,
}

const KEYS: [&str; 10] = [
    "USERNAME",
    "MESSAGES",
    "USERNAME_ACCEPTED",
    "INFO",
    "USER_LIST",
    "USERS_JOINED",
    "USERS_LEFT",
    "ERROR",
    "",
    "X_LATER",
];

/// Strings that somebody has tripped over.
const NASTY: [&str; 14] = [
    "",
    " ",
    "\u{0}",
    "\n\r\t",
    "\u{1b}[2J\u{7}",
    "\u{202e}\u{2066}",
    "\u{200b}\u{feff}",
    "\u{e9}\u{301}\u{301}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "\u{fdfd}",
    "\u{10ffff}",
    "ALL",
    "SERVER",
    "'; DROP TABLE--%s%n",
];

/// Texts in the place of a value, some of them no JSON.
const RAW: [&str; 15] = [
    "null",
    "true",
    "-0",
    "1e999",
    "1e-999",
    "9223372036854775808",
    "-9223372036854775809",
    "1.5",
    "NaN",
    "[[[]]]",
    "{}",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\\uD83D\\uDE00\"",
    "\"unclosed",
];

/// One frame on its way from right to wrong.
#[derive(Clone)]
struct Draft {
    value: Value,
    /// The text instead, once it was changed as text.
    body: Option<Vec<u8>>,
    /// The length instead of the true one.
    length: Option<[u8; 4]>,
}

impl Draft {
    const fn new(value: Value) -> Self {
        Self { value, body: None, length: None }
    }

    fn body(&self) -> Vec<u8> {
        self.body.clone().unwrap_or_else(|| ascii(&self.value).into_bytes())
    }

    fn bytes(&self, prefix: Prefix) -> Vec<u8> {
        let body = self.body();
        let Some(length) = self.length else { return prefix.frame(&body) };
        let mut bytes = length.to_vec();
        bytes.extend(body);
        bytes
    }
}

/// Makes up a session.
pub fn session(random: &mut StdRng, cast: &Cast<'_>, prefix: Prefix) -> Vec<Step> {
    let mut drafts = vec![Draft::new(json!({"USERNAME": cast.me}))];
    for _ in 0..random.random_range(0..4) {
        let count = random.random_range(1..4);
        let messages: Vec<Value> = (0..count).map(|_| message(random, cast)).collect();
        drafts.push(Draft::new(json!({"MESSAGES": messages})));
    }
    for _ in 0..random.random_range(1..4) {
        match random.random_range(0..10) {
            0..=3 => value(random, cast, &mut drafts),
            4..=5 => text(random, &mut drafts),
            6..=7 => length(random, &mut drafts),
            _ => order(random, &mut drafts),
        }
    }
    write(random, &drafts, prefix)
}

fn message(random: &mut StdRng, cast: &Cast<'_>) -> Value {
    let dest = *["ALL", cast.other, cast.me].choose(random).unwrap_or(&"ALL");
    let content = format!("{} {}", cast.mark, random.random::<u32>());
    json!([cast.me, dest, conformance_kit::clock::unix_seconds(), content])
}

fn pick<'a>(random: &mut StdRng, drafts: &'a mut [Draft]) -> Option<&'a mut Draft> {
    let at = random.random_range(0..drafts.len().max(1));
    drafts.get_mut(at)
}

/// Changes a JSON value: keys, types, tuples, strings.
fn value(random: &mut StdRng, cast: &Cast<'_>, drafts: &mut [Draft]) {
    let nasty = format!("{}{}", cast.mark, NASTY.choose(random).unwrap_or(&""));
    let plain = (*NASTY.choose(random).unwrap_or(&"")).to_owned();
    let long = format!("{}{}", cast.mark, "long ".repeat(random.random_range(1..30_000)));
    let key = (*KEYS.choose(random).unwrap_or(&"")).to_owned();
    let choice = random.random_range(0..9);
    let at = random.random_range(0..4);
    let Some(draft) = pick(random, drafts) else { return };
    let Some(object) = draft.value.as_object_mut() else { return };
    match choice {
        0 => {
            object.insert(key, json!([nasty, 1, null]));
        }
        1 => {
            let old = object.keys().next().cloned().unwrap_or_default();
            if let Some(value) = object.remove(&old) {
                object.insert(key, value);
            }
        }
        2 if object.contains_key("USERNAME") => {
            object.insert("USERNAME".to_owned(), json!(plain));
        }
        _ => {
            let tuple = object
                .get_mut("MESSAGES")
                .and_then(Value::as_array_mut)
                .and_then(|messages| messages.first_mut())
                .and_then(Value::as_array_mut);
            let Some(tuple) = tuple else {
                object.insert(key, json!(long));
                return;
            };
            match choice {
                3 => tuple.push(json!(nasty)),
                4 => {
                    let _ = tuple.pop();
                }
                5 => tuple.reverse(),
                6 => tuple.insert(at.min(tuple.len()), json!(long)),
                7 => {
                    if let Some(part) = tuple.get_mut(at) {
                        *part = json!({"not": ["a", nasty]});
                    }
                }
                _ => {
                    if let Some(part) = tuple.get_mut(at) {
                        *part = json!(if at == 3 { nasty } else { plain });
                    }
                }
            }
        }
    }
}

/// Changes the text of a body: depth, duplicate keys, numbers, bytes that are no text.
fn text(random: &mut StdRng, drafts: &mut [Draft]) {
    let choice = random.random_range(0..7);
    let raw = (*RAW.choose(random).unwrap_or(&"null")).to_owned();
    let depth = random.random_range(1..20_000);
    let (at, byte) = (random.random::<u32>(), random.random::<u8>());
    let Some(draft) = pick(random, drafts) else { return };
    let mut body = draft.body();
    let at = usize::try_from(at).unwrap_or(0) % body.len().max(1);
    let as_text = String::from_utf8_lossy(&body).into_owned();
    match choice {
        0 => body.truncate(at),
        1 => body.insert(at, byte),
        2 => {
            if let Some(place) = body.get_mut(at) {
                *place = byte;
            }
        }
        3 => body = format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes(),
        4 => body = as_text.replacen(':', &format!(": {raw}, \"X\": "), 1).into_bytes(),
        5 => body = as_text.replacen('{', &format!("{{\"USERNAME\": {raw}, "), 1).into_bytes(),
        _ => {
            let digits = as_text.rfind(|c: char| c.is_ascii_digit()).unwrap_or(at);
            body.splice(digits.min(body.len())..digits.min(body.len()), raw.bytes());
        }
    }
    draft.body = Some(body);
}

fn length(random: &mut StdRng, drafts: &mut [Draft]) {
    let choice = random.random_range(0..6);
    let (off, wild) = (random.random_range(1..9), random.random::<u32>());
    let Some(draft) = pick(random, drafts) else { return };
    let honest = u32::try_from(draft.body().len()).unwrap_or(u32::MAX);
    let length = match choice {
        0 => 0,
        1 => honest.saturating_add(off),
        2 => honest.saturating_sub(off),
        3 => honest.swap_bytes(),
        4 => u32::MAX,
        _ => wild,
    };
    draft.length = Some(Prefix::NETWORK.announce(usize::try_from(length).unwrap_or(usize::MAX)));
}

/// Changes which frames come, and in which order.
fn order(random: &mut StdRng, drafts: &mut Vec<Draft>) {
    match random.random_range(0..4) {
        0 => drafts.shuffle(random),
        1 => {
            if let Some(draft) = pick(random, drafts).cloned() {
                drafts.push(draft);
            }
        }
        2 => {
            let at = random.random_range(0..drafts.len().max(1));
            if drafts.len() > 1 {
                drafts.remove(at);
            }
        }
        _ => drafts.push(Draft::new(json!({}))),
    }
}

/// Puts the frames into writes that have nothing to do with their borders, and ends.
fn write(random: &mut StdRng, drafts: &[Draft], prefix: Prefix) -> Vec<Step> {
    let mut steps = Vec::new();
    let frames = drafts.iter().map(|draft| draft.bytes(prefix));
    let pieces: Vec<Vec<u8>> =
        if random.random_bool(0.5) { frames.collect() } else { vec![frames.flatten().collect()] };
    for piece in pieces {
        let mut rest = piece.as_slice();
        while random.random_bool(0.3) && rest.len() > 1 {
            let (head, tail) = rest.split_at(random.random_range(1..rest.len()));
            steps.push(Step::send(head));
            if random.random_bool(0.5) {
                steps.push(Step::Pause(random.random_range(0..4)));
            }
            rest = tail;
        }
        steps.push(Step::send(rest));
    }
    steps.push(Step::Pause(random.random_range(0..6)));
    let ends = [End::Polite, End::Fin, End::Reset];
    steps.push(Step::Close(*ends.choose(random).unwrap_or(&End::Polite)));
    steps
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_sessions_differ() {
        let cast = Cast { me: "ann", other: "bob", mark: "malformed" };
        let make = |seed| session(&mut StdRng::seed_from_u64(seed), &cast, Prefix::NETWORK);
        let shape = |steps: Vec<Step>| steps.len();
        assert_eq!(shape(make(7)), shape(make(7)));
        let different = (0..50).map(make).filter(|steps| *steps != make(1_000)).count();
        assert_eq!(different, 50);
        assert!((0..200).map(make).all(|steps| matches!(steps.last(), Some(Step::Close(_)))));
    }
}
