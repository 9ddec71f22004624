//! `/send`, `/save` and `/cancel`: what the user wants of files, and which files messages have announced.

use chatterbox_proto::capability::files::file_stop;
use chatterbox_proto::capability::meta::FileTold;
use chatterbox_proto::{Capability, ScreenText, session};

use super::App;
use crate::effect::{Effect, note};
use crate::files::{
    Announced, Attached, Download, Kind, SafeName, Shelved, Upload, first_path, in_words,
};
use crate::front::At;
use crate::target::Target;

const SEND: &str =
    "/send PATH [text] sends a file to where you are; a path with blanks stands in quotation marks";

const SAVE: &str = "/save [last|ID|NAME] [PATH] fetches the file that came last here, that of the message of this number, or the one of this name";

const RESTRICTED: &str = "files are neither read nor written here";

const TOO_MANY: &str = "there are too many transfers already; /cancel gives one up";

/// A file of more bytes than this is not fetched: no server of ours keeps one, and a disk is full before its user notices.
const LARGEST: u64 = 16 << 30;

/// A file that the user names has a name of so many characters in a sentence.
const NAME: usize = 60;

impl App {
    pub(super) fn has_files(&self) -> bool {
        self.session.agreed().has(Capability::Files)
    }

    /// Carries out `/send PATH [text]`.
    pub(super) fn send_file(&mut self, rest: &str) -> Vec<Effect> {
        if self.restricted {
            return self.not_sent(RESTRICTED);
        }
        let Some((path, text)) = first_path(rest) else { return self.not_sent(SEND) };
        let to = match self.file_target() {
            Ok(to) => to,
            Err(why) => return self.not_sent(&why),
        };
        if let Some(why) = self.why_no_file(&to) {
            return self.not_sent(&why);
        }
        let upload = Upload::new(path.into_owned(), to, text.to_owned());
        match self.transfers.begin(Kind::Up(upload)) {
            Some(_) => Vec::new(),
            None => self.not_sent(TOO_MANY),
        }
    }

    /// The conversation in front, where a file can go there: one that was meant for a room never goes anywhere else.
    fn file_target(&self) -> Result<Target, String> {
        let At::Room(front) = self.front.at() else { return Ok(self.front.at().target()) };
        if self.session.room(&front.name).is_some_and(|room| front.is(room)) {
            return Ok(self.front.at().target());
        }
        let name = ScreenText::shortened(&front.name, 40);
        Err(format!("you are not in {name} any more; /room ALL talks to everybody"))
    }

    /// Why no file goes to somebody, if none does: what is said to them is encrypted, and a file would not be (EE-6).
    fn why_no_file(&self, to: &Target) -> Option<String> {
        let Target::User(name) = to else { return None };
        let words = to.in_words();
        self.is_encrypted(name)
            .then(|| format!("what is said to {words} is encrypted, and a file would not be"))
    }

    /// Carries out `/save [last|ID|NAME] [PATH]`.
    pub(super) fn save_file(&mut self, rest: &str) -> Vec<Effect> {
        if self.restricted {
            return self.not_done(format!("Nothing was fetched: {RESTRICTED}."));
        }
        let chosen = self.shelf.choose(&self.front.at().target(), rest);
        let Some((file, path)) = chosen.map(|(file, path)| (file.clone(), path)) else {
            let what = ScreenText::shortened(rest, NAME);
            let why = match rest {
                "" | "last" => "no file of somebody else is loaded here".to_owned(),
                _ => format!("no file {what} is loaded here"),
            };
            return self.not_done(format!("Nothing was fetched: {why}. {SAVE}."));
        };
        if file.size > LARGEST {
            return self.not_done(format!(
                "Nothing was fetched: it has {}, and this program takes {}.",
                in_words(file.size),
                in_words(LARGEST)
            ));
        }
        // In quotation marks, or with blanks: all that is left is the path.
        let path = match first_path(path) {
            Some((path, "")) => Some(path.into_owned()),
            Some(_) => Some(path.to_owned()),
            None => None,
        };
        if self.transfers.of_file(file.token.as_str()).is_some() {
            return self.not_done("That file is on its way already.");
        }
        match self.transfers.begin(Kind::Down(Download::new(file, path))) {
            Some(_) => Vec::new(),
            None => self.not_done(format!("Nothing was fetched: {TOO_MANY}.")),
        }
    }

    /// Carries out `/cancel [NUMBER]`.
    pub(super) fn cancel_transfer(&mut self, rest: &str, now: i64) -> Vec<Effect> {
        let all: Vec<_> = self.transfers();
        let chosen = match (rest, all.as_slice()) {
            (_, []) => return self.not_done("No file is on its way."),
            ("", [only]) => Some(only.id),
            (number, _) => number.parse().ok().filter(|id| all.iter().any(|one| one.id == *id)),
        };
        let Some(id) = chosen else {
            let lines = all.iter().map(|one| format!("/cancel {}: {}", one.id, one.bar()));
            return lines.flat_map(note).collect();
        };
        let mut effects = self.stop_transfer(id);
        effects.extend(self.transfer_failed(id, "you have given it up"));
        self.start_transfers(now, &mut effects);
        effects
    }

    /// Announces a file that is there.
    pub(super) fn announce(&mut self, announced: Announced, now: i64) -> Vec<Effect> {
        let Announced { to, text, file } = announced;
        // The user may have turned encryption on meanwhile: the server forgets what is in the clear there.
        if let Some(why) = self.why_no_file(&to) {
            let stop = file_stop(file.token.as_str()).finish().ok().map(Effect::Send);
            return stop.into_iter().chain(self.not_sent(&why)).collect();
        }
        let text = if text.trim().is_empty() { said_of(&file) } else { text };
        let to = match &to {
            Target::Lobby => None,
            Target::Room(name) | Target::User(name) => Some(name.as_str()),
        };
        self.say_with_file(to, &text, file, now)
    }

    /// Notes the file that a message announces; `own`: this user has said it.
    pub(super) fn note_file(&mut self, message: &session::Message, own: bool) {
        let file = message.meta.as_ref().and_then(|meta| meta.file.as_ref());
        let (Some(id), Some(file)) = (message.id, file) else { return };
        let shelved = Shelved::new(&self.target_of(message, own), own, file.clone());
        self.shelf.note(id, shelved);
    }

    /// A file as it is shown beside a message.
    pub(super) fn attached(&self, file: FileTold, own: bool, now: i64) -> Attached {
        let until = file.until.map(|until| self.time.format(until, now));
        let name = SafeName::of(file.name.as_wire());
        Attached { told: file, name, until, is_offered: !own && !self.restricted }
    }
}

/// What base clients read of a file with which its user says nothing.
fn said_of(file: &FileTold) -> String {
    format!("[file: {}, {}]", file.name.as_wire(), in_words(file.size))
}
