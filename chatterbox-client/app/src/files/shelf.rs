//! The files that were announced lately, so that they can be fetched by the number of their message, by name, or as the last one.

use std::collections::{BTreeMap, VecDeque};

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::FileTold;
use chatterbox_proto::limits;

use super::name::SafeName;
use super::path::first_path;
use crate::target::Target;

/// So many are kept; the oldest go first.
const KEPT: usize = 1000;

/// A file that was announced.
#[derive(Debug, Clone)]
pub(crate) struct Shelved {
    /// The conversation, folded.
    at: Target,
    own: bool,
    file: FileTold,
}

impl Shelved {
    pub(crate) fn new(at: &Target, own: bool, file: FileTold) -> Self {
        Self { at: at.folded(), own, file }
    }
}

/// The files that were announced lately, by the number of their message.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: BTreeMap<Id, Shelved>,
    /// Own ones whose message has no number yet, by its idempotency key.
    unnumbered: VecDeque<(String, Shelved)>,
}

impl Shelf {
    /// Notes a file.
    pub(crate) fn note(&mut self, id: Id, file: Shelved) {
        self.files.insert(id, file);
        if self.files.len() > KEPT {
            self.files.pop_first();
        }
    }

    /// Notes an own one whose message is on its way.
    pub(crate) fn sent(&mut self, tag: &str, file: Shelved) {
        if self.unnumbered.len() >= limits::TAGS {
            self.unnumbered.pop_front();
        }
        self.unnumbered.push_back((tag.to_owned(), file));
    }

    /// Notes the number of an own message.
    pub(crate) fn stored(&mut self, tag: &str, id: Id) {
        let place = self.unnumbered.iter().position(|(sent, _)| sent == tag);
        if let Some((_, file)) = place.and_then(|place| self.unnumbered.remove(place)) {
            self.note(id, file);
        }
    }

    /// A user has another name from now on.
    pub(crate) fn renamed(&mut self, old: &str, new: &str) {
        let (old, new) = (old.to_lowercase(), new.to_lowercase());
        let unnumbered = self.unnumbered.iter_mut().map(|(_, file)| file);
        for file in self.files.values_mut().chain(unnumbered) {
            if let Target::User(name) = &mut file.at
                && *name == old
            {
                name.clone_from(&new);
            }
        }
    }

    /// The messages with other numbers are those of another history.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The file that is meant by the beginning of a line, and what is behind that: the last one that somebody else has sent to a
    /// conversation (`last`, or nothing), the one of the message with a number, or the newest of this name. A name with blanks may
    /// stand in quotation marks.
    pub(crate) fn choose<'l>(&self, at: &Target, line: &'l str) -> Option<(&FileTold, &'l str)> {
        let at = at.folded();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if line.is_empty() || word == "last" {
            let mut newest = self.files.values().rev();
            let file = newest.find(|shelved| shelved.at == at && !shelved.own)?;
            return Some((&file.file, rest.trim()));
        }
        if let Ok(id) = word.parse::<Id>() {
            return self.files.get(&id).map(|shelved| (&shelved.file, rest.trim()));
        }
        let here = self.files.values().rev().filter(|shelved| shelved.at == at);
        let elsewhere = self.files.values().rev().filter(|shelved| shelved.at != at);
        let mut best: Option<(&FileTold, &'l str)> = None;
        for shelved in here.chain(elsewhere) {
            let name = SafeName::of(shelved.file.name.as_wire());
            // The longest name, since what is behind a shorter one would be taken for a path.
            if let Some(behind) = behind_name(line, name.as_str())
                && best.is_none_or(|(_, before)| behind.len() < before.len())
            {
                best = Some((&shelved.file, behind));
            }
        }
        best
    }
}

/// What is behind a name at the beginning of a line, as it is or in quotation marks.
fn behind_name<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let behind = line.strip_prefix(name);
    if let Some(behind) = behind
        && (behind.is_empty() || behind.starts_with(char::is_whitespace))
    {
        return Some(behind.trim());
    }
    let (first, rest) = first_path(line)?;
    (first == name).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::WireText;
    use chatterbox_proto::capability::meta::{Digest, FileToken};

    use super::*;

    fn file(token: &str, name: &str) -> FileTold {
        FileTold {
            token: FileToken::parse(token).unwrap(),
            name: WireText::new(name.to_owned()),
            size: 1,
            sha256: Digest([0; 32]),
            until: None,
        }
    }

    fn chosen<'l>(shelf: &'l Shelf, at: &Target, line: &'l str) -> Option<(&'l str, &'l str)> {
        shelf.choose(at, line).map(|(file, rest)| (file.token.as_str(), rest))
    }

    #[test]
    fn a_file_is_found_by_number_by_name_or_as_the_last_one() {
        let (lab, bob) = (Target::Room("#Lab".to_owned()), Target::User("bob".to_owned()));
        let mut shelf = Shelf::default();
        shelf.note(5, Shelved::new(&lab, false, file("a", "notes.pdf")));
        shelf.note(7, Shelved::new(&lab, false, file("b", "my notes.pdf")));
        shelf.note(8, Shelved::new(&lab, true, file("c", "notes.pdf")));
        shelf.note(9, Shelved::new(&bob, false, file("d", "../x\u{1b}y")));
        for (line, found) in [
            ("", Some(("b", ""))),
            ("last", Some(("b", ""))),
            ("last ~/x y", Some(("b", "~/x y"))),
            ("5", Some(("a", ""))),
            ("9 there", Some(("d", "there"))),
            ("6", None),
            ("notes.pdf", Some(("c", ""))),
            ("notes.pdf  there", Some(("c", "there"))),
            ("my notes.pdf there", Some(("b", "there"))),
            ("\"my notes.pdf\" there", Some(("b", "there"))),
            ("x_y", Some(("d", ""))),
            ("other", None),
            ("notes.pdfx", None),
        ] {
            assert_eq!(chosen(&shelf, &lab, line), found, "{line}");
        }
        assert_eq!(chosen(&shelf, &Target::Lobby, "last"), None);
        shelf.renamed("Bob", "rob");
        assert_eq!(chosen(&shelf, &Target::User("Rob".to_owned()), ""), Some(("d", "")));
        shelf.sent("t", Shelved::new(&lab, true, file("e", "own")));
        assert_eq!(chosen(&shelf, &lab, "own"), None);
        shelf.stored("t", 11);
        assert_eq!(chosen(&shelf, &lab, "own"), Some(("e", "")));
        shelf.forget();
        assert_eq!(chosen(&shelf, &lab, "5"), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut shelf = Shelf::default();
        for id in 1..=3 * KEPT as Id {
            shelf.note(id, Shelved::new(&Target::Lobby, false, file("a", "x")));
            shelf.sent(&id.to_string(), Shelved::new(&Target::Lobby, true, file("a", "x")));
        }
        assert_eq!((shelf.files.len(), shelf.unnumbered.len()), (KEPT, limits::TAGS));
    }
}
