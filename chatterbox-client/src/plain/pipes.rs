//! Lines through pipes and files: no prompts, one line each, the chat on the output and the rest on the error output.
#![allow(clippy::disallowed_methods, reason = "this module reads and writes the standard streams")]

use std::io::{self, BufRead, IsTerminal as _, Read as _, Write as _};
use std::thread;

use chatterbox_app::Stream;
use tokio::sync::{mpsc, oneshot};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::colour::pipe_colours;
use crate::session::screen::{Ask, CHUNKS, Chunk, Console, Input, Prompt};

/// A longer line is in no protocol's interest; it is skipped, not kept.
const LINE: usize = 8 * 1024 * 1024;

/// Starts the two threads.
pub(crate) fn open(json: bool) -> Console {
    let (prompts, asked) = mpsc::channel(1);
    let (lines, input) = mpsc::channel(1);
    let (output, chunks) = mpsc::channel(CHUNKS);
    let (ended, output_ended) = oneshot::channel();
    // Whoever leaves while a password is typed gets the terminal back as it was.
    let settings = tcgetattr(io::stdin()).ok();
    let restore: Box<dyn FnOnce() + Send> = match settings.clone() {
        Some(settings) => Box::new(move || restore_terminal(&settings)),
        None => Box::new(|| {}),
    };
    thread::spawn(move || read(asked, &lines, settings.as_ref()));
    thread::spawn(move || {
        // Nobody listens when the session has ended by itself.
        let _ = ended.send(write(chunks));
    });
    Console {
        interactive: false,
        json,
        colours: pipe_colours(),
        prompts,
        input,
        output,
        output_ended,
        before_last: Box::new(|_| {}),
        restore,
    }
}

fn read(
    mut asked: mpsc::Receiver<Prompt>,
    lines: &mpsc::Sender<Input>,
    settings: Option<&Termios>,
) {
    let mut input = io::stdin().lock();
    let person = input.is_terminal();
    while let Some(prompt) = asked.blocking_recv() {
        // The output is elsewhere, but somebody sits there.
        let asks = person && !matches!(prompt.ask, Ask::Chat(_));
        if asks {
            let _ = write!(io::stderr(), "{}", prompt.ask.text());
        }
        let hidden = settings.filter(|_| person && prompt.ask.is_secret());
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
        let last = matches!(line, Input::End | Input::Failed(_));
        if lines.blocking_send(line).is_err() || last {
            return;
        }
    }
}

fn restore_terminal(settings: &Termios) {
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, settings);
}

/// The next line, with at most [`LINE`] bytes of it in memory.
fn next_line(input: &mut impl BufRead) -> Input {
    let mut line = Vec::new();
    match input.by_ref().take(LINE as u64).read_until(b'\n', &mut line) {
        Ok(0) => return Input::End,
        Ok(_) => {}
        Err(error) => return Input::Failed(error),
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if line.len() == LINE {
        return match input.skip_until(b'\n') {
            Ok(_) => Input::TooLong,
            Err(error) => Input::Failed(error),
        };
    }
    Input::Line(String::from_utf8_lossy(&line).into_owned())
}

fn write(mut chunks: mpsc::Receiver<Chunk>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    while let Some(chunk) = chunks.blocking_recv() {
        match chunk.stream {
            Stream::Output => {
                output.write_all(chunk.text.as_bytes())?;
                output.flush()?;
            }
            // The chat goes on when nobody wants to hear about the program.
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
                Input::Line(line) => lines.push(line),
                Input::TooLong => lines.push("(too long)".to_owned()),
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
