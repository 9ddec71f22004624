//! Finds the secret in a line while it is typed.

/// The place from which a line is a secret, if it is a command that has one: `arguments` are the first words of such lines, each
/// with the place of its first secret word.
pub(super) fn secret_from(line: &str, arguments: &[(String, usize)]) -> Option<usize> {
    let first = line.split_whitespace().next()?.to_lowercase();
    let (_, place) = arguments.iter().find(|(word, _)| *word == first)?;
    let mut words = 0;
    let mut inside = false;
    for (at, character) in line.char_indices() {
        let blank = character.is_whitespace();
        if !blank && !inside {
            if words == *place {
                return Some(at);
            }
            words += 1;
        }
        inside = !blank;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_commands_are_found_while_they_are_typed() {
        let arguments = vec![("/register".to_owned(), 1), ("/set-password".to_owned(), 2)];
        for (line, secret) in [
            ("/register", None),
            ("/register ", None),
            ("/register h\u{e9}世x y", Some("h\u{e9}世x y")),
            ("/REGISTER  hush", Some("hush")),
            ("/registers hush", None),
            ("/set-password bob", None),
            ("/set-password bob hush", Some("hush")),
            ("hello /register x", None),
            ("", None),
        ] {
            assert_eq!(secret_from(line, &arguments).map(|at| &line[at..]), secret, "{line}");
        }
    }
}
