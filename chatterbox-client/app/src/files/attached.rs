//! The file that goes with a message, as it is shown.

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::FileTold;

use super::name::SafeName;
use super::size::in_words;

/// A file that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// What the server tells of it, or was told of an own one.
    pub told: FileTold,
    /// Its name, made harmless: what it would be called here.
    pub name: SafeName,
    /// Until when the server keeps it, as a person reads it.
    pub until: Option<String>,
    /// Whether the user is shown how it is fetched: not of own ones, nor where no file is written.
    pub is_offered: bool,
}

impl Attached {
    /// `notes.pdf, 471 KiB, until 14:05; /save 8160`: all of it is safe to show. `id` is the number of the message.
    pub fn words(&self, id: Option<Id>) -> String {
        let mut words = format!("{}, {}", self.name, in_words(self.told.size));
        if let Some(until) = &self.until {
            words.push_str(&format!(", until {until}"));
        }
        if let Some(id) = id.filter(|_| self.is_offered) {
            words.push_str(&format!("; /save {id}"));
        }
        words
    }

    /// The same behind an arrow, for a line of its own below the message.
    pub fn line(&self, id: Option<Id>) -> String {
        format!("\u{2913} {}", self.words(id))
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::WireText;
    use chatterbox_proto::capability::meta::{Digest, FileToken};

    use super::*;

    #[test]
    fn a_file_is_shown_by_a_harmless_name_and_how_it_is_fetched() {
        let wire = "../\u{202e}notes\u{1b}.pdf";
        let told = FileTold {
            token: FileToken::parse("Qx7").unwrap(),
            name: WireText::new(wire),
            size: 482_113,
            sha256: Digest([7; 32]),
            until: None,
        };
        let until = Some("14:05".to_owned());
        let mut file = Attached { told, name: SafeName::of(wire), until, is_offered: true };
        assert_eq!(file.words(Some(8160)), "_notes_.pdf, 471 KiB, until 14:05; /save 8160");
        file.is_offered = false;
        file.until = None;
        assert_eq!(file.line(Some(8160)), "\u{2913} _notes_.pdf, 471 KiB");
    }
}
