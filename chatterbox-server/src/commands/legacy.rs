//! Commands of base clients: private messages to oneself that begin with the prefix (`--legacy-commands`).

use chatterbox_proto::capability::commands::Call;

use crate::commands::registry::find;

/// Parses the text of such a message; `None` when it is not a command. A backslash before the prefix escapes it.
pub fn call(text: &str, prefix: &str) -> Option<Call> {
    let line = text.strip_prefix(prefix)?;
    let (name, rest) = split_word(line);
    if name.is_empty() {
        return None;
    }
    let mut arguments = Vec::new();
    let mut rest = rest;
    for parameter in find(name).map(|command| command.spec.parameters).unwrap_or_default() {
        // The last parameter takes the rest of the line as it is, except that a list of users is split.
        let takes_line = parameter.rest
            && parameter.kind != chatterbox_proto::capability::commands::ArgumentType::Users;
        if takes_line && !rest.is_empty() {
            arguments.push(rest.to_owned());
            rest = "";
        } else if !parameter.rest {
            let (word, after) = split_word(rest);
            if !word.is_empty() {
                arguments.push(word.to_owned());
            }
            rest = after;
        }
    }
    arguments.extend(rest.split_whitespace().map(str::to_owned));
    Some(Call { id: String::new(), name: name.to_owned(), arguments })
}

/// The first word, and what follows it.
fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, Vec<String>)> {
        call(text, "//").map(|call| (call.name, call.arguments))
    }

    #[test]
    fn a_line_is_split_as_the_command_takes_it() {
        let expected = |name: &str, arguments: &[&str]| {
            Some((name.to_owned(), arguments.iter().map(|&a| a.to_owned()).collect::<Vec<_>>()))
        };
        assert_eq!(read("//msg bob  two  spaces "), expected("msg", &["bob", "two  spaces "]));
        assert_eq!(read("//Block  a b  c "), expected("Block", &["a", "b", "c"]));
        assert_eq!(read("// name"), expected("name", &[]));
        assert_eq!(read("//name too much"), expected("name", &["too", "much"]));
        assert_eq!(read("//nonsense x"), expected("nonsense", &["x"]));
        for text in ["//", "//  ", "/name", "\\//name", "name", ""] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
