//! `chatterbox-server user ...` and `admin-password`: edits accounts in the database, which a running server shares.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write};

use chatterbox_hub::{AccountKey, Level};
use chatterbox_proto::{SERVER, Username};
use chatterbox_server::accounts::{
    ACCOUNTS, Account, AccountWish, Added, Cost, Directory as _, DirectoryError, HashError,
    PasswordHash, Secret, WishDone,
};
use chatterbox_server::control::Followed;
use chatterbox_server::moderation::{About, Act, AuditEntry, ModerationStore as _};
use chatterbox_server::ops::clock::unix_now;
use chatterbox_server::store::sqlite;
use chatterbox_server::store::{SqliteDirectory, SqliteModeration};
use time::OffsetDateTime;

use crate::cli::banner::made_database;
use crate::cli::control::{account_changed, change_accounts, describe};
use crate::cli::data_folder;
use crate::cli::exit::{self, Failure};
use crate::cli::messages::Messages;
use crate::cli::subcommand::{AdminPassword, Ask, UserCommand};

/// Runs a `user` subcommand. The inner result is that of writing to `out`, where a closed pipe is no failure.
///
/// # Errors
/// Accounts that can't be read or changed, and names or passwords that can't be used.
pub fn user(command: &UserCommand, out: &mut impl Write) -> Result<io::Result<()>, Failure> {
    match command {
        UserCommand::Add { name, level, ask, messages } => {
            add(&parse(name)?, *level, ask, messages)?;
        }
        UserCommand::Passwd { name, ask, messages } => {
            let name = parse(name)?;
            let mut directory = open_existing(messages)?;
            existing(directory.account(&name)?.is_some(), &name)?;
            let hash = new_password(&format!("New password for {name}: "), ask)?;
            if is_of_cluster(messages)? {
                let (name_text, password) = (name.to_string(), (&hash).into());
                let wish = AccountWish::SetPassword { name: name_text, password };
                let end = describe(&wished(messages, wish, &name)?);
                say(&format!("{name} has another password, and is logged out everywhere: {end}"));
                return Ok(Ok(()));
            }
            write_down(messages, Act::SetPassword, Some(&name), "")?;
            existing(directory.change_password(&name, &hash)?, &name)?;
            let end = account_changed(&messages.folder(), &name)
                .map_or_else(String::new, |followed| format!(": {}", describe(&followed)));
            say(&format!("{name} has another password, and is logged out everywhere{end}"));
        }
        UserCommand::Level { name, level, messages } => {
            let name = parse(name)?;
            existing(open_existing(messages)?.account(&name)?.is_some(), &name)?;
            if is_of_cluster(messages)? {
                let wish =
                    AccountWish::SetLevel { name: name.to_string(), level: level.number().into() };
                let end = describe(&wished(messages, wish, &name)?);
                say(&format!("{name} has level {level} now: {end}"));
                return Ok(Ok(()));
            }
            write_down(messages, Act::SetLevel, Some(&name), &level.to_string())?;
            existing(open_existing(messages)?.set_level(&name, *level)?, &name)?;
            let end = account_changed(&messages.folder(), &name).map_or_else(
                || "a server that runs notices within seconds".to_owned(),
                |followed| describe(&followed),
            );
            say(&format!("{name} has level {level} now: {end}"));
        }
        UserCommand::Del { name, messages } => {
            let name = parse(name)?;
            existing(open_existing(messages)?.account(&name)?.is_some(), &name)?;
            if is_of_cluster(messages)? {
                let end = describe(&wished(
                    messages,
                    AccountWish::Remove { name: name.to_string() },
                    &name,
                )?);
                say(&format!(
                    "the account {name} is removed, with the private messages to it; {end}"
                ));
                return Ok(Ok(()));
            }
            write_down(messages, Act::RemoveAccount, Some(&name), "")?;
            existing(open_existing(messages)?.remove(&name)?.is_some(), &name)?;
            let end = account_changed(&messages.folder(), &name).map_or_else(
                || "who is logged in with it has to go".to_owned(),
                |followed| describe(&followed),
            );
            say(&format!("the account {name} is removed, with the private messages to it; {end}"));
        }
        UserCommand::List { messages } => {
            let accounts = open_existing(messages)?.list(ACCOUNTS)?;
            return Ok(list(&accounts, out));
        }
    }
    Ok(Ok(()))
}

/// Sets or removes the admin password.
///
/// # Errors
/// Accounts that can't be changed, and a password that can't be used.
pub fn admin_password(command: &AdminPassword) -> Result<(), Failure> {
    let open = if command.remove { open_existing } else { open };
    let mut directory = open(&command.messages)?;
    if is_of_cluster(&command.messages)? {
        drop(directory);
        let password = match command.remove {
            true => None,
            false => Some((&new_password("New admin password: ", &command.ask)?).into()),
        };
        let is_set = password.is_some();
        let wish = AccountWish::SetAdminPassword { password };
        change_accounts(&command.messages.folder(), wish).map_err(of_cluster)?;
        say(if is_set {
            "the admin password is set; `elevate` asks for it"
        } else {
            "there is no admin password any more"
        });
        return Ok(());
    }
    if command.remove {
        write_down(&command.messages, Act::SetAdminPassword, None, "removed")?;
        directory.set_admin_password(None)?;
        say("there is no admin password any more");
    } else {
        let hash = new_password("New admin password: ", &command.ask)?;
        write_down(&command.messages, Act::SetAdminPassword, None, "set")?;
        directory.set_admin_password(Some(&hash))?;
        say("the admin password is set; `elevate` asks for it");
    }
    Ok(())
}

/// Writes to the audit log what is about to be done (MO-10).
fn write_down(
    messages: &Messages,
    act: Act,
    whom: Option<&Username>,
    detail: &str,
) -> Result<(), Failure> {
    let entry = AuditEntry {
        about: whom.map(About::user),
        detail: detail.into(),
        ..AuditEntry::new(unix_now(), SERVER, act)
    };
    Ok(SqliteModeration::open(&messages.folder())?.note(&entry)?)
}

fn add(name: &Username, level: Level, ask: &Ask, messages: &Messages) -> Result<(), Failure> {
    let mut directory = open(messages)?;
    let exists = || Failure {
        message: format!("there is an account {name} already"),
        hint: Some("`chatterbox-server user passwd` and `user level` change it".into()),
        code: exit::DATA,
    };
    if directory.account(name)?.is_some() {
        return Err(exists());
    }
    let alike = directory.look_alike(name)?;
    let password = new_password(&format!("Password for {name}: "), ask)?;
    if is_of_cluster(messages)? {
        let (name_text, password) = (name.to_string(), (&password).into());
        let wish = AccountWish::Add { name: name_text, password, level: level.number().into() };
        match change_accounts(&messages.folder(), wish).map_err(of_cluster)? {
            (WishDone::Exists, _) => return Err(exists()),
            (done, _) => granted(done, name)?,
        }
        say(&format!("{name} has an account of level {level}"));
        alike_noted(alike.as_ref());
        return Ok(());
    }
    let account_key = AccountKey::default();
    let account = Account { account_key, name: name.clone(), password, level, created: unix_now() };
    write_down(messages, Act::AddAccount, Some(name), &level.to_string())?;
    match directory.add(&account)? {
        Added::Yes => {
            // Nobody is logged in with it, so a server that can't be told misses nothing.
            let _ = account_changed(&messages.folder(), name);
            say(&format!("{name} has an account of level {level}"));
        }
        Added::Already => return Err(exists()),
        Added::Full => granted(WishDone::Full, name)?,
    }
    alike_noted(alike.as_ref());
    Ok(())
}

fn alike_noted(alike: Option<&Username>) {
    if let Some(other) = alike {
        say(&format!("note: this name looks like that of the account {other}"));
    }
}

/// Whether the database is that of a node of a cluster. All nodes have to change accounts alike, so only the server does.
fn is_of_cluster(messages: &Messages) -> Result<bool, Failure> {
    Ok(sqlite::cluster_of(&messages.folder())?.is_some())
}

/// Says why the server has to be there.
fn of_cluster(failure: Failure) -> Failure {
    if failure.code != exit::NO_SERVER {
        return failure;
    }
    Failure {
        message: format!("{}; the accounts here are those of a cluster", failure.message),
        hint: Some(
            "run this where a node of the cluster runs: it changes them on all nodes".into(),
        ),
        ..failure
    }
}

/// Has the server change an account.
fn wished(messages: &Messages, wish: AccountWish, name: &Username) -> Result<Followed, Failure> {
    let (done, followed) = change_accounts(&messages.folder(), wish).map_err(of_cluster)?;
    granted(done, name)?;
    Ok(followed)
}

fn granted(done: WishDone, name: &Username) -> Result<(), Failure> {
    let message = match done {
        WishDone::Yes => return Ok(()),
        WishDone::NoAccount => return existing(false, name),
        WishDone::Exists => format!("there is an account {name} already"),
        WishDone::Full => format!("there are {ACCOUNTS} accounts, which is the most there can be"),
        WishDone::Senseless => format!("the server does not take {name}"),
    };
    Err(Failure { message, hint: None, code: exit::DATA })
}

fn list(accounts: &[Account], out: &mut impl Write) -> io::Result<()> {
    let width = accounts.iter().map(|account| account.name.as_str().chars().count()).max();
    let width = width.unwrap_or_default().max(4);
    writeln!(out, "{:width$}  {:13}  CREATED", "NAME", "LEVEL")?;
    for account in accounts {
        let created = OffsetDateTime::from_unix_timestamp(account.created)
            .map_or_else(|_| "?".to_owned(), |at| at.date().to_string());
        let (name, level) = (&account.name, account.level.to_string());
        writeln!(out, "{name:width$}  {level:13}  {created}")?;
    }
    Ok(())
}

/// Opens the accounts of a folder, which is made if it is not there.
fn open(messages: &Messages) -> Result<SqliteDirectory, Failure> {
    let folder = messages.folder();
    let new = !sqlite::exists(&folder);
    let directory = SqliteDirectory::open(&folder)?;
    if new {
        say(&made_database(&folder));
    }
    Ok(directory)
}

/// Opens the accounts of a folder that has some: a folder that was mistyped is not made.
fn open_existing(messages: &Messages) -> Result<SqliteDirectory, Failure> {
    data_folder::existing(messages)?;
    open(messages)
}

fn parse(name: &str) -> Result<Username, Failure> {
    Username::parse(name).map_err(|error| Failure {
        message: format!("{}: {error}", chatterbox_proto::ScreenText::shortened(name, 40)),
        hint: None,
        code: exit::DATA,
    })
}

fn existing(found: bool, name: &Username) -> Result<(), Failure> {
    if found {
        return Ok(());
    }
    Err(Failure {
        message: format!("there is no account {name}"),
        hint: Some("`chatterbox-server user list` shows all of them".into()),
        code: exit::NO_USER,
    })
}

/// Prompts twice on a terminal, without echo, or reads one line from a pipe. A password is never an argument, because
/// `ps` shows those to every user of the machine.
fn new_password(question: &str, ask: &Ask) -> Result<PasswordHash, Failure> {
    let unusable = |message: String| Failure { message, hint: None, code: exit::DATA };
    let unreadable = |error: io::Error| Failure {
        message: format!("can't read a password: {error}"),
        hint: Some(
            "run it on a terminal, or give the password as one line with --password-stdin".into(),
        ),
        code: exit::DATA,
    };
    let text = if ask.password_stdin || !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().take(LONGEST_LINE).read_line(&mut line).map_err(unreadable)?;
        if line.is_empty() {
            return Err(unreadable(io::ErrorKind::UnexpectedEof.into()));
        }
        // Some editors begin a file of UTF-8 with a byte order mark, which nobody has typed.
        let text = line.strip_prefix('\u{feff}').unwrap_or(&line);
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        let first = rpassword::prompt_password(question).map_err(unreadable)?;
        let again = rpassword::prompt_password("Once more: ").map_err(unreadable)?;
        if first != again {
            return Err(unusable("these were two different passwords; nothing was changed".into()));
        }
        first
    };
    let secret = Secret::chosen(&text).map_err(|error| unusable(error.to_string()))?;
    Ok(PasswordHash::make(&secret, Cost::default())?)
}

/// Upper bound on the line that is read from a pipe; every allowed password is shorter.
const LONGEST_LINE: u64 = 4096;

fn say(text: &str) {
    eprintln!("chatterbox-server: {text}");
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        let hint = match &error {
            DirectoryError::Full => Some("make room; nothing was changed"),
            DirectoryError::Disk => {
                Some("look at `ulimit -f` and at the disk; nothing was changed")
            }
            _ => None,
        };
        Self { message: error.to_string(), hint: hint.map(Into::into), code: exit::MESSAGES }
    }
}

impl From<HashError> for Failure {
    fn from(error: HashError) -> Self {
        Self::system("can't hash a password", &error)
    }
}
