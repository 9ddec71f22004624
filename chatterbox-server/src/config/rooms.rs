//! Rooms of the configuration, and the settings of rooms as words: in a block of the file, and behind `set-room`.

use std::path::PathBuf;
use std::sync::Arc;

use chatterbox_hub::{Level, RoomKeep, RoomSetting, RoomShow};
use chatterbox_proto::{RoomName, ScreenText, Username, limits};

/// One room of the configuration file (RM-16). What it does not name stays as commands have set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomBlock {
    /// Its name.
    pub name: RoomName,
    /// Its settings but the password.
    pub settings: Vec<RoomSetting>,
    /// The file with its password, of which an empty one closes the room.
    pub password_file: Option<PathBuf>,
    /// The account that owns it.
    pub owner: Option<Username>,
    /// Whether every account becomes a member once.
    pub auto: bool,
}

/// Why a setting of a room can't be that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomSettingError {
    /// No setting has this name.
    #[error("there is no such setting")]
    Unknown,
    /// The value is none of those that there are.
    #[error("it has to be {0}")]
    Value(&'static str),
    /// The text has too many characters.
    #[error("it has at most {} characters", limits::TOPIC_CHARS)]
    TooLong,
    /// The text has line breaks or control characters.
    #[error("it has to be one line without control characters")]
    NotOneLine,
}

/// The members of a room at most.
const MEMBERS: u32 = 5_000;
/// The messages that `keep` may ask for by number.
const KEPT: u32 = 100_000;

/// The settings that [`room_setting`] reads, but `topic`, which has a command of its own.
pub const ROOM_SETTINGS: &[&str] = &[
    "description",
    "limit",
    "hidden",
    "closed",
    "talk",
    "slow",
    "length",
    "keep",
    "show",
    "roster",
];

/// Reads a setting of a room.
///
/// # Errors
/// [`RoomSettingError`].
pub fn room_setting(setting: &str, value: &str) -> Result<RoomSetting, RoomSettingError> {
    Ok(match setting {
        "topic" => RoomSetting::Topic(room_text(value)?),
        "description" => RoomSetting::Description(room_text(value)?),
        "limit" => RoomSetting::Limit(
            number(value, 0, MEMBERS).ok_or(RoomSettingError::Value("0 (no limit) to 5000"))?,
        ),
        "hidden" => RoomSetting::Hidden(switch(value)?),
        "closed" => RoomSetting::Closed(switch(value)?),
        "talk" => {
            let level = Level::parse(value).filter(|level| *level <= Level::OPERATOR);
            RoomSetting::Talk(level.ok_or(RoomSettingError::Value("a level from 0 to 4"))?)
        }
        "slow" => RoomSetting::Slow(
            number(value, 0, limits::SLOW_SECONDS)
                .ok_or(RoomSettingError::Value("0 to 3600 seconds"))?,
        ),
        "length" => {
            let most = u32::try_from(limits::ROOM_CONTENT_CHARS).unwrap_or(u32::MAX);
            let length = number(value, 1, most);
            RoomSetting::Length(length.ok_or(RoomSettingError::Value("1 to 4000 characters"))?)
        }
        "keep" => RoomSetting::Keep(match value {
            "off" | "false" => RoomKeep::Off,
            "all" => RoomKeep::All,
            _ => RoomKeep::Newest(
                number(value, 1, KEPT)
                    .ok_or(RoomSettingError::Value("off, all, or 1 to 100000 messages"))?,
            ),
        }),
        "show" => RoomSetting::Show(match value {
            "all" => RoomShow::All,
            "joined" => RoomShow::Joined,
            _ => return Err(RoomSettingError::Value("all or joined")),
        }),
        "roster" => RoomSetting::Roster(switch(value)?),
        _ => return Err(RoomSettingError::Unknown),
    })
}

/// A topic or a description. Whoever gets it shows it on one line, so it has to be one: what would act on a screen or hide
/// there is refused, not changed.
///
/// # Errors
/// [`RoomSettingError`].
pub fn room_text(text: &str) -> Result<Arc<str>, RoomSettingError> {
    let text = text.trim();
    if text.chars().count() > limits::TOPIC_CHARS {
        return Err(RoomSettingError::TooLong);
    }
    if ScreenText::new(text).as_str() != text {
        return Err(RoomSettingError::NotOneLine);
    }
    Ok(text.into())
}

fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    text.parse().ok().filter(|number| (least..=most).contains(number))
}

fn switch(text: &str) -> Result<bool, RoomSettingError> {
    match text {
        "on" | "yes" | "true" => Ok(true),
        "off" | "no" | "false" => Ok(false),
        _ => Err(RoomSettingError::Value("on or off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_bounds() {
        for (setting, good, bad) in [
            ("limit", &["0", "5000"][..], &["5001", "-1", "x", ""][..]),
            ("hidden", &["on", "off", "true", "no"], &["", "ON ", "1"]),
            ("closed", &["on"], &["perhaps"]),
            ("roster", &["off"], &["0"]),
            ("talk", &["0", "4", "moderator"], &["5", "admin", "-1"]),
            ("slow", &["0", "3600"], &["3601", "1.5"]),
            ("length", &["1", "4000"], &["0", "4001"]),
            ("keep", &["off", "all", "1", "100000"], &["0", "100001", "on", "some"]),
            ("show", &["all", "joined"], &["none", "off"]),
            (
                "topic",
                &["", "a\u{e9}\u{1f468}\u{200d}\u{1f4bb}"],
                &["a\nb", "\u{1b}[2J", "\u{202e}"],
            ),
        ] {
            for value in good {
                assert!(room_setting(setting, value).is_ok(), "{setting} {value:?}");
            }
            for value in bad {
                assert!(room_setting(setting, value).is_err(), "{setting} {value:?}");
            }
        }
        let most = "\u{e9}".repeat(limits::TOPIC_CHARS);
        assert!(room_setting("description", &most).is_ok());
        let longer = room_setting("description", &(most + "x"));
        assert_eq!(longer, Err(RoomSettingError::TooLong));
        assert_eq!(room_setting("password", "x"), Err(RoomSettingError::Unknown));
    }

    #[test]
    fn what_is_offered_is_read() {
        let value = |setting: &str| match setting {
            "keep" | "show" => "all",
            "length" | "limit" | "talk" | "slow" => "1",
            _ => "on",
        };
        for setting in ROOM_SETTINGS {
            assert!(room_setting(setting, value(setting)).is_ok(), "{setting}");
        }
    }
}
