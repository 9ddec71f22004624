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

/// Completes `PROGRAM --completi`, as bash does when somebody presses Tab; $0 is the script, $1 the program, $2 its function.
const COMPLETE: &str = "source \"$0\"; COMP_WORDS=(\"$1\" --completi); COMP_CWORD=1; \"$2\" \"$1\" --completi \"$1\"; \
    test \"${COMPREPLY[*]}\" = --completions || echo \"it completes to: ${COMPREPLY[*]}\"";

/// What the shells of this machine say against the completions of a program, and `mandoc` against its pages, which are
/// written to `folder`. One that is not here is skipped visibly, and is a complaint with `CHATTERBOX_REQUIRE_SERVICES=1`.
///
/// # Errors
/// The program can't be started, or the folder can't be written to.
pub fn complaints(program: &Path, folder: &Path) -> io::Result<Vec<String>> {
    let mut complaints = Vec::new();
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for (shell, arguments) in SHELLS {
        let script = folder.join(shell);
        let printed = Command::new(program).args(["--completions", shell]).output()?;
        std::fs::write(&script, printed.stdout)?;
        if !is_here(shell, &mut complaints) {
            continue;
        }
        complaints.extend(complaint(Command::new(shell).args(arguments).arg(&script))?);
        if shell == "bash" {
            let function = format!("_{}", name.replace('-', "__"));
            let mut pressed = Command::new(shell);
            pressed.args(["--norc", "-c", COMPLETE]).arg(&script).args([&name, &function]);
            complaints.extend(complaint(&mut pressed)?);
        }
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
