//! Reads the configuration, and tells what is wrong with it: the file, the line, and what was meant.
#![allow(clippy::disallowed_methods, reason = "this module reads a file")]

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use chatterbox_proto::ScreenText;

use super::file::Config;
use crate::exit::{Exit, Failure};
use crate::keymap::{Keymap, Mistake};

/// The limit of the file, which may be the wrong one.
const LONGEST: u64 = 1024 * 1024;

/// Reads the file, or that of the user's configuration folder where there is one; the keys come with it.
///
/// # Errors
/// A file that can't be read, or that has something in it that is not understood.
pub(crate) fn load(path: Option<&Path>) -> Result<(Config, Keymap), Failure> {
    let Some(path) = path.map(Path::to_owned).or_else(usual) else {
        return Ok((Config::default(), Keymap::default()));
    };
    let failed = |error: io::Error| {
        Failure::new(
            Exit::NoInput,
            format!("the configuration {} can't be read: {error}", path.display()),
        )
    };
    let mut text = String::new();
    let file = File::open(&path).map_err(failed)?;
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LONGEST {
        return Err(failed(io::Error::other("it has more than 1 MiB")));
    }
    let (mut config, keymap) = parse(&text, &path.display().to_string())?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for server in config.servers.values_mut() {
        server.ca = server.ca.take().map(|ca| folder.join(ca));
    }
    Ok((config, keymap))
}

/// `client.toml` in the user's configuration folder, if it is there.
fn usual() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "chatterbox")?;
    Some(folders.config_dir().join("client.toml")).filter(|path| path.exists())
}

fn parse(text: &str, shown: &str) -> Result<(Config, Keymap), Failure> {
    let at = |place: usize| {
        let line = text.get(..place).unwrap_or(text).matches('\n').count() + 1;
        format!("{shown}, line {line}")
    };
    let config: Config = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(|| shown.to_owned(), |span| at(span.start));
        let message = error.message().trim_end();
        // It quotes the file.
        let shown = ScreenText::shortened(message, 300);
        let failure = Failure::new(Exit::Usage, format!("{place}: {shown}"));
        match nearest(message) {
            Some(known) => failure.hint(format!("did you mean `{known}`?")),
            None => failure.hint("chatterbox-client --print-config shows all that can be in it"),
        }
    })?;
    let changes = config.keys.iter().map(|(name, keys)| (name.as_str(), keys.get_ref().as_slice()));
    let keymap = Keymap::changed(changes).map_err(|(name, mistake)| {
        let place = config.keys.get(&name).map_or(0, |keys| keys.span().start);
        let shown = ScreenText::shortened(&mistake.to_string(), 300);
        let failure = Failure::new(Exit::Usage, format!("{}: {shown}", at(place)));
        match mistake {
            Mistake::Action { nearest, .. } => failure.hint(format!("did you mean `{nearest}`?")),
            Mistake::Key(_) => {
                failure.hint("keys are written like `ctrl-g`, `alt-up`, `f5` or `ctrl-x ctrl-e`")
            }
            Mistake::Types(_) => failure.hint("with `ctrl-` or `alt-` before it, it is a key"),
            Mistake::Taken { .. } => failure,
        }
    })?;
    Ok((config, keymap))
}

/// What was meant by an unknown word: the most similar of those that the message lists.
fn nearest(message: &str) -> Option<&str> {
    let (before, listed) = message.split_once("expected ")?;
    let unknown = before.split('`').nth(1)?;
    let known = listed.split('`').skip(1).step_by(2);
    let similar = |known: &str| strsim::jaro_winkler(known, unknown);
    known
        .max_by(|one, other| similar(one).total_cmp(&similar(other)))
        .filter(|known| similar(known) > 0.6)
}

#[cfg(test)]
mod tests {
    use super::super::file::{Attention, Mode, NotifyBy, Shown};
    use super::super::sample::sample;
    use super::*;
    use crate::cli::Theme;
    use crate::keymap::TABLE;

    fn read(text: &str) -> Result<(Config, Keymap), String> {
        parse(text, "client.toml").map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_sample_has_every_default() {
        let (config, _) = read(&sample()).unwrap();
        assert_eq!(config, Config::default());
        let bare: String = sample().lines().filter(|line| !line.starts_with('#')).collect();
        for name in "mode theme times conversations people mouse notify notify-text open".split(' ')
        {
            assert!(bare.contains(&format!("{name} = ")), "{name}");
        }
    }

    #[test]
    fn what_the_sample_leaves_to_the_reader_is_understood_too() {
        let whole: String = sample()
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(line) if line.split(' ').nth(1) == Some("=") || line.starts_with('[') => {
                    format!("{line}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let (config, keymap) = read(&whole).unwrap();
        assert_eq!(config.servers.len(), 1);
        assert_eq!(config.conversations.len(), 1);
        let usual = Keymap::default();
        for row in TABLE {
            assert_eq!(keymap.keys(row.action), usual.keys(row.action), "{}", row.name);
        }
    }

    #[test]
    fn everything_can_be_set() {
        let (config, _) = read(
            r##"
            [servers.work]
            host = "chat.example.org:5000"
            ca = "work.crt"
            username = "ann"
            room = "#lab"
            [screen]
            mode = "plain"
            theme = "high-contrast"
            times = "always"
            people = "never"
            mouse = true
            notify = "osc777"
            notify-text = true
            open = ["xdg-open"]
            [conversations."#lab"]
            notify = "none"
            "##,
        )
        .unwrap();
        let work = &config.servers["work"];
        assert_eq!((work.host.host.as_str(), work.host.port), ("chat.example.org", Some(5000)));
        assert_eq!(config.conversations["#lab"].notify, Attention::None);
        let screen = config.screen;
        assert_eq!(
            (screen.mode, screen.theme, screen.times, screen.conversations, screen.notify),
            (Mode::Plain, Theme::HighContrast, Shown::Always, Shown::Auto, NotifyBy::Osc777)
        );
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line_and_what_was_meant() {
        for (text, line, hint) in [
            ("[screen]\nthem = \"dark\"", "line 2: unknown field `them`", "mean `theme`?"),
            ("[screen]\ntheme = \"drak\"", "line 2: unknown variant `drak`", "mean `dark`?"),
            ("[sceen]", "line 1: unknown field `sceen`", "mean `screen`?"),
            ("[servers.a]\nport = 1", "line 1: missing field `host`", "--print-config"),
            ("[servers.a]\nhost = \"a\"\npasswort = \"x\"", "line 3: unknown field", "hint: "),
            ("[servers.a]\nhost = \"a b\"", "line 2: ", "hint: "),
            ("[servers.a]\nhost = \"a\"\npin = \"5c\"", "line 3: ", "hint: "),
            ("\n[keys]\ngoto = [\"f5\"]", "line 3: there is no action `goto`", "mean `go-to`?"),
            ("[keys]\ngo-to = [\"super-x\"]", "line 2: `super-x` is no key", "ctrl-g"),
            ("[keys]\ngo-to = [\"k\"]", "line 2: `k` types a letter", "ctrl-"),
            ("mouse = ", "client.toml, line 1: ", "hint: "),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(line) && told.contains(hint), "{text}\n{told}");
        }
    }
}
