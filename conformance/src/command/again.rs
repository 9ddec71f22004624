//! The command that repeats a run, as it can be typed where this one was.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// The words of a command line that are put together one by one.
pub(super) struct Again(Vec<String>);

impl Again {
    /// Begins with this program, as it was called.
    pub(super) fn new() -> Self {
        Self(vec![program()])
    }

    /// A word that needs no quotes.
    pub(super) fn word(&mut self, word: &str) {
        self.0.push(word.to_owned());
    }

    /// A flag, when it was given.
    pub(super) fn flag(&mut self, flag: &str, given: bool) {
        if given {
            self.word(flag);
        }
    }

    /// A flag with its value, for every value.
    pub(super) fn values<V: AsRef<str>>(
        &mut self,
        flag: &str,
        values: impl IntoIterator<Item = V>,
    ) {
        for value in values {
            self.0.push(format!("{flag} {}", quoted(value.as_ref())));
        }
    }

    /// A flag with a file.
    pub(super) fn file(&mut self, flag: &str, file: Option<&Path>) {
        self.values(flag, file.map(|file| file.display().to_string()));
    }

    /// A flag with a number, when it is not the default.
    pub(super) fn number<N: Copy + PartialEq + ToString>(
        &mut self,
        flag: &str,
        number: N,
        default: N,
    ) {
        let given = number != default;
        self.values(flag, given.then(|| number.to_string()));
    }

    /// The whole command.
    pub(super) fn finish(self) -> String {
        self.0.join(" ")
    }
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./{}:=,+@%".contains(c);
    // Shells make several words of {a,b} and {1..3}.
    let several = word.contains('{') && (word.contains(',') || word.contains(".."));
    if !word.is_empty() && !several && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// This program, as it can be called where it was called.
pub(super) fn program() -> String {
    Call::of_this_process().again()
}

/// How this program was called.
struct Call {
    /// The first word of the command line.
    name: String,
    /// The file that runs.
    file: PathBuf,
    /// The file that a shell takes for that word, when it has no slash.
    found: Option<PathBuf>,
    /// The folder of the package, when cargo started it.
    package: Option<PathBuf>,
    /// Where it was called.
    folder: PathBuf,
}

impl Call {
    fn of_this_process() -> Self {
        let path = |name: &str| env::var_os(name).map(PathBuf::from);
        let name = env::args_os().next().map(OsString::into_string).and_then(Result::ok);
        let name = name.unwrap_or_default();
        Self {
            file: env::current_exe().unwrap_or_default(),
            found: env::var_os("PATH").and_then(|folders| find(&name, &folders)),
            // Cargo's tests start programs in the same environment, with the name of their own package.
            package: path("CARGO_MANIFEST_DIR").filter(|_| {
                env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == "conformance")
            }),
            folder: env::current_dir().unwrap_or_default(),
            name,
        }
    }

    fn again(&self) -> String {
        // Cargo calls it by a path; an installed one may have inherited what cargo told another program.
        let by_path = self.name.contains('/');
        if let Some(package) = self.package.as_ref().filter(|_| by_path) {
            return self.by_cargo(package);
        }
        if by_path || self.found.as_ref() == Some(&self.file) {
            return quoted(&self.name);
        }
        // A name that means another file, or none: whoever started it knew where it is.
        let file = self.file.display().to_string();
        if file.is_empty() { "conformance".to_owned() } else { quoted(&file) }
    }

    fn by_cargo(&self, package: &Path) -> String {
        // Another profile would be built first.
        let profile = self.file.parent().and_then(Path::file_name).and_then(OsStr::to_str);
        let profile = match profile {
            None | Some("debug") => String::new(),
            Some("release") => " --release".to_owned(),
            Some(other) => format!(" --profile {}", quoted(other)),
        };
        let workspace = package.parent().unwrap_or(package);
        if self.folder.starts_with(workspace) {
            return format!("cargo run{profile} -p conformance --");
        }
        let manifest = workspace.join("Cargo.toml");
        let manifest = manifest.strip_prefix(&self.folder).unwrap_or(&manifest);
        let manifest = quoted(&manifest.display().to_string());
        format!("cargo run{profile} --manifest-path {manifest} -p conformance --")
    }
}

/// The program that a name without a slash stands for in these folders, with its links followed.
fn find(name: &str, folders: &OsStr) -> Option<PathBuf> {
    if name.is_empty() || name.contains('/') {
        return None;
    }
    let files = env::split_paths(folders).map(|folder| folder.join(name));
    let is_program = |file: &PathBuf| {
        file.metadata()
            .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    files.filter(is_program).find_map(|file| file.canonicalize().ok())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "programs on a search path are files")]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    fn by_cargo(file: &str, package: &str, folder: &str) -> String {
        let name = "target/debug/conformance".to_owned();
        let package = Some(package.into());
        Call { name, file: file.into(), found: None, package, folder: folder.into() }.again()
    }

    #[test]
    fn cargo_runs_it_again_from_wherever_it_was_run() {
        let file = "/w/target/debug/conformance";
        for folder in ["/w", "/w/docs"] {
            assert_eq!(by_cargo(file, "/w/conformance", folder), "cargo run -p conformance --");
        }
        assert_eq!(
            by_cargo("/w/s/target/release/conformance", "/w/s/conformance", "/w"),
            "cargo run --release --manifest-path s/Cargo.toml -p conformance --"
        );
        assert_eq!(
            by_cargo(file, "/a b/conformance", "/w"),
            "cargo run --manifest-path '/a b/Cargo.toml' -p conformance --"
        );
        // The profile is the folder of the program, and no other part of its path.
        assert_eq!(
            by_cargo("/release/target/debug/conformance", "/release/conformance", "/release"),
            "cargo run -p conformance --"
        );
        assert_eq!(
            by_cargo("/w/target/dist/conformance", "/w/conformance", "/w"),
            "cargo run --profile dist -p conformance --"
        );
    }

    fn installed(name: &str, file: &str, found: Option<&str>) -> String {
        let (name, found) = (name.to_owned(), found.map(PathBuf::from));
        // Where it runs below a cargo that has started something else of this package.
        let package = (!name.contains('/')).then(|| "/w/conformance".into());
        Call { name, file: file.into(), found, package, folder: "/w".into() }.again()
    }

    #[test]
    fn an_installed_program_is_called_as_it_was() {
        let file = "/usr/bin/conformance";
        assert_eq!(installed("conformance", file, Some(file)), "conformance");
        assert_eq!(installed("bin/conformance", file, None), "bin/conformance");
        assert_eq!(installed("./my tools/c", file, None), "'./my tools/c'");
        // A caller may give it any name, and another file of that name may come first.
        assert_eq!(installed("grader", "/opt/my tools/c", None), "'/opt/my tools/c'");
        assert_eq!(installed("conformance", file, Some("/opt/conformance")), file);
        assert_eq!(installed("", file, None), file);
        assert_eq!(installed("", "", None), "conformance");
    }

    #[test]
    fn a_name_is_looked_for_as_a_shell_does() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["first", "second"] {
            fs::create_dir_all(at(name)).unwrap();
            fs::write(at(name).join("conformance"), "").unwrap();
        }
        let there = at("second/conformance").canonicalize().unwrap();
        fs::set_permissions(&there, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(at("first/conformance"), Permissions::from_mode(0o644)).unwrap();
        let path = env::join_paths([at("nowhere"), at("first"), at("second")]).unwrap();
        assert_eq!(find("conformance", &path), Some(there.clone()));
        std::os::unix::fs::symlink(&there, at("first/grader")).unwrap();
        assert_eq!(find("grader", &path), Some(there));
        for name in ["", "other", "second/conformance"] {
            assert_eq!(find(name, &path), None, "{name:?}");
        }
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a{port}:1"), "a{port}:1");
        assert_eq!(quoted("X=1 ./s 'a'"), "'X=1 ./s '\\''a'\\'''");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("$HOME"), "'$HOME'");
        assert_eq!(quoted("a,b/../c"), "a,b/../c");
        assert_eq!(quoted("{a,b}"), "'{a,b}'");
        assert_eq!(quoted("{1..3}"), "'{1..3}'");
    }
}
