//! The schema of the settings, read off clap's definition of the flags: names in the other layers, kinds of values,
//! alternatives, and which of them SIGHUP changes.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

use chatterbox_server::Config;
use clap::{Arg, Command};

use crate::cli::settings::Serve;

/// The flag that names the configuration file. It has an environment variable, but the file can't name itself.
const FILE: &str = "config";

/// The flag of one folder for all, and the flags of the folders in it.
const STATE: &str = "state";
const FOLDERS_IN_STATE: [&str; 2] = ["data", "certs"];

/// A flag that is a setting, with what follows from its definition.
#[derive(Debug)]
pub struct Setting {
    arg: Arg,
    /// Its name in the configuration file: that of its flag, without dashes in front.
    pub key: String,
    /// Whether SIGHUP changes it, because it is a field of [`Config`]; the others wait for the next start.
    pub reloadable: bool,
    /// The ids of the flags in its group.
    alternatives: Vec<String>,
}

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let mut flags = flags_of::<Serve>();
    // Building is what fills the groups with their members, and gives each flag its value parser.
    flags.build();
    let reloadable = flags_of::<Config>();
    flags
        .get_arguments()
        .filter(|arg| arg.get_id() != FILE)
        .map(|arg| Setting {
            key: arg.get_long().unwrap_or(arg.get_id().as_str()).to_owned(),
            reloadable: reloadable.get_arguments().any(|other| other.get_id() == arg.get_id()),
            alternatives: flags
                .get_groups()
                .filter(|group| group.get_args().any(|id| id == arg.get_id()))
                .flat_map(|group| group.get_args().map(ToString::to_string))
                .collect(),
            arg: arg.clone(),
        })
        .collect()
});

fn flags_of<A: clap::Args>() -> Command {
    A::augment_args(Command::new("settings").disable_help_flag(true))
}

/// All settings, in the order of their definition.
pub fn settings() -> &'static [Setting] {
    &SETTINGS
}

/// The setting with this key.
pub fn find(key: &str) -> Option<&'static Setting> {
    settings().iter().find(|setting| setting.key == key)
}

/// Gives each flag that is a setting its environment variable, derived from its name. A flag of a subcommand is a
/// setting if it has the id of one, as `data` of `backup`.
pub fn with_environment(command: Command) -> Command {
    let key_of = |id: &str| match id {
        FILE => Some(FILE),
        _ => settings().iter().find(|setting| setting.id() == id).map(|one| one.key.as_str()),
    };
    command
        .mut_args(|arg| {
            let Some(key) = key_of(arg.get_id().as_str()) else { return arg };
            arg.env(format!("CHATTERBOX_{}", key.replace('-', "_").to_uppercase()))
        })
        .mut_subcommands(with_environment)
}

impl Setting {
    /// Its id in clap's matches.
    pub fn id(&self) -> &str {
        self.arg.get_id().as_str()
    }

    /// Its section of the help and of the sample.
    pub fn heading(&self) -> Option<&str> {
        self.arg.get_help_heading()
    }

    /// Its description, without a final stop.
    pub fn help(&self) -> String {
        self.arg.get_help().map(ToString::to_string).unwrap_or_default()
    }

    /// Its default, where that does not depend on the machine.
    pub fn default(&self) -> Option<String> {
        let default = self.arg.get_default_values().first();
        default.map(|value| value.to_string_lossy().into_owned())
    }

    /// Whether it takes no value: on if it is given.
    pub fn is_flag(&self) -> bool {
        !self.arg.get_action().takes_values()
    }

    /// Whether it is given by a flag, and not by its place.
    pub fn has_flag(&self) -> bool {
        self.arg.get_long().is_some()
    }

    /// Whether its value may be left away: it is on then, and off where a file says `false`.
    fn is_switch(&self) -> bool {
        self.is_flag() || self.arg.get_num_args().is_some_and(|values| values.min_values() == 0)
    }

    /// Whether a value that looks like a number is text nevertheless, such as the name of a folder.
    pub fn is_text(&self) -> bool {
        let kind = self.arg.get_value_parser().type_id();
        kind == TypeId::of::<String>()
            || kind == TypeId::of::<PathBuf>()
            || !self.arg.get_possible_values().is_empty()
    }

    /// Whether its value is the path of a file or a folder.
    pub fn is_path(&self) -> bool {
        self.arg.get_value_parser().type_id() == TypeId::of::<PathBuf>()
    }

    /// Whether both are in one group, so that a higher layer that sets one of them silences the other in a lower layer.
    /// Each setting is its own alternative.
    pub fn is_alternative_to(&self, other: &Self) -> bool {
        self.id() == other.id() || self.alternatives.iter().any(|id| id == other.id())
    }

    /// Whether a higher layer that sets the other one silences this one in a lower layer. One folder for all that is given on the command
    /// line is meant for all, whatever a file says of its parts; a part that is given there leaves the file its folder for the others.
    pub fn is_silenced_by(&self, other: &Self) -> bool {
        let is_part = other.id() == STATE && FOLDERS_IN_STATE.contains(&self.id());
        is_part || self.is_alternative_to(other)
    }

    /// The argument that sets this value on a command line; none for a flag that is off.
    pub fn argument(&self, value: &str) -> Option<OsString> {
        match (self.arg.get_long(), value) {
            (None, value) => Some(value.into()),
            (Some(long), "true") if self.is_flag() => Some(format!("--{long}").into()),
            (Some(_), "false") if self.is_switch() => None,
            (Some(long), value) => Some(format!("--{long}={value}").into()),
        }
    }
}

#[cfg(test)]
mod tests;
