//! The sandbox of one submission, as far as this machine has the means: each is tried before it is relied on,
//! and what is not in force is said.
#![allow(clippy::disallowed_methods, reason = "the module that prepares a submission's folder")]

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use tempfile::TempDir;

use super::{arguments::Bounds, copy, processes};

/// The variables that every program gets: the rest of an instructor's environment is nobody's business.
const PASSED: [&str; 5] = ["PATH", "LANG", "LC_ALL", "TERM", "TZ"];

/// Ways to give a program a namespace of processes, the one that takes root first.
const NAMESPACES: [&[&str]; 2] = [
    &["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"],
    &[
        "unshare",
        "--user",
        "--map-current-user",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--",
    ],
];

/// What keeps submissions from harming each other, the machine and their instructor.
pub(super) struct Sandbox {
    bounds: Limits,
    user: Option<User>,
    /// The words in front of a command, for each means that works here.
    limits: Option<Vec<String>>,
    namespace: Option<Vec<String>>,
    privileges: Option<Vec<String>>,
    /// Variables that are passed on, as words of `env`.
    variables: Vec<String>,
}

/// The bounds as numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) memory: u64,
    pub(super) processes: usize,
    file_size: u64,
    deadline: Duration,
}

struct User {
    name: String,
    id: u32,
    group: u32,
}

/// The folders of one submission; they are removed with it.
pub(super) struct Place {
    folder: TempDir,
}

impl Sandbox {
    /// Finds out what works here.
    pub(super) fn find(bounds: &Bounds, jobs: u16, kept: &[String]) -> anyhow::Result<Self> {
        let limits = Limits {
            memory: bounds.memory,
            processes: usize::try_from(bounds.processes).unwrap_or(usize::MAX),
            file_size: bounds.file_size,
            deadline: bounds.deadline,
        };
        let user = bounds.user.as_deref().map(User::find).transpose()?;
        let namespace = NAMESPACES.iter().find(|words| works(words)).map(|words| owned(words));
        let mut privileges = owned(&["setpriv", "--no-new-privs"]);
        if let Some(user) = &user {
            privileges.push(format!("--reuid={}", user.id));
            privileges.push(format!("--regid={}", user.group));
            privileges.push("--clear-groups".to_owned());
        }
        privileges.push("--".to_owned());
        let privileges = works(&privileges).then_some(privileges);
        if let (Some(user), None) = (&user, &privileges) {
            anyhow::bail!(
                "can't run a program as {}: that takes setpriv, and the right to change users",
                user.name
            );
        }
        let prlimit = limits.words(user.is_some().then_some(jobs));
        Ok(Self {
            bounds: limits,
            limits: works(&prlimit).then_some(prlimit),
            namespace,
            privileges,
            variables: variables(&bounds.env, kept)?,
            user,
        })
    }

    pub(super) const fn limits(&self) -> Limits {
        self.bounds
    }

    /// What is in force and what is not, a sentence each.
    pub(super) fn describe(&self) -> Vec<String> {
        let Limits { memory, processes, file_size, deadline } = self.bounds;
        let (memory, file_size, seconds) = (size(memory), size(file_size), deadline.as_secs());
        let watched = processes::are_told();
        let mut lines = vec![
            "files: a copy of the submission, removed afterwards; the rest as its user may"
                .to_owned(),
            format!("time: {seconds} s for the run of a submission"),
            "output: read and dropped but for its end".to_owned(),
            "environment: PATH, language and what --env names; HOME is the copy".to_owned(),
            "network: that of this machine".to_owned(),
        ];
        lines.push(match &self.limits {
            Some(_) => format!(
                "each process: {memory} of data, {seconds} s of CPU, {file_size} a file, no core dump (prlimit)"
            ),
            None => format!(
                "each process: {seconds} s of CPU, {file_size} a file (ulimit); no bound on its memory: there is no prlimit here"
            ),
        });
        lines.push(if watched {
            format!("all processes together: {memory} of memory, {processes} processes (looked at four times a second{})", if self.user.is_some() || self.counts_for_itself() { "; processes: prlimit, too" } else { "" })
        } else {
            "all processes together: no bound: this machine has no /proc".to_owned()
        });
        lines.push(match (&self.namespace, watched) {
            (Some(_), _) => "processes: a namespace of their own (unshare), all ended with it".to_owned(),
            (None, true) => "processes: no namespace of their own (unshare does not work here); those that are seen are ended".to_owned(),
            (None, false) => "processes: no namespace of their own; those that leave their group stay".to_owned(),
        });
        lines.push(match (&self.user, &self.privileges) {
            (Some(user), _) => format!("user: {}, without new privileges", user.name),
            (None, Some(_)) => {
                format!("user: {}, without new privileges: it can read and end what you can (--user NAME changes that)", own_name())
            }
            (None, None) => format!("user: {}: it can read and end what you can", own_name()),
        });
        lines
    }

    /// Whether the kernel counts the processes of a submission apart from all others: in a namespace of users,
    /// unless it is root who made it.
    fn counts_for_itself(&self) -> bool {
        let of_users = self.namespace.iter().flatten().any(|word| word == "--user");
        of_users && !rustix::process::getuid().is_root()
    }

    /// Prepares the folders of a submission.
    pub(super) fn place(&self, submission: &Path) -> io::Result<Place> {
        let folder = tempfile::Builder::new().prefix("conformance-").tempdir()?;
        let place = Place { folder };
        let owner = self.user.as_ref().map(|user| (user.id, user.group));
        fs::create_dir(place.roots())?;
        fs::create_dir(place.temporary())?;
        copy::give(&place.temporary(), owner)?;
        copy::copy(submission, &place.copy(), owner)?;
        if owner.is_some() {
            open_folder(place.folder.path())?;
        }
        fs::write(place.script(), self.script(&place))?;
        Ok(place)
    }

    /// Puts a certificate and its key where the submission can read them.
    pub(super) fn certificate(&self, place: &Place, files: [&Path; 2]) -> io::Result<()> {
        let owner = self.user.as_ref().map(|user| (user.id, user.group));
        for (from, to) in files.into_iter().zip(place.certificate()) {
            fs::copy(from, &to)?;
            copy::give(&to, owner)?;
        }
        Ok(())
    }

    /// The script that runs a shell command, its first argument, in the bounds.
    fn script(&self, place: &Place) -> String {
        let copy = quoted(&place.copy().display().to_string());
        let roots = quoted(&place.roots().display().to_string());
        let temporary = quoted(&place.temporary().display().to_string());
        let mut words = vec!["exec".to_owned()];
        words.extend(self.limits.iter().flatten().cloned());
        words.extend(["env".to_owned(), "-i".to_owned()]);
        // By this the suite knows what belongs to which of the servers that it has started.
        words.push("${CONFORMANCE_SPAWNED:+CONFORMANCE_SPAWNED=$CONFORMANCE_SPAWNED}".to_owned());
        words.extend([
            format!("HOME={copy}"),
            format!("PWD={copy}"),
            format!("TMPDIR={temporary}"),
        ]);
        words.push(format!("{}={roots}", processes::MARK));
        words.extend(self.variables.iter().cloned());
        words.extend(self.namespace.iter().flatten().cloned());
        if self.limits.is_some() && self.counts_for_itself() {
            words.push(format!("prlimit --nproc={} --", self.bounds.processes));
        }
        words.extend(self.privileges.iter().flatten().cloned());
        words.push("sh -c \"$1\"".to_owned());
        let mut script = format!("cd {copy} || exit 127\n");
        // The number alone could be that of another process later on.
        script.push_str(&format!("cut -d ' ' -f 22 /proc/$$/stat > {roots}/$$ 2>/dev/null\n"));
        if self.limits.is_none() {
            let blocks = self.bounds.file_size / 512;
            let seconds = self.bounds.deadline.as_secs().max(1);
            script.push_str(&format!("ulimit -c 0; ulimit -t {seconds}; ulimit -f {blocks}\n"));
        }
        script.push_str(&words.join(" "));
        script.push('\n');
        script
    }
}

impl Limits {
    fn words(self, jobs_of_user: Option<u16>) -> Vec<String> {
        let Self { memory, processes, file_size, deadline } = self;
        let mut words = owned(&["prlimit", "--core=0"]);
        words.push(format!("--cpu={}", deadline.as_secs().max(1)));
        words.push(format!("--fsize={file_size}"));
        // Address space would be the wrong measure: runtimes reserve much more of it than they use.
        words.push(format!("--data={memory}"));
        if let Some(jobs) = jobs_of_user {
            // It counts all processes of a user: of one's own, too many are others'.
            words.push(format!("--nproc={}", processes.saturating_mul(usize::from(jobs))));
        }
        words.push("--".to_owned());
        words
    }
}

impl User {
    fn find(name: &str) -> anyhow::Result<Self> {
        let ask = |flag: &str| -> anyhow::Result<u32> {
            let output = Command::new("id").args([flag, "--", name]).output().context("no id")?;
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            text.parse().ok().with_context(|| format!("there is no user {name:?}"))
        };
        Ok(Self { name: name.to_owned(), id: ask("-u")?, group: ask("-g")? })
    }
}

impl Place {
    pub(super) fn copy(&self) -> PathBuf {
        self.folder.path().join("submission")
    }

    /// Where each process that the script becomes writes itself down.
    pub(super) fn roots(&self) -> PathBuf {
        self.folder.path().join("processes")
    }

    /// The certificate and its key.
    pub(super) fn certificate(&self) -> [PathBuf; 2] {
        [self.folder.path().join("server.crt"), self.folder.path().join("server.key")]
    }

    /// The words that run a shell command in the sandbox.
    pub(super) fn command(&self, command: &str) -> [String; 3] {
        let [cert, key] = self.certificate().map(|file| file.display().to_string());
        let command = command.replace("{cert}", &cert).replace("{key}", &key);
        ["sh".to_owned(), self.script().display().to_string(), command]
    }

    fn script(&self) -> PathBuf {
        self.folder.path().join("run.sh")
    }

    fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }
}

/// The variables that are passed on, as words of a shell.
fn variables(asked: &[String], kept: &[String]) -> anyhow::Result<Vec<String>> {
    let names = PASSED.iter().copied().chain(kept.iter().map(String::as_str));
    let passed = |name: &str| format!("${{{name}+\"{name}=${name}\"}}");
    let sound = |name: &str| {
        let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        letters && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    let mut words: Vec<String> = names.filter(|name| sound(name)).map(passed).collect();
    for asked in asked {
        let (name, value) =
            asked.split_once('=').map_or((asked.as_str(), None), |(n, v)| (n, Some(v)));
        anyhow::ensure!(sound(name), "--env {asked:?}: {name:?} is no name of a variable");
        words.push(value.map_or_else(|| passed(name), |value| quoted(&format!("{name}={value}"))));
    }
    Ok(words)
}

/// Whether a program runs behind these words.
fn works(words: &[impl AsRef<str>]) -> bool {
    let mut words = words.iter().map(AsRef::as_ref);
    let Some(program) = words.next() else { return false };
    let mut command = Command::new(program);
    command.args(words).arg("true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{}.{} GiB", bytes >> 30, (bytes >> 20) % 1_024 * 10 / 1_024),
    }
}

fn own_name() -> String {
    let output = Command::new("id").arg("-un").output();
    let name = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    name.ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "yours".to_owned())
}

/// Lets another user pass; the folders within say who may do what.
#[cfg(unix)]
fn open_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711))
}

#[cfg(not(unix))]
fn open_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_variables_are_passed_on_and_none_is_a_command() {
        let words =
            variables(&["CI".into(), "X=a 'b'".into()], &["PYTHON".into()]).unwrap().join(" ");
        assert!(words.contains("${PATH+\"PATH=$PATH\"}") && words.contains("${CI+\"CI=$CI\"}"));
        assert!(words.ends_with("'X=a '\\''b'\\'''"), "{words}");
        for wrong in ["", "=x", "A$(id)", "1A", "A B=c"] {
            assert!(variables(&[wrong.into()], &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_told_as_people_tell_them() {
        assert_eq!(
            [size(64 << 20), size(1 << 30), size(3 << 29)],
            ["64 MiB", "1.0 GiB", "1.5 GiB"]
        );
    }
}
