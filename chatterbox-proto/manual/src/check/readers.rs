//! Whether shells and `mandoc` take what a program writes about itself.
#![allow(clippy::disallowed_methods, reason = "scripts are files")]

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Each shell with the arguments after which it reads a script and runs nothing.
const SHELLS: [(&str, &[&str]); 3] = [
    ("bash", &["--norc", "-n"]),
    ("zsh", &["-f", "-n"]),
    ("fish", &["--no-config", "--no-execute"]),
];

/// Completes the last word of a command line as bash does when somebody presses Tab, and prints what it offers; $0 is
/// the script, $1 its function, and behind it stand the words, the program first.
const COMPLETE: &str = "source \"$0\"; function=$1; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
    \"$function\" \"$1\" \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; echo \"${COMPREPLY[*]}\"";

/// What the shells of this machine say against the completions of a program, and `mandoc` against its pages, which are
/// written to `folder`. One that is not here is skipped visibly, and is a complaint with `CHATTERBOX_REQUIRE_SERVICES=1`.
///
/// # Errors
/// The program can't be started, or the folder can't be written to.
pub fn complaints(program: &Path, folder: &Path) -> io::Result<Vec<String>> {
    let mut complaints = Vec::new();
    for (shell, arguments) in SHELLS {
        let script = folder.join(shell);
        let printed = Command::new(program).args(["--completions", shell]).output()?;
        std::fs::write(&script, printed.stdout)?;
        if !is_here(shell, &mut complaints) {
            continue;
        }
        complaints.extend(complaint(Command::new(shell).args(arguments).arg(&script))?);
    }
    if let Some(offered) = offered(program, folder, &["--completi"])?
        && offered != ["--completions"]
    {
        complaints.push(format!("bash completes --completi to: {}", offered.join(" ")));
    }
    let pages = folder.join("man");
    complaints.extend(complaint(Command::new(program).arg("--man").arg(&pages))?);
    if is_here("mandoc", &mut complaints) {
        let mut lint = Command::new("mandoc");
        lint.args(["-T", "lint", "-W", "error"]);
        for page in std::fs::read_dir(&pages)? {
            lint.arg(page?.path());
        }
        complaints.extend(complaint(&mut lint)?);
    }
    Ok(complaints)
}

/// What bash offers for the last of these words behind a program; the script is written to `folder`. None is that there
/// is no bash here; [`complaints`] tells that.
///
/// # Errors
/// The program or bash can't be started or ends with an error, or the folder can't be written to.
pub fn offered(program: &Path, folder: &Path, words: &[&str]) -> io::Result<Option<Vec<String>>> {
    if !is_here("bash", &mut Vec::new()) {
        return Ok(None);
    }
    let script = folder.join("bash");
    let printed = Command::new(program).args(["--completions", "bash"]).output()?;
    std::fs::write(&script, printed.stdout)?;
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let function = format!("_{}", name.replace('-', "__"));
    let mut pressed = Command::new("bash");
    pressed.args(["--norc", "-c", COMPLETE]).arg(&script).args([&function, &name]).args(words);
    let output = pressed.stdin(Stdio::null()).output()?;
    if !output.status.success() || !output.stderr.is_empty() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(Some(said.split_whitespace().map(str::to_owned).collect()))
}

/// Whether a program is on this machine.
fn is_here(program: &str, complaints: &mut Vec<String>) -> bool {
    if Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok() {
        return true;
    }
    if std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|value| value == "1") {
        complaints.push(format!("{program} is required and not here"));
    } else {
        eprintln!("SKIPPED: {program} is not here, so nobody has looked at what it would read");
    }
    false
}

/// Runs a command that says nothing when all is well.
fn complaint(command: &mut Command) -> io::Result<Option<String>> {
    let output = command.stdin(Stdio::null()).output()?;
    let said = [output.stdout, output.stderr].concat();
    let is_well = output.status.success() && said.is_empty();
    let said = String::from_utf8_lossy(&said);
    Ok((!is_well).then(|| format!("{command:?}: {}\n{said}", output.status)))
}
