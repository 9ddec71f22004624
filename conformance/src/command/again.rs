//! The command that repeats a run, as it can be typed where this one was.

use std::{
    env,
    ffi::OsString,
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
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// How this program was called.
struct Call {
    /// The first word of the command line.
    name: String,
    /// The file that runs.
    file: PathBuf,
    /// The folder of the package, when cargo started it.
    package: Option<PathBuf>,
    /// Where it was called.
    folder: PathBuf,
}

fn program() -> String {
    let path = |name: &str| env::var_os(name).map(PathBuf::from);
    let call = Call {
        name: env::args_os()
            .next()
            .map(OsString::into_string)
            .and_then(Result::ok)
            .unwrap_or_default(),
        file: env::current_exe().unwrap_or_default(),
        // Cargo's tests start programs in the same environment, with the name of their own package.
        package: path("CARGO_MANIFEST_DIR")
            .filter(|_| env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == "conformance")),
        folder: env::current_dir().unwrap_or_default(),
    };
    call.again()
}

impl Call {
    fn again(&self) -> String {
        if let Some(package) = &self.package {
            // Another profile would be built first.
            let release = self.file.iter().any(|part| part == "release");
            let release = if release { " --release" } else { "" };
            let workspace = package.parent().unwrap_or(package);
            if self.folder.starts_with(workspace) {
                return format!("cargo run{release} -p conformance --");
            }
            let manifest = workspace.join("Cargo.toml");
            let manifest = manifest.strip_prefix(&self.folder).unwrap_or(&manifest);
            let manifest = quoted(&manifest.display().to_string());
            return format!("cargo run{release} --manifest-path {manifest} -p conformance --");
        }
        if self.name.is_empty() { "conformance".to_owned() } else { quoted(&self.name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, file: &str, package: Option<&str>, folder: &str) -> String {
        let package = package.map(PathBuf::from);
        Call { name: name.to_owned(), file: file.into(), package, folder: folder.into() }.again()
    }

    #[test]
    fn the_program_is_called_as_it_was() {
        let (name, file) = ("target/debug/conformance", "/w/target/debug/conformance");
        assert_eq!(call(name, file, Some("/w/conformance"), "/w"), "cargo run -p conformance --");
        assert_eq!(
            call(name, file, Some("/w/conformance"), "/w/docs"),
            "cargo run -p conformance --"
        );
        assert_eq!(
            call(name, "/w/s/target/release/conformance", Some("/w/s/conformance"), "/w"),
            "cargo run --release --manifest-path s/Cargo.toml -p conformance --"
        );
        assert_eq!(
            call(name, file, Some("/a b/conformance"), "/w"),
            "cargo run --manifest-path '/a b/Cargo.toml' -p conformance --"
        );
        assert_eq!(call(name, file, None, "/w"), name);
        assert_eq!(call("conformance", "/usr/bin/conformance", None, "/"), "conformance");
        assert_eq!(call("./my tools/c", file, None, "/w"), "'./my tools/c'");
        assert_eq!(call("", file, None, "/w"), "conformance");
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a{port}:1"), "a{port}:1");
        assert_eq!(quoted("X=1 ./s 'a'"), "'X=1 ./s '\\''a'\\'''");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("$HOME"), "'$HOME'");
    }
}
