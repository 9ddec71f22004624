//! Completions for shells.

use std::io;

use clap::Command;
use clap_complete::{Generator as _, Shell};

/// The script with which a shell completes a command line.
///
/// # Errors
/// Those of the library, which writes to memory here, or a script that isn't UTF-8.
pub fn completions(command: &Command, shell: Shell) -> io::Result<Vec<u8>> {
    let mut command = command.clone();
    let name = command.get_name().to_owned();
    command.set_bin_name(name);
    command.build();
    let mut script = Vec::new();
    shell.try_generate(&command, &mut script)?;
    let script = String::from_utf8(script).map_err(io::Error::other)?;
    let mended = match shell {
        Shell::Bash => with_one_separator(&script, command.get_name()),
        Shell::Zsh if command.has_subcommands() => without_positionals(&script, &command),
        _ => script,
    };
    Ok(mended.into_bytes())
}

/// The script for bash, with the same labels where it chooses a subcommand and where it completes one.
///
/// The library writes a hyphen of the program's name as `__` in the former and as `__subcmd__` in the latter, so no
/// subcommand of such a program has completions.
fn with_one_separator(script: &str, name: &str) -> String {
    let label = |hyphen: &str| name.replace('-', hyphen) + "__subcmd__";
    script.replace(&label("__subcmd__"), &label("__"))
}

/// The script for zsh of a program that has subcommands, without the program's own positional arguments.
///
/// The library declares them before the subcommand, as if both had to be there, so zsh takes the subcommand for the
/// first of them, and looks for the subcommand behind it.
fn without_positionals(script: &str, command: &Command) -> String {
    let subcommands = format!("\":: :_{}_commands\" \\\n", command.get_name());
    let Some((declared, rest)) = script.split_once(&subcommands) else {
        return script.to_owned();
    };
    // Positional arguments come last, and only their lines begin with a colon.
    let lines = declared.split_inclusive('\n');
    let mut mended: String = lines.take_while(|line| !line.starts_with("':")).collect();
    mended.push_str(&subcommands);
    // The script names the place of the program's subcommand three times, before it comes to what is below them.
    let place = format!("$line[{}]", command.get_positionals().count().saturating_add(1));
    mended.push_str(&rest.replacen(&place, "$line[1]", 3));
    mended
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    /// A program with a hyphen in its name, an optional host, and subcommands two deep.
    fn script(shell: Shell) -> String {
        let add = Command::new("add").arg(Arg::new("level").long("level")).arg(Arg::new("name"));
        let command = Command::new("an-example")
            .arg(Arg::new("web").long("web"))
            .arg(Arg::new("host").help("Where to listen"))
            .subcommand(Command::new("user").arg(Arg::new("whom")).subcommand(add));
        String::from_utf8(completions(&command, shell).unwrap()).unwrap()
    }

    #[test]
    fn bash_completes_each_subcommand_under_the_label_that_it_chooses() {
        let script = script(Shell::Bash);
        let chosen: Vec<_> = script
            .lines()
            .filter_map(|line| line.trim().strip_prefix("cmd=\"")?.strip_suffix('"'))
            .filter(|label| !label.is_empty())
            .collect();
        assert!(chosen.contains(&"an__example__subcmd__user__subcmd__add"), "{chosen:?}");
        for label in chosen {
            assert!(script.contains(&format!("        {label})\n")), "{label}");
        }
    }

    #[test]
    fn zsh_takes_the_first_word_for_the_subcommand() {
        let script = script(Shell::Zsh);
        assert!(!script.contains("'::host"), "{script}");
        let (own, below) = script.split_once("(user)").unwrap();
        assert!(own.contains("'--web="), "{own}");
        assert!(own.contains("\":: :_an-example_commands\""), "{own}");
        assert_eq!(own.matches("$line[1]").count(), 3);
        assert!(!own.contains("$line[2]"), "{own}");
        // Those of a subcommand stay: its own subcommands come behind them.
        assert!(below.contains("'::whom"), "{below}");
        assert_eq!(below.matches("$line[2]").count(), 3);
    }

    #[test]
    fn zsh_completes_the_positional_arguments_of_a_program_without_subcommands() {
        let command = Command::new("an-example").arg(Arg::new("host"));
        let script = String::from_utf8(completions(&command, Shell::Zsh).unwrap()).unwrap();
        assert!(script.contains("'::host:"), "{script}");
    }
}
