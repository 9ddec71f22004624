//! Pipes and files: no prompts, one line each, the chat on standard output and everything else on standard error.
#![allow(clippy::disallowed_methods, reason = "this module reads and writes the standard streams")]

use std::io::{self, BufRead, IsTerminal as _, Read as _, Write as _};

use chatterbox_app::Stream;
use tokio::sync::mpsc;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::console::{Console, Reader, restore_terminal};
use super::render::{Chunk, Renderer};
use crate::session::{PromptKind, Typed};

/// The limit of a line. A longer one fits no frame; it is skipped without being kept in memory.
const LINE: usize = 8 * 1024 * 1024;

/// Takes the standard streams over. The input may still be a terminal.
pub(crate) fn open(json: bool) -> Console {
    let settings = tcgetattr(io::stdin()).ok();
    let renderer = Renderer::for_pipes(json);
    let known = settings.clone();
    Console::start(settings, renderer, move |reader| read(reader, known.as_ref()), write)
}

fn read(mut reader: Reader, settings: Option<&Termios>) {
    let mut input = io::stdin().lock();
    let person = input.is_terminal();
    while let Some(prompt) = reader.prompts.blocking_recv() {
        // Only the output is redirected: a person types, who has to know what is asked.
        let asks = person && !matches!(prompt.kind, PromptKind::Chat(_));
        if asks {
            let _ = write!(io::stderr(), "{}", prompt.kind.text());
        }
        let hidden = settings.filter(|_| person && prompt.kind.is_secret());
        if let Some(settings) = hidden {
            let mut silent = settings.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &silent);
        }
        let line = next_line(&mut input);
        if let Some(settings) = hidden {
            restore_terminal(settings);
            let _ = writeln!(io::stderr());
        }
        let last = matches!(line, Typed::End | Typed::Failed(_));
        if reader.lines.blocking_send(line).is_err() || last {
            return;
        }
    }
}

/// Reads the next line, with at most [`LINE`] bytes of it in memory.
fn next_line(input: &mut impl BufRead) -> Typed {
    let mut line = Vec::new();
    match input.by_ref().take(LINE as u64).read_until(b'\n', &mut line) {
        Ok(0) => return Typed::End,
        Ok(_) => {}
        Err(error) => return Typed::Failed(error),
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if line.len() == LINE {
        return match input.skip_until(b'\n') {
            Ok(_) => Typed::TooLong,
            Err(error) => Typed::Failed(error),
        };
    }
    Typed::Line(String::from_utf8_lossy(&line).into_owned())
}

fn write(mut chunks: mpsc::Receiver<Chunk>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    while let Some(chunk) = chunks.blocking_recv() {
        match chunk.stream {
            Stream::Output => {
                output.write_all(chunk.text.as_bytes())?;
                output.flush()?;
            }
            // The chat goes on without standard error.
            Stream::Error => {
                let _ = io::stderr().write_all(chunk.text.as_bytes());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut input: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match next_line(&mut input) {
                Typed::Line(line) => lines.push(line),
                Typed::TooLong => lines.push("(too long)".to_owned()),
                _ => return lines,
            }
        }
    }

    #[test]
    fn lines_end_in_any_usual_way() {
        assert_eq!(lines(b"a\r\n\nb \n\xff\nc"), ["a", "", "b ", "\u{fffd}", "c"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn an_endless_line_is_passed_over() {
        let mut input = vec![b'x'; LINE + 10];
        input.extend_from_slice(b"\nnext\n");
        assert_eq!(lines(&input), ["(too long)", "next"]);
    }
}
