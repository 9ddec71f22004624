//! The rooms of the configuration file: `[rooms."#name"]`, each a table of settings (RM-16).

use std::path::Path;

use chatterbox_proto::{RoomName, ScreenText, Username};
use chatterbox_server::config::{ROOM_SETTINGS, RoomBlock, RoomSettingError, room_setting};
use toml::de::DeTable;

/// The key of the file under which the rooms are.
pub const KEY: &str = "rooms";

/// The rooms that one file may have; a chat has no more.
const ROOMS: usize = 1_000;

/// A mistake in a block.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The room as the file names it, and the setting.
    at: Vec<String>,
    pub problem: String,
}

impl Mistake {
    /// Its line in the file, counted from 1.
    pub fn line(&self, text: &str) -> Option<usize> {
        // The text was read as TOML before.
        let document = DeTable::parse(text).ok()?;
        let mut table = document.get_ref();
        let mut place = 0;
        for step in std::iter::once(KEY).chain(self.at.iter().map(String::as_str)) {
            let (key, value) = table.iter().find(|(key, _)| key.get_ref() == step)?;
            place = key.span().start;
            match value.get_ref().as_table() {
                Some(inner) => table = inner,
                None => break,
            }
        }
        let before = text.get(..place)?;
        Some(before.matches('\n').count() + 1)
    }
}

/// Reads the value of `rooms`. Files that are named there are beside the configuration file, which is in `folder`.
///
/// # Errors
/// [`Mistake`].
pub fn read(rooms: &toml::Value, folder: &Path) -> Result<Vec<RoomBlock>, Mistake> {
    let whole = |problem: String| Mistake { at: Vec::new(), problem };
    let Some(rooms) = rooms.as_table() else {
        return Err(whole("rooms are tables: [rooms.\"#name\"]".to_owned()));
    };
    if rooms.len() > ROOMS {
        return Err(whole(format!("there can't be more than {ROOMS} rooms")));
    }
    let mut blocks: Vec<RoomBlock> = Vec::with_capacity(rooms.len());
    for (name, block) in rooms {
        let mistake = |problem: String| {
            let shown = ScreenText::shortened(name, 40);
            Mistake { at: vec![name.clone()], problem: format!("[rooms.\"{shown}\"]: {problem}") }
        };
        let parsed = RoomName::parse(name).map_err(|error| mistake(error.to_string()))?;
        if blocks.iter().any(|other| other.name == parsed) {
            return Err(mistake("the room is there twice".to_owned()));
        }
        let block = block.as_table().ok_or_else(|| mistake("it has to be a table".to_owned()))?;
        blocks.push(read_block(parsed, block, folder).map_err(|(key, problem)| {
            let Mistake { mut at, problem } = mistake(format!("{key}: {problem}"));
            at.push(key);
            Mistake { at, problem }
        })?);
    }
    Ok(blocks)
}

fn read_block(
    name: RoomName,
    block: &toml::Table,
    folder: &Path,
) -> Result<RoomBlock, (String, String)> {
    let mut read =
        RoomBlock { name, settings: Vec::new(), password_file: None, owner: None, auto: false };
    for (key, value) in block {
        let wrong = |problem: String| (key.clone(), problem);
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            _ => return Err(wrong("it has to be text, a number, true or false".to_owned())),
        };
        match key.as_str() {
            "password-file" => read.password_file = Some(folder.join(text)),
            "owner" => {
                let owner = Username::parse(&text).map_err(|error| wrong(error.to_string()))?;
                read.owner = Some(owner);
            }
            "auto" => {
                let auto = value.as_bool();
                read.auto = auto.ok_or_else(|| wrong("it has to be true or false".to_owned()))?;
            }
            _ => read.settings.push(room_setting(key, &text).map_err(|error| {
                wrong(match error {
                    RoomSettingError::Unknown => unknown(key),
                    error => error.to_string(),
                })
            })?),
        }
    }
    Ok(read)
}

fn unknown(key: &str) -> String {
    let others = ["topic", "password-file", "owner", "auto"];
    let wanted = key.replace('_', "-").to_lowercase();
    let nearest = ROOM_SETTINGS
        .iter()
        .chain(&others)
        .map(|name| (strsim::jaro_winkler(&wanted, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, name)) => format!("there is no such setting of a room, did you mean {name:?}?"),
        None if key == "password" => {
            "a password does not stand in this file; give a file of its own as password-file".into()
        }
        None => "there is no such setting of a room".to_owned(),
    }
}

/// The blocks as they stand in a file, to be shown; empty when there are none.
pub fn show(rooms: Option<&toml::Value>) -> String {
    let Some(rooms) = rooms else { return String::new() };
    let document = toml::Table::from_iter([(KEY.to_owned(), rooms.clone())]);
    format!("\n{document}")
}

/// What a sample says about rooms.
pub const SAMPLE: &str = r##"
# == Rooms ==

# Rooms that are there from the start. Each is a table, behind all other settings. What stands here wins over commands at every
# start; what does not, stays as commands have set it. A room that is taken out of this file stays, as an ordinary one.
#
# [rooms."#lab"]
#   description = "questions about the lab"
#   topic = "exercise 3"          # what is talked about now
#   owner = "prof"                # an account, which may do everything in the room
#   auto = true                   # every account becomes a member, once
#   talk = 0                      # the lowest level that may write; 3: moderators
#   slow = 0                      # seconds between two messages of one user below level 2
#   length = 4000                 # the longest message, in characters
#   limit = 0                     # members at most; 0: no limit
#   keep = "all"                  # messages kept: "off", a number, "all"
#   show = "all"                  # what newcomers may read: "all", or "joined": since they joined
#   roster = true                 # whether members are listed
#   hidden = false                # not listed, and unknown to who is not a member
#   closed = false                # nobody joins uninvited
#   password-file = "lab.txt"     # a file beside this one with the password, one line; an empty one closes the room
"##;
