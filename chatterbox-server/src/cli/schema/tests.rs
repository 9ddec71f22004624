//! Every setting is complete: each of these tests goes through all of them, also through those of tomorrow.

use std::collections::BTreeSet;

use clap::{CommandFactory as _, FromArgMatches as _};

use super::*;
use crate::cli::command_line::parser;
use crate::cli::layers::Origin;
use crate::cli::layers::tests::with_file;

/// Settings of [`Serve`] that go into [`Config`] for its start, although SIGHUP does not change them.
const OF_THE_START: [&str; 4] = ["memory", "keep-messages", "keep-bytes", "keep-days"];

/// Lines of a configuration file, each of which might set this to something that is not its default.
fn candidates(setting: &Setting) -> Vec<String> {
    let possible = setting.arg.get_possible_values();
    let possible = possible.iter().map(|value| value.get_name().to_owned());
    let next = setting.default().and_then(|default| default.parse::<u64>().ok());
    let next = next.map(|default| (default + 1).to_string());
    let any =
        ["true", "1", "debug", "a,b,c,d,e,f", "chat.example", "10.0.0.0/8"].map(str::to_owned);
    let values = possible.chain(next).chain(any);
    values
        .filter(|value| setting.default().as_ref() != Some(value))
        .map(|value| format!("{} = \"{value}\"\n", setting.key))
        // A key is nothing without its certificate.
        .flat_map(|line| [line.clone(), format!("cert = \"c\"\n{line}")])
        .collect()
}

fn config(text: &str) -> String {
    format!("{:?}", with_file(text, &[]).unwrap().serve.config())
}

#[test]
fn an_empty_command_line_gives_the_default_settings() {
    let given = |line: &[&str]| {
        let matches = crate::cli::command_line::Cli::command().get_matches_from(line);
        format!("{:?}", Serve::from_arg_matches(&matches).unwrap().config())
    };
    let default = format!("{:?}", Config::default());
    assert_eq!(given(&["chatterbox-server"]), default);
    assert_eq!(given(&["chatterbox-server", "localhost"]), default);
}

#[test]
fn every_setting_can_stand_in_the_file_and_changes_what_it_says_it_changes() {
    let default = config("");
    for setting in settings() {
        let found = candidates(setting).into_iter().find_map(|text| {
            let read = with_file(&text, &[]).ok()?;
            let effective =
                read.effective.iter().find(|other| other.setting.key == setting.key)?.clone();
            (effective.origin == Origin::File && effective.value != setting.default())
                .then_some(text)
        });
        let text = found.unwrap_or_else(|| panic!("no line of a file sets {}", setting.key));
        // A reloadable setting is a field of the settings that SIGHUP replaces; any other one is not.
        let expected = setting.reloadable || OF_THE_START.contains(&setting.key.as_str());
        assert_eq!(config(&text) != default, expected, "{text}");
    }
}

#[test]
fn operators_can_rely_on_what_could_always_be_reloaded() {
    for key in [
        "guests",
        "legacy-commands",
        "room-guests",
        "server-name",
        "banner",
        "max-connections",
        "max-per-address",
        "max-frame",
        "max-name",
        "flood-exempt",
        "no-limits",
        "join-timeout",
        "stall-timeout",
        "grace",
        "hold-name",
    ] {
        assert!(find(key).unwrap().reloadable, "{key}");
    }
    for key in ["host", "port", "plaintext", "data", "keep-messages", "log"] {
        assert!(!find(key).unwrap().reloadable, "{key}");
    }
}

#[test]
fn every_setting_has_help_a_section_and_a_variable() {
    let parser = parser();
    let mut sections = Vec::new();
    for setting in settings() {
        assert!(!setting.help().is_empty(), "{}", setting.key);
        let arg = parser.get_arguments().find(|arg| arg.get_id() == setting.id()).unwrap();
        let variable = format!("CHATTERBOX_{}", setting.key.replace('-', "_").to_uppercase());
        assert_eq!(arg.get_env(), Some(variable.as_ref()), "{}", setting.key);
        match setting.heading() {
            None => assert!(["host", "port"].contains(&setting.key.as_str()), "{}", setting.key),
            Some(section) if sections.last() != Some(&section) => sections.push(section),
            Some(_) => {}
        }
    }
    let distinct: BTreeSet<_> = sections.iter().collect();
    assert_eq!(distinct.len(), sections.len(), "the sample has a section twice: {sections:?}");
}

#[test]
fn a_default_of_the_machine_is_described_in_the_help() {
    for setting in settings() {
        let optional = !setting.is_flag() && setting.default().is_none();
        let described = setting.help().contains("[default: ");
        let without = ["cert", "key"].contains(&setting.key.as_str());
        assert_eq!(optional && !without, described, "{}", setting.key);
    }
}

#[test]
fn subcommands_take_settings_and_nothing_else_from_the_environment() {
    let parser = parser();
    let mut commands: Vec<_> = parser.get_subcommands().collect();
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        for arg in command.get_arguments() {
            let known = arg.get_id() == FILE || settings().iter().any(|s| arg.get_id() == s.id());
            assert_eq!(arg.get_env().is_some(), known, "{} {}", command.get_name(), arg.get_id());
        }
    }
}

#[test]
fn settings_that_exclude_each_other_are_alternatives() {
    let parser = parser();
    for setting in settings() {
        let arg = parser.get_arguments().find(|arg| arg.get_id() == setting.id()).unwrap();
        for other in parser.get_arg_conflicts_with(arg) {
            let other = settings().iter().find(|one| other.get_id() == one.id()).unwrap();
            // A layer that lifts the limits does not silence a lower one that sets them: that is an error.
            if setting.key == "no-limits" || other.key == "no-limits" {
                continue;
            }
            assert!(setting.is_alternative_to(other), "{} and {}", setting.key, other.key);
            assert!(other.is_alternative_to(setting), "{} and {}", other.key, setting.key);
        }
    }
    assert!(find("key").unwrap().is_alternative_to(find("plaintext").unwrap()));
    assert!(!find("data").unwrap().is_alternative_to(find("plaintext").unwrap()));
}

#[test]
fn kinds_of_values_are_those_of_the_parser() {
    for key in ["host", "data", "durability", "guests", "log-format", "log"] {
        assert!(find(key).unwrap().is_text(), "{key}");
    }
    for key in ["port", "plaintext", "keep-days", "max-frame", "grace"] {
        assert!(!find(key).unwrap().is_text(), "{key}");
    }
}

#[test]
fn one_folder_for_all_of_a_higher_layer_counts_for_its_parts() {
    let folders = |text: &str, arguments: &[&str]| {
        let serve = with_file(text, arguments).unwrap().serve;
        let shown = |folder: &Option<std::path::PathBuf>| {
            folder.as_ref().map_or("-".to_owned(), |folder| folder.display().to_string())
        };
        [shown(&serve.state), shown(&serve.data), shown(&serve.certs)].join(" ")
    };
    let parts = "data = \"d\"\ncerts = \"c\"\n";
    assert_eq!(folders(parts, &["--state", "s"]), "s - -");
    assert_eq!(folders("state = \"s\"\n", &["--data", "d"]), "s d -");
    assert_eq!(folders(&format!("state = \"s\"\n{parts}"), &[]), "s d c");
}
