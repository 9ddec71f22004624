//! Settings as text in the form of a configuration file: those in force, and a sample of all.

use std::fmt::Write as _;

use crate::cli::layers::{Effective, Settings};
use crate::cli::rooms;
use crate::cli::schema::{self, Setting};

/// The settings in force, as a configuration file with the origin of each beside it.
pub fn show(settings: &Settings) -> String {
    let mut text = String::new();
    let lines: Vec<_> = settings
        .effective
        .iter()
        .map(|Effective { setting, value, origin }| {
            let line = match value {
                Some(value) => format!("{} = {}", setting.key, toml_value(setting, value)),
                None => format!("# {} is not set", setting.key),
            };
            (line, origin)
        })
        .collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or_default();
    for (line, origin) in lines {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{line:width$}  # {}", origin.name());
    }
    text.push_str(&rooms::show(settings.rooms.as_ref()));
    text
}

/// A configuration file with every setting, its description and its default, all of it commented out.
pub fn sample() -> String {
    let mut text = String::from(
        "# Settings of chatterbox-server. Every line is commented out and shows the default.\n\
         # The command line and CHATTERBOX_* environment variables come before this file.\n",
    );
    let mut heading = None;
    for setting in schema::settings() {
        if heading != setting.heading() {
            heading = setting.heading();
            let _ = writeln!(text, "\n# == {} ==", heading.unwrap_or_default());
        }
        let value = match setting.default() {
            Some(value) => toml_value(setting, &value),
            None if setting.is_flag() => "false".to_owned(),
            None => "\"...\"   # not set".to_owned(),
        };
        let _ = write!(text, "\n# {}\n# {} = {value}\n", setting.help(), setting.key);
    }
    text.push_str(rooms::SAMPLE);
    text
}

/// The value as TOML: bare where the setting is a number or a flag, and TOML can write it so.
fn toml_value(setting: &Setting, value: &str) -> String {
    let bare = || {
        matches!(
            value.parse(),
            Ok(toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_))
        )
    };
    if !setting.is_text() && bare() {
        value.to_owned()
    } else {
        toml::Value::from(value).to_string()
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::RoomSettings;
    use chatterbox_server::config::ROOM_SETTINGS;

    use super::*;
    use crate::cli::layers::tests::with_file;
    use crate::cli::subcommand::Command;

    #[test]
    fn the_sample_is_a_file_of_defaults() {
        let sample = sample();
        let lines: Vec<_> = sample
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| {
                line.split_once(" = ").is_some_and(|(key, _)| schema::find(key).is_some())
            })
            .collect();
        // Each line is one that can be uncommented.
        toml::from_str::<toml::Table>(&lines.join("\n")).unwrap();
        let text: String = lines
            .iter()
            // What depends on the machine has no default to write down.
            .filter(|line| !line.ends_with("# not set"))
            .map(|line| format!("{line}\n"))
            .collect();
        let from_file = with_file(&text, &[]).unwrap();
        let plain = with_file("", &[]).unwrap();
        assert_eq!(
            format!("{:?}", from_file.serve.config()),
            format!("{:?}", plain.serve.config())
        );
        assert!(text.lines().count() > 15, "{text}");
    }

    #[test]
    fn the_room_of_the_sample_is_one_of_defaults() {
        let sample = sample();
        let lines = sample.lines().skip_while(|line| !line.starts_with("# [rooms."));
        let text: String =
            lines.map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let settings = with_file(&text, &[]).unwrap();
        let [room] = &settings.serve.live.rooms[..] else { panic!("{text}") };
        let mut set = RoomSettings::default();
        room.settings.iter().for_each(|setting| setting.clone().apply(&mut set));
        let default = RoomSettings {
            topic: set.topic.clone(),
            description: set.description.clone(),
            ..RoomSettings::default()
        };
        assert_eq!(set, default);
        let keys = text.lines().filter(|line| line.contains(" = ")).count();
        assert_eq!(keys, ROOM_SETTINGS.len() + ["topic", "owner", "auto", "password-file"].len());
    }

    #[test]
    fn values_that_only_look_like_numbers_are_shown_as_text() {
        let line = ["config", "--data", "1.0", "--grace", ".5", "--port", "007"];
        let settings = with_file("", &line).unwrap();
        let again = with_file(&show(&settings), &[]).unwrap();
        assert_eq!(again.serve.data, settings.serve.data);
        assert_eq!(again.serve.live.grace, settings.serve.live.grace);
        assert_eq!(again.serve.port, 7);
    }

    #[test]
    fn what_is_shown_can_be_used_as_a_file() {
        let text = "port = 7\nlog = \"debug\"\n[rooms.\"#a.b\"]\nslow = 3\nauto = true\n";
        let settings = with_file(text, &["config", "--max-name", "9"]).unwrap();
        assert!(matches!(settings.command, Some(Command::Config { sample: false, .. })));
        let shown = show(&settings);
        assert!(shown.contains("max-name = 9") && shown.contains("# command line"), "{shown}");
        let again = with_file(&shown, &[]).unwrap();
        assert_eq!((again.serve.port, again.serve.live.max_name), (7, 9));
        assert_eq!(again.serve.log, "debug");
        assert_eq!(again.serve.live.rooms, settings.serve.live.rooms);
        assert_eq!(again.serve.live.rooms.len(), 1);
    }
}
