//! Parsers for the values of settings: units, bounds, and what is said of a wrong one.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use chatterbox_proto::{ScreenText, Username, limits};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A whole number within bounds, both included.
///
/// # Errors
/// What is wrong with the text, for a message that names the flag and the text.
pub fn between<N>(text: &str, least: N, most: N) -> Result<N, String>
where
    N: FromStr + PartialOrd + Display + Copy,
{
    let number: N = text.parse().map_err(|_| "not a whole number")?;
    if number < least || number > most {
        return Err(format!("has to be between {least} and {most}"));
    }
    Ok(number)
}

/// A level that an account can have.
pub(super) fn account_level(text: &str) -> Result<u8, String> {
    between(text, 1, 5)
}

/// A number of times, and not never.
pub(super) fn at_least_one(text: &str) -> Result<u32, String> {
    between(text, 1, 1_000_000)
}

/// `yes` or `no`, as a boolean.
pub(super) fn yes_or_no() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new([
        PossibleValue::new("yes").help("Yes"),
        PossibleValue::new("no").help("No"),
    ])
    .map(|word| word == "yes")
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match seconds_or_none(text)? {
        Duration::ZERO => Err("has to be more than 0".into()),
        duration => Ok(duration),
    }
}

/// A second or more, for what is told in whole seconds.
pub(super) fn one_second_or_more(text: &str) -> Result<Duration, String> {
    let duration = seconds_or_none(text)?;
    if duration < Duration::from_secs(1) {
        return Err("has to be between 1 and 86400".into());
    }
    Ok(duration)
}

pub(super) fn seconds_or_none(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("has to be between 0 and 86400".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Whole days, as a length of time.
///
/// # Errors
/// What is wrong with the text, for a message that names the flag and the text.
pub fn days(text: &str) -> Result<Duration, String> {
    let days: u32 = between(text, 1, 36_500)?;
    Ok(Duration::from_secs(u64::from(days) * 86_400))
}

/// The longest name of a server, in characters.
const NAME: usize = 64;
/// The longest banner, in characters and in lines.
const BANNER: usize = 2_000;
const BANNER_LINES: usize = 20;

pub(super) fn server_name(text: &str) -> Result<String, String> {
    if text.chars().count() > NAME {
        return Err(format!("has at most {NAME} characters"));
    }
    line(text)?;
    Ok(text.to_owned())
}

pub(super) fn banner(text: &str) -> Result<String, String> {
    let text = text.trim_end();
    if text.chars().count() > BANNER || text.lines().count() > BANNER_LINES {
        return Err(format!("has at most {BANNER} characters in {BANNER_LINES} lines"));
    }
    text.lines().try_for_each(line)?;
    Ok(text.to_owned())
}

/// What acts on a screen would be spelled out by every client, so it can't be meant.
fn line(text: &str) -> Result<(), String> {
    if ScreenText::new(text).as_str() == text {
        return Ok(());
    }
    Err("has control or invisible characters in it".to_owned())
}

/// Names of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountNames(Vec<Username>);

impl AccountNames {
    /// The names, in the order in which they were given.
    pub fn as_slice(&self) -> &[Username] {
        &self.0
    }
}

/// The most accounts that a setting names: each is compared with that of whoever says something.
const ACCOUNTS: usize = 32;

pub(super) fn account_names(text: &str) -> Result<AccountNames, String> {
    let names: Result<Vec<_>, _> = text
        .split(',')
        .map(|name| Username::parse_within(name.trim(), limits::USERNAME_CHARS_MOST))
        .collect();
    let names = names.map_err(|error| error.to_string())?;
    if names.len() > ACCOUNTS {
        return Err(format!("has at most {ACCOUNTS} names"));
    }
    Ok(AccountNames(names))
}

pub(super) fn max_frame(text: &str) -> Result<usize, String> {
    // Escaping makes text up to three times longer, and the timeline has to hold a few of the largest frames.
    between(text, limits::JOINING_FRAME, 8 * 1024 * 1024)
}

pub(super) fn max_name(text: &str) -> Result<usize, String> {
    between(text, 1, limits::USERNAME_CHARS_MOST)
}
