//! Manual pages: one of the program, and one of each subcommand.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

/// A page of section 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The name of its file, such as `chatterbox-server-backup.1`.
    pub file: String,
    /// The page, for `man -l`.
    pub text: Vec<u8>,
}

/// The pages of a command and of all below it that are not hidden, that of the command first. They hold no date, so the
/// same command gives the same pages.
///
/// # Errors
/// Those of the library, which writes to memory here.
pub fn pages(command: &Command) -> io::Result<Vec<Page>> {
    let mut command = command.clone().disable_help_subcommand(true);
    command.build();
    let source = [command.get_name(), command.get_version().unwrap_or_default()].join(" ");
    let mut pages = Vec::new();
    collect(&command, &source, &mut pages)?;
    Ok(pages)
}

fn collect(command: &Command, source: &str, pages: &mut Vec<Page>) -> io::Result<()> {
    pages.push(page(command, source)?);
    let mut below = command.get_subcommands().filter(|below| !below.is_hide_set());
    below.try_for_each(|below| collect(below, source, pages))
}

fn page(command: &Command, source: &str) -> io::Result<Page> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let after = command.get_after_long_help().or_else(|| command.get_after_help());
    // The library would set examples and tables as paragraphs.
    let bare = command.clone().after_help(None::<&str>).after_long_help(None::<&str>);
    let man = Man::new(bare)
        .title(name.to_uppercase())
        // An empty word, which the library does not quote.
        .date("\"\"")
        .source(source)
        .manual("Chatterbox");
    let mut text = Vec::new();
    man.render(&mut text)?;
    if let Some(after) = after {
        sections(&after.to_string()).to_writer(&mut text)?;
    }
    Ok(Page { file: man.get_filename(), text })
}

/// The text behind the options, whose headings begin sections; its lines stay as they are.
fn sections(text: &str) -> Roff {
    let mut sections: Vec<(String, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        if let Some(title) = heading(line) {
            sections.push((title, Vec::new()));
        } else if let Some((_, lines)) = sections.last_mut() {
            lines.push(line);
        } else {
            sections.push(("NOTES".to_owned(), vec![line]));
        }
    }
    let mut roff = Roff::new();
    for (title, lines) in &sections {
        roff.control("SH", [title.as_str()]);
        roff.control("nf", []);
        for line in lines.join("\n").trim_matches('\n').lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff
}

/// The title of a section, where a line of the help is one.
fn heading(line: &str) -> Option<String> {
    let title = line.strip_suffix(':').filter(|title| title.starts_with(char::is_alphabetic))?;
    Some(match title {
        // As all manual pages call it.
        "Exit codes" => "EXIT STATUS".to_owned(),
        other => other.to_uppercase(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    const AFTER: &str = "\
Examples:
  example -p 1
      It's one.

Exit codes:
   0  done
  64  a \\ or .";

    fn example() -> Command {
        let port = Arg::new("port").short('p').long("port").default_value("9000");
        Command::new("example")
            .version("1.2.3")
            .about("Shows an example")
            .arg(port.help("The port"))
            .subcommand(Command::new("below").about("Goes down").arg(Arg::new("file")))
            .subcommand(Command::new("nowhere").hide(true))
            .after_help(AFTER)
    }

    fn text(page: &Page) -> &str {
        std::str::from_utf8(&page.text).unwrap()
    }

    fn headings(page: &Page) -> Vec<&str> {
        text(page).lines().filter_map(|line| line.strip_prefix(".SH ")).collect()
    }

    #[test]
    fn every_command_that_can_be_seen_has_a_page() {
        let pages = pages(&example()).unwrap();
        let files: Vec<_> = pages.iter().map(|page| page.file.as_str()).collect();
        assert_eq!(files, ["example.1", "example-below.1"]);
        let title = |at: usize| text(&pages[at]).lines().find(|line| line.starts_with(".TH "));
        assert_eq!(title(0), Some(".TH EXAMPLE 1 \"\" \"example 1.2.3\" Chatterbox"));
        assert_eq!(title(1), Some(".TH EXAMPLE-BELOW 1 \"\" \"example 1.2.3\" Chatterbox"));
        assert!(text(&pages[1]).contains("example\\-below \\- Goes down\n"));
        assert_eq!(headings(&pages[1]), ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"]);
    }

    #[test]
    fn examples_and_exit_codes_are_sections_and_keep_their_lines() {
        let pages = pages(&example()).unwrap();
        let own = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SUBCOMMANDS", "VERSION"];
        assert_eq!(headings(&pages[0])[..6], own);
        assert_eq!(headings(&pages[0])[6..], ["EXAMPLES", "\"EXIT STATUS\""]);
        for part in [
            ".SH EXAMPLES\n.nf\n  example \\-p 1\n      It\\*(Aqs one.\n.fi\n",
            ".nf\n   0  done\n  64  a \\\\ or .\n.fi\n",
        ] {
            assert!(text(&pages[0]).contains(part), "{part}\n{}", text(&pages[0]));
        }
    }

    #[test]
    fn a_text_without_a_heading_is_a_note_and_a_sentence_with_a_colon_is_no_heading() {
        let text = sections("One line:\n  more\nThis is no heading: it goes on\n").to_roff();
        let expected = ".SH \"ONE LINE\"\n.nf\n  more\nThis is no heading: it goes on\n.fi\n";
        assert_eq!(text, expected);
        assert_eq!(sections("only words").to_roff(), ".SH NOTES\n.nf\nonly words\n.fi\n");
    }
}
