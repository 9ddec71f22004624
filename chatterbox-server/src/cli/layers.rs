//! Settings from three layers: the command line, then the environment, then a file.
//!
//! A key of the file is the name of a flag. Its value is appended to the command line, unless that or the environment
//! has set the flag, so one parser checks all three layers.

#![allow(clippy::disallowed_methods, reason = "the edge: reads the configuration file")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chatterbox_address::{Contradiction, HostPort};
use chatterbox_manual::ManualArguments;
use chatterbox_server::config::RoomBlock;
use chatterbox_server::ops::folders;
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches as _};

use crate::cli::command_line::{Cli, parser};
use crate::cli::exit::{self, Failure};
use crate::cli::mistaken::problem;
use crate::cli::rooms;
use crate::cli::schema::{self, Setting};
use crate::cli::settings::Serve;
use crate::cli::subcommand::Command;

/// Upper bound on the size of the file; the rest of a longer one is ignored.
const LARGEST: u64 = 1024 * 1024;

/// The reason why no settings could be read.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The command line or the environment is wrong, or asks for help.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The file can't be read.
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The file is not TOML.
    #[error("{path}: {problem}")]
    Syntax { path: PathBuf, problem: String },
    /// A key of the file is no setting.
    #[error("{path}: there is no setting {key:?}{}", .nearest.as_ref().map_or_else(String::new, |name| format!(", did you mean {name:?}?")))]
    UnknownKey { path: PathBuf, key: String, nearest: Option<String> },
    /// A value of the file is of another kind: a list, a table or a date, or text where a flag is.
    #[error("{path}: {key} has to be {wanted}")]
    Value { path: PathBuf, key: String, wanted: &'static str },
    /// A room of the file is not what a room can be.
    #[error("{path}{}: {problem}", .line.map_or_else(String::new, |line| format!(":{line}")))]
    Room { path: PathBuf, line: Option<usize>, problem: String },
    /// The parser of the command line refused a value of the file.
    #[error("{path}: {problem}")]
    Refused { path: PathBuf, problem: String },
    /// Two ports of one layer.
    #[error(transparent)]
    Ports(#[from] Contradiction),
}

impl From<LayerError> for Failure {
    fn from(error: LayerError) -> Self {
        let (hint, code) = match &error {
            LayerError::Ports(_) => ("give the port once", exit::USAGE),
            _ => ("`chatterbox-server config --sample` prints every setting", exit::CONFIGURATION),
        };
        Self { message: error.to_string(), hint: Some(hint.into()), code }
    }
}

/// The layer that a value comes from.
///
/// Their order is that of what they decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Default,
    File,
    Environment,
    CommandLine,
}

impl Origin {
    /// The name that `config` shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CommandLine => "command line",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// A setting with its value in force.
#[derive(Debug, Clone)]
pub struct Effective {
    pub setting: &'static Setting,
    /// `None` where nobody set it and the default depends on the machine.
    pub value: Option<String>,
    pub origin: Origin,
}

/// The result of reading all layers.
#[derive(Debug)]
pub struct Settings {
    pub command: Option<Command>,
    pub serve: Serve,
    pub manual: ManualArguments,
    pub effective: Vec<Effective>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// The rooms of the file, as they stand there.
    pub rooms: Option<toml::Value>,
}

/// What a file says.
#[derive(Debug, Default)]
struct Contents {
    /// Keys and values, as text.
    values: BTreeMap<String, String>,
    rooms: Option<toml::Value>,
    blocks: Vec<RoomBlock>,
}

/// Reads all layers for these arguments.
///
/// # Errors
/// [`LayerError`].
pub fn read(arguments: &[OsString]) -> Result<Settings, LayerError> {
    let first = parser().try_get_matches_from(arguments)?;
    let cli = Cli::from_arg_matches(&first)?;
    let config = match &cli.command {
        None => cli.serve.config.as_ref(),
        Some(command) => command.config(),
    };
    // What is made of the definition of the flags depends on no file.
    let file = if cli.manual.is_asked() { None } else { config.cloned().or_else(default_file) };
    let contents = match &file {
        Some(path) => read_file(path)?,
        None => Contents::default(),
    };
    // A subcommand takes only those values from the file for which it has flags: a backup knows `data`, and no `port`.
    let (active, matches) = innermost(&first);
    let taken: Vec<&Setting> = schema::settings()
        .iter()
        .filter(|setting| active.get_arguments().any(|arg| arg.get_id() == setting.id()))
        .collect();
    let mut extended = arguments.to_vec();
    let (mut from_file, mut behind) = (Vec::new(), Vec::new());
    for (key, value) in &contents.values {
        let setting = taken.iter().find(|setting| setting.key == *key);
        let Some(setting) = setting.filter(|setting| !decided_above(matches, &taken, setting))
        else {
            continue;
        };
        from_file.push(setting.id());
        let place = if setting.has_flag() { &mut extended } else { &mut behind };
        place.extend(setting.argument(value));
    }
    // A flag before it must not take it for its value.
    if !behind.is_empty() && !arguments.iter().any(|argument| argument == "--") {
        extended.push("--".into());
    }
    extended.append(&mut behind);
    let second = parser().try_get_matches_from(&extended).map_err(|error| match &file {
        // The arguments alone were accepted, so the file is to blame.
        Some(path) => LayerError::Refused { path: path.clone(), problem: problem(&error) },
        None => error.into(),
    })?;
    let cli = Cli::from_arg_matches(&second)?;
    let (_, matches) = innermost(&second);
    let mut effective: Vec<_> =
        taken.into_iter().map(|setting| effective(setting, matches, &from_file)).collect();
    let (command, mut serve) = match cli.command {
        Some(Command::Config { sample, serve }) => {
            (Some(Command::Config { sample, serve: serve.clone() }), *serve)
        }
        command => (command, cli.serve),
    };
    split_host(&mut serve, &mut effective)?;
    serve.live.rooms = contents.blocks;
    Ok(Settings { command, serve, manual: cli.manual, effective, file, rooms: contents.rooms })
}

/// Takes the port off a host that has one behind it. `-p` of a higher layer wins; in the same layer both have to agree.
fn split_host(serve: &mut Serve, effective: &mut [Effective]) -> Result<(), Contradiction> {
    // The parser has accepted it.
    let Ok(given) = serve.host.parse::<HostPort>() else { return Ok(()) };
    let port = given.port.unwrap_or(serve.port);
    let origin = |effective: &[Effective], key: &str| {
        let found = effective.iter().find(|effective| effective.setting.key == key);
        found.map_or(Origin::Default, |effective| effective.origin)
    };
    let (mut of_host, of_flag) = (origin(effective, "host"), origin(effective, "port"));
    if given.port.is_none() {
        of_host = Origin::Default;
    } else if of_host == of_flag {
        given.port_with(Some(serve.port))?;
    }
    serve.host = given.host;
    if of_host >= of_flag {
        serve.port = port;
    }
    for one in effective {
        match one.setting.key.as_str() {
            "host" => one.value = Some(serve.host.clone()),
            "port" => {
                one.value = Some(serve.port.to_string());
                one.origin = of_host.max(of_flag);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The subcommand that was given, however deep, with what it matched; without one, the program itself.
fn innermost(matches: &ArgMatches) -> (clap::Command, &ArgMatches) {
    let (mut active, mut matches) = (parser(), matches);
    while let Some((name, sub)) = matches.subcommand() {
        if let Some(command) = active.find_subcommand(name) {
            active = command.clone();
        }
        matches = sub;
    }
    (active, matches)
}

fn default_file() -> Option<PathBuf> {
    folders::configuration().filter(|path| path.is_file())
}

/// Whether the command line or the environment has set this, or an alternative to it.
fn decided_above(matches: &ArgMatches, taken: &[&Setting], setting: &Setting) -> bool {
    taken.iter().filter(|other| setting.is_silenced_by(other)).any(|other| {
        matches!(
            matches.value_source(other.id()),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
    })
}

fn effective(setting: &'static Setting, matches: &ArgMatches, from_file: &[&str]) -> Effective {
    let id = setting.id();
    let value = if setting.is_flag() {
        Some(matches.get_flag(id).to_string())
    } else {
        // One that was given several times is one value, as it stands in a file.
        matches
            .get_raw(id)
            .map(|values| values.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(","))
    };
    let origin = match matches.value_source(id) {
        _ if from_file.contains(&id) => Origin::File,
        Some(ValueSource::CommandLine) => Origin::CommandLine,
        Some(ValueSource::EnvVariable) => Origin::Environment,
        _ => Origin::Default,
    };
    Effective { setting, value, origin }
}

fn read_file(path: &Path) -> Result<Contents, LayerError> {
    use std::io::Read as _;
    let read = |source| LayerError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(read)?;
    file.take(LARGEST).read_to_string(&mut text).map_err(read)?;
    let mut table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| LayerError::Syntax {
            path: path.to_owned(),
            problem: error.to_string().trim_end().to_owned(),
        })?;
    let rooms = table.remove(rooms::KEY);
    let folder = path.parent().unwrap_or(Path::new(""));
    let blocks = rooms.as_ref().map_or(Ok(Vec::new()), |rooms| rooms::read(rooms, folder));
    let blocks = blocks.map_err(|mistake| LayerError::Room {
        path: path.to_owned(),
        line: mistake.line(&text),
        problem: mistake.problem,
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let Some(setting) = schema::find(&key) else {
            let nearest = nearest(&key);
            return Err(LayerError::UnknownKey { path: path.to_owned(), key, nearest });
        };
        let wrong = |wanted| LayerError::Value { path: path.to_owned(), key: key.clone(), wanted };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Array(_) => return Err(wrong("one text: several in it, with commas")),
            _ => return Err(wrong("text, a number, true or false")),
        };
        if setting.is_flag() && !["true", "false"].contains(&text.as_str()) {
            return Err(wrong("true or false"));
        }
        values.insert(key, text);
    }
    Ok(Contents { values, rooms, blocks })
}

/// The setting whose key is most like this one, for `did you mean`.
fn nearest(key: &str) -> Option<String> {
    let key = key.replace('_', "-").to_lowercase();
    schema::settings()
        .iter()
        .map(|setting| (strsim::jaro_winkler(&key, &setting.key), &setting.key))
        // In a short key, a letter in another place makes a likeness of little.
        .filter(|(likeness, name)| *likeness > 0.8 || strsim::damerau_levenshtein(&key, name) == 1)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.clone())
}

#[cfg(test)]
pub mod tests {
    use chatterbox_hub::{Level, RoomKeep, RoomSetting};
    use chatterbox_proto::Username;

    use super::*;

    pub fn with_file(text: &str, arguments: &[&str]) -> Result<Settings, LayerError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.toml");
        std::fs::write(&file, text).unwrap();
        let mut line = vec![OsString::from("chatterbox-server")];
        let (before, after) = match arguments.split_first() {
            Some((&"config", rest)) => (Some("config"), rest),
            _ => (None, arguments),
        };
        line.extend(before.map(OsString::from));
        line.extend(["--config".into(), file.into_os_string()]);
        line.extend(after.iter().map(OsString::from));
        read(&line)
    }

    fn origin(settings: &Settings, key: &str) -> (Option<String>, Origin) {
        let found =
            settings.effective.iter().find(|effective| effective.setting.key == key).unwrap();
        (found.value.clone(), found.origin)
    }

    #[test]
    fn the_page_may_be_set_in_each_layer() {
        let web = |text: &str, arguments: &[&str]| {
            with_file(text, arguments).unwrap().serve.web.map(|address| address.to_string())
        };
        assert_eq!(web("", &[]), None);
        for text in ["web = true\n", "web = 8080\n", "web = \"localhost\"\n", "web = \"true\"\n"] {
            assert_eq!(web(text, &[]).as_deref(), Some("localhost:8080"), "{text}");
        }
        assert_eq!(web("web = false\n", &[]), None);
        assert_eq!(web("web = \"0.0.0.0:443\"\n", &[]).as_deref(), Some("0.0.0.0:443"));
        assert_eq!(web("web = \"0.0.0.0:443\"\n", &["--web"]).as_deref(), Some("localhost:8080"));
        assert_eq!(web("", &["--web", "8000", "localhost"]).as_deref(), Some("localhost:8000"));
        let settings = with_file("host = \"127.0.0.1\"\n", &["--web"]).unwrap().serve;
        assert_eq!(settings.host, "127.0.0.1", "it is no value of the flag before it");
        assert_eq!(settings.web.unwrap().host, "localhost");
        assert_eq!(
            web("web = true\nhost = \"127.0.0.1\"\n", &[]).as_deref(),
            Some("localhost:8080")
        );
        let refused = with_file("web = \"http://localhost\"\n", &[]).unwrap_err();
        assert!(refused.to_string().contains("no URL is needed"), "{refused}");
    }

    #[test]
    fn the_file_speaks_where_the_command_line_is_silent() {
        let text =
            "host = \"0.0.0.0\"\nport = 5001\nmax-name = 20\nplaintext = true\ngrace = 1.5\n";
        let settings = with_file(text, &["-p", "5002"]).unwrap();
        assert_eq!(settings.serve.host, "0.0.0.0");
        assert_eq!(settings.serve.port, 5002);
        assert!(settings.serve.plaintext);
        assert_eq!(settings.serve.live.grace, std::time::Duration::from_millis(1500));
        assert_eq!(origin(&settings, "port"), (Some("5002".into()), Origin::CommandLine));
        assert_eq!(origin(&settings, "max-name"), (Some("20".into()), Origin::File));
        assert_eq!(origin(&settings, "max-frame").1, Origin::Default);
        assert_eq!(origin(&settings, "certs"), (None, Origin::Default));
    }

    #[test]
    fn what_stands_for_the_same_thing_is_decided_by_one_layer() {
        let settings =
            with_file("cert = \"c\"\nkey = \"k\"\ndata = \"d\"\n", &["--plaintext", "--memory"])
                .unwrap();
        assert!(settings.serve.plaintext && settings.serve.memory);
        assert_eq!((settings.serve.cert, settings.serve.data), (None, None));
        let settings = with_file("plaintext = true\n", &["--certs", "x"]).unwrap();
        assert!(!settings.serve.plaintext);
    }

    #[test]
    fn a_port_behind_the_host_counts_as_one_of_its_layer() {
        let place = |text: &str, arguments: &[&str]| {
            let settings = with_file(text, arguments).unwrap();
            let shown =
                (origin(&settings, "host").0.unwrap(), origin(&settings, "port").0.unwrap());
            assert_eq!(shown, (settings.serve.host.clone(), settings.serve.port.to_string()));
            (settings.serve.host, settings.serve.port)
        };
        let at = |host: &str, port| (host.to_owned(), port);
        assert_eq!(place("", &["localhost:5000"]), at("localhost", 5000));
        assert_eq!(place("", &["[::1]:5000", "-p", "5000"]), at("::1", 5000));
        assert_eq!(place("", &["[::]"]), at("::", 9000));
        assert_eq!(place("port = 6000", &["a:5000"]), at("a", 5000));
        assert_eq!(place("host = \"a:6000\"", &["-p", "5000"]), at("a", 5000));
        assert_eq!(place("host = \"a:6000\"", &[]), at("a", 6000));
        for (text, arguments) in [("", &["a:1", "-p", "2"][..]), ("host = \"a:1\"\nport = 2", &[])]
        {
            let error = with_file(text, arguments).unwrap_err();
            assert_eq!(error.to_string(), "the host says port 1, and -p says 2");
            assert_eq!(Failure::from(error).code, exit::USAGE);
        }
    }

    #[test]
    fn other_commands_take_from_the_file_what_they_know() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("server.toml");
        std::fs::write(&file, "port = 5002\ndata = \"from-file\"\n").unwrap();
        let file = file.display().to_string();
        let data = |arguments: &[&str]| {
            let line = [&["s", "export", "--config", &file][..], arguments].concat();
            match read(&line.iter().map(OsString::from).collect::<Vec<_>>()).unwrap().command {
                Some(Command::Export { messages }) => messages.folder(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(data(&[]), Path::new("from-file"));
        assert_eq!(data(&["--data", "given"]), Path::new("given"));
        assert_eq!(data(&["--state", "given"]), Path::new("given/data"));
    }

    #[test]
    fn rooms_of_the_file_are_read_with_what_it_says_of_them() {
        let text = "port = 7\n[rooms.\"#lab\"]\ndescription = \"d\"\nkeep = \"off\"\nhidden = true\ntalk = 3\n\
            [rooms.\"#Staff\"]\npassword-file = \"staff.txt\"\nowner = \"prof\"\nauto = true\nkeep = 50\n";
        let settings = with_file(text, &[]).unwrap();
        let [staff, lab] = &settings.serve.config().rooms[..] else { panic!("{settings:?}") };
        assert_eq!((lab.name.as_str(), &lab.owner, lab.auto), ("#lab", &None, false));
        let expected = [
            RoomSetting::Description("d".into()),
            RoomSetting::Hidden(true),
            RoomSetting::Keep(RoomKeep::Off),
            RoomSetting::Talk(Level::MODERATOR),
        ];
        assert_eq!(lab.settings, expected);
        assert_eq!((staff.name.as_str(), staff.auto), ("#Staff", true));
        assert_eq!(staff.owner.as_ref().map(Username::as_str), Some("prof"));
        assert_eq!(staff.settings, [RoomSetting::Keep(RoomKeep::Newest(50))]);
        let file = settings.file.unwrap();
        let beside = file.parent().unwrap().join("staff.txt");
        assert_eq!(staff.password_file.as_ref(), Some(&beside), "beside the file");
    }

    #[test]
    fn mistakes_in_the_file_are_said() {
        for (text, expected) in [
            ("max_frame = 70000", "did you mean \"max-frame\"?"),
            ("prot = 1", "did you mean \"port\"?"),
            ("wbe = 7111", "did you mean \"web\"?"),
            ("zzz = 1", "there is no setting \"zzz\""),
            ("config = \"x\"", "there is no setting \"config\""),
            ("port = {}", "port has to be text, a number, true or false"),
            ("name = [\"a\", \"b\"]", "name has to be one text: several in it, with commas"),
            ("guests = \"maybe\"", "[possible values: "),
            ("port = 70000", "70000"),
            ("plaintext = \"perhaps\"", "plaintext has to be true or false"),
            ("cert = \"c\"\nplaintext = true", "cannot be used with"),
            ("port = ", "server.toml"),
            (
                "\n[rooms.\"#lab\"]\nlimit = 1\ndescripton = \"x\"",
                "server.toml:4: [rooms.\"#lab\"]: descripton",
            ),
            ("[rooms.\"#lab\"]\ndescripton = \"x\"", "did you mean \"description\"?"),
            ("[rooms.\"#lab\"]\npassword = \"x\"", "password-file"),
            ("[rooms.\"#lab\"]\nlength = 0", "length: it has to be 1 to 4000 characters"),
            ("[rooms.\"#lab\"]\nauto = \"yes\"", "auto: it has to be true or false"),
            ("[rooms.\"#lab\"]\nowner = \"a b\"", "owner: A name has no white space in it."),
            ("[rooms.\"#lab\"]\ntopic = [1]", "topic: it has to be text"),
            ("[rooms.lab]\nslow = 1", "server.toml:1: [rooms.\"lab\"]: The name of a room begins"),
            ("[rooms.\"#lab\"]\n[rooms.\"#LAB\"]", "the room is there twice"),
            ("rooms = 5", "rooms are tables"),
            ("[rooms]\n\"#lab\" = 5", "server.toml:2: [rooms.\"#lab\"]: it has to be a table"),
        ] {
            let error = with_file(text, &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(error.contains("server.toml"), "{text}: {error}");
        }
        let missing = read(&["s", "--config", "/no/such/file"].map(OsString::from));
        assert!(matches!(missing, Err(LayerError::Read { .. })));
    }
}
