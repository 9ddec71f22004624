//! The state machine of one user's session: its parts, and what a driver may ask about them.
//!
//! Its two inputs have a file each: typed lines in `input`, the server's frames in `events`.

mod calling;
mod completing;
mod encrypted;
mod events;
mod filing;
mod greeting;
mod input;
mod intents;
mod local;
mod marks;
mod moving;
mod replying;
mod rooms;
mod saying;
mod secrets;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::capability::notices::{Closed, Retry};
use chatterbox_proto::capability::ping;
use chatterbox_proto::session::ClientSession;
use chatterbox_proto::{Capabilities, Capability, ScreenText};

use self::greeting::Greeting;
use crate::calls::Calls;
use crate::commands::Catalogue;
use crate::effect::{Closing, Effect, GiveUpReason};
use crate::encryption::Encryption;
use crate::files::{Shelf, Transfers};
use crate::front::{At, Front};
use crate::gaps::Gaps;
use crate::history::Pages;
use crate::input_mode::{InputMode, Question};
use crate::login::{Login, Phase};
use crate::model::Model;
use crate::options::Options;
use crate::output::Output;
use crate::own_names::OwnNames;
use crate::quotes::Quotes;
use crate::reconnect::Reconnect;
use crate::target::Target;
use crate::time::TimeFormatter;

/// Flow control: no more messages than this wait for an answer; it is below the number of idempotency keys that a server
/// remembers (ID-5).
pub(crate) const WINDOW: usize = 128;

/// The same of a pipe whose connection is up. With those that follow at [`PACE`] fewer frames are refused in a minute than mute
/// (FL-2).
pub(crate) const WINDOW_OF_PIPES: usize = 8;

/// Once a server has refused something for now, a pipe sends one frame in so many seconds, with all that came meanwhile.
const PACE: i64 = 6;

/// What was typed for a room before it was clear that it does not come is entered within so many seconds.
pub(crate) const ASTRAY: i64 = 2;

/// For so long after the last refusal it does.
const CAREFUL: i64 = 60;

/// A person is shown the newest messages of a welcome, at most this many, unless they have asked for another number.
const NEWEST: usize = 200;

/// The command of this program with a secret behind it.
const RECOVERY: &str = "/recovery";

/// The most characters of a name in front of a line.
const PROMPT: usize = 40;

/// The state machine of one user's session.
#[derive(Debug)]
pub struct App {
    session: ClientSession,
    login: Login,
    /// Shared with the vocabulary of an editor.
    catalogue: Option<Arc<Catalogue>>,
    /// Whether lines wait for the catalogue, which follows the welcome.
    awaits_catalogue: bool,
    calls: Calls,
    pages: Pages,
    front: Front,
    gaps: Gaps,
    reconnect: Reconnect,
    /// Why the server ends this connection, if it has said so (NO-3).
    closed: Option<Closed>,
    /// The end of the welcome that is under way.
    greeting: Option<Greeting>,
    /// How many messages of that welcome were shown.
    earlier: usize,
    /// Whether the frame that is worked off has shown that the connection is of use.
    progress: bool,
    /// How many lines were not sent, or sent in vain.
    failures: usize,
    /// Whether anything was sent since the welcome that an ERROR could be the answer to.
    has_sent: bool,
    /// Whether the frame that is worked off has refused messages, so that its ERROR says the same once more.
    refused: bool,
    /// Whether all of that is encrypted again.
    sealed_again: bool,
    /// When messages are sent that the server did not take, or that were not sent because of that, in seconds since 1970.
    again_at: Option<i64>,
    /// Before this time no other frame of them is sent.
    again_from: i64,
    /// Until this time messages are put off instead of being sent at once.
    careful_until: i64,
    /// Until this time a message may have been typed for a room that did not come to the front.
    astray_until: i64,
    /// A line that is no message, and waits for those before it.
    held: Option<String>,
    /// Whether the user has logged out; the server then closes the connection, which is no failure.
    logged_out: bool,
    strict: bool,
    echo_own: bool,
    interactive: bool,
    json: bool,
    full_screen: bool,
    /// A person is shown the newest messages of a welcome, at most so many.
    newest: usize,
    time: TimeFormatter,
    /// What was said lately, to be quoted.
    quotes: Quotes,
    /// The files that were announced lately.
    shelf: Shelf,
    /// Files on their way.
    transfers: Transfers,
    /// Whether no file of this machine is read or written for the user.
    restricted: bool,
    /// The conversation of the page of history that is shown.
    paging: Option<Target>,
    /// The names that this user has had.
    names: OwnNames,
    /// The level of this user's account on the server.
    level: u8,
    /// Before this time the server is not told again how far the user has read.
    marks_from: i64,
    /// Whether the user is logged in.
    has_account: bool,
    /// Whether a session goes on: what is unread is known then.
    resumed: bool,
    /// What a screen shows, where there is one.
    model: Option<Model>,
    /// Keys for encrypted messages, where the program has them.
    encryption: Option<Box<dyn Encryption>>,
    /// Encrypted messages that wait for the keys of their senders.
    later: VecDeque<encrypted::Later>,
}

impl App {
    /// A session that has not begun.
    pub fn new(options: Options, time: TimeFormatter) -> Self {
        Self {
            // A person or a program sees what was refused, and decides; a pipe has nobody who would.
            session: ClientSession::offering(options.offer.without(Capability::E2ee))
                .with_recent(options.recent)
                .patient(!options.interactive && !options.json),
            again_at: None,
            again_from: 0,
            careful_until: 0,
            astray_until: 0,
            held: None,
            catalogue: None,
            awaits_catalogue: false,
            calls: Calls::default(),
            pages: Pages::default(),
            front: Front::new(options.all_rooms || !options.interactive || options.json),
            gaps: Gaps::new(!options.interactive),
            reconnect: Reconnect::new(options.reconnect),
            closed: None,
            greeting: None,
            earlier: 0,
            progress: false,
            failures: 0,
            has_sent: false,
            refused: false,
            sealed_again: false,
            logged_out: false,
            strict: options.strict,
            echo_own: options.echo_own,
            interactive: options.interactive,
            json: options.json,
            full_screen: options.full_screen,
            newest: options.recent.map_or(NEWEST, usize::from),
            quotes: Quotes::default(),
            shelf: Shelf::default(),
            transfers: Transfers::default(),
            restricted: options.restricted,
            paging: None,
            names: OwnNames::default(),
            level: 0,
            marks_from: 0,
            has_account: false,
            resumed: false,
            model: model(&options),
            encryption: None,
            later: VecDeque::new(),
            login: Login::new(options),
            time,
        }
    }

    /// Begins: asks the server for the name, if it was given beforehand.
    pub fn start(&mut self) -> Vec<Effect> {
        let name = self.login.given().map(str::to_owned);
        let mut effects = name.map(|name| self.takes_keys(&name)).unwrap_or_default();
        effects.extend(self.login.start(&mut self.session));
        effects
    }

    /// What the next typed line is for.
    pub fn input_mode(&self) -> InputMode {
        match self.login.phase() {
            Phase::Name => InputMode::Name,
            Phase::Password => InputMode::Password,
            Phase::Pending => InputMode::LoginPending,
            Phase::Done if self.awaits_catalogue => InputMode::CataloguePending,
            Phase::Done => match self.calls.question() {
                Some((number, _)) => InputMode::Reply(number),
                None if self.calls.may_ask() || self.pages.are_awaited() => {
                    InputMode::ResultPending
                }
                None if self.held.is_some() => InputMode::WindowFull,
                None if self.session.unanswered() >= self.window() => InputMode::WindowFull,
                None => InputMode::Chat,
            },
        }
    }

    /// How many messages may wait for an answer: few of a pipe that sends each at once, so that a server that takes no more now
    /// refuses few.
    fn window(&self) -> usize {
        let sends = !self.interactive && !self.is_down() && self.again_at.is_none();
        if sends { WINDOW_OF_PIPES } else { WINDOW }
    }

    /// When messages are sent again that the server did not take, in seconds since 1970.
    pub fn again_at(&self) -> Option<i64> {
        self.again_at
    }

    /// Sends them, if it is time.
    pub fn say_again(&mut self, now: i64) -> Vec<Effect> {
        if self.again_at.is_none_or(|at| now < at) || self.is_down() {
            return Vec::new();
        }
        self.again_from = now.saturating_add(PACE);
        let frame = self.session.say_again();
        self.again_at = self.session.has_put_off().then_some(self.again_from);
        frame.into_iter().map(Effect::Send).collect()
    }

    /// Notes that the server takes something in so many seconds only. Gives the time of the next try, if it is the first one that
    /// waits for it.
    fn put_off(&mut self, wait: u64, now: i64) -> Option<i64> {
        // Seconds are cut off, so it is one more.
        let at = now.saturating_add(i64::try_from(wait).unwrap_or_default().saturating_add(1));
        let at = at.max(self.again_from);
        self.careful_until = now.saturating_add(CAREFUL);
        self.again_at
            .replace(self.again_at.map_or(at, |before| before.max(at)))
            .is_none()
            .then_some(at)
    }

    /// Whether something goes behind messages that the server takes later, so that it must not be sent before them.
    fn is_behind(&self, now: i64) -> bool {
        self.again_at.is_some() || now < self.careful_until && self.session.unanswered() > 0
    }

    /// Puts off a message that was just said, if it has to be. Says whether it was.
    fn is_put_off(&mut self, tag: Option<&str>, now: i64) -> bool {
        let waits = self.again_at.is_some() || now < self.careful_until;
        let is = waits && !self.is_down() && tag.is_some_and(|tag| self.session.put_off(tag));
        if is {
            self.again_at.get_or_insert(self.again_from);
        }
        is
    }

    /// The line that had to wait for messages, when all of them are answered.
    fn take_held(&mut self) -> Option<String> {
        let line =
            self.held.take_if(|_| self.again_at.is_none() && self.session.unanswered() == 0)?;
        if self.input_mode() == InputMode::Chat {
            return Some(line);
        }
        self.held = Some(line);
        None
    }

    /// The open question, where [`App::input_mode`] is a password or a reply.
    pub fn question(&self) -> Option<Question> {
        self.login.question().or_else(|| self.calls.question().map(|(_, question)| question))
    }

    /// The deadline for the catalogue, for what a command may ask or for a page is over: lines are taken again.
    pub fn stop_waiting(&mut self, now: i64) {
        // A room that comes later takes nobody's screen, and a line that was typed for it is not for the one that is in front.
        if self.front.want_nothing() {
            self.astray_until = now.saturating_add(ASTRAY);
        }
        self.awaits_catalogue = false;
        self.calls.stop_waiting();
        self.pages.stop_waiting();
    }

    /// The name under which this user has joined.
    pub fn me(&self) -> Option<&str> {
        self.session.me()
    }

    /// What stands in front of a line: the room that it goes to, or the name of the user who says it to everybody.
    pub fn prompt(&self) -> ScreenText {
        match self.front.at() {
            At::Lobby => ScreenText::shortened(self.me().unwrap_or_default(), PROMPT),
            At::Room(room) => ScreenText::shortened(&room.name, PROMPT),
            At::User(name) if self.is_encrypted(name) => {
                ScreenText::shortened(&format!("(encrypted) @{name}"), PROMPT)
            }
            At::User(name) => ScreenText::shortened(&format!("@{name}"), PROMPT),
        }
    }

    /// The secret arguments of commands: the command with its prefix, and the place of the first secret word
    /// (1 is the word behind the command).
    pub fn secret_arguments(&self) -> Vec<(String, usize)> {
        let catalogue = self.catalogue.as_deref();
        let mut secrets = catalogue.map(Catalogue::secret_arguments).unwrap_or_default();
        // A recovery code is typed behind it.
        secrets.extend(self.encryption.as_ref().map(|_| (RECOVERY.to_owned(), 1)));
        secrets
    }

    /// Whether a name was refused and none accepted since.
    pub fn was_refused(&self) -> bool {
        self.login.was_refused()
    }

    /// Whether nothing that was sent is still on its way: everything is answered, or the last message came back.
    pub fn is_settled(&self) -> bool {
        self.pending_replies() == 0 && (self.is_acknowledged() || self.session.last_echoed())
    }

    /// Whether something was sent of which it is not known whether it has arrived.
    pub fn is_unsettled(&self) -> bool {
        self.has_sent && !self.is_settled()
    }

    /// Whether the server acknowledges every message, so that waiting for it makes sense.
    pub fn is_acknowledged(&self) -> bool {
        self.session.agreed().has(Capability::Ids)
    }

    /// How many answers the server owes: to messages, commands and requests for history.
    pub fn pending_replies(&self) -> usize {
        self.session.unanswered()
            + self.calls.open()
            + self.pages.open()
            + self.encryption.as_ref().map_or(0, |keys| keys.waiting())
            + usize::from(self.held.is_some())
    }

    /// How many messages the server has neither stored nor refused.
    pub fn unanswered(&self) -> usize {
        self.session.unanswered()
    }

    /// The key of the oldest message that the server has and did not answer, where the session can go on over another connection.
    pub fn waits_for(&self) -> Option<&str> {
        let can_go_on = !self.is_down() && self.session.can_resume();
        can_go_on.then(|| self.session.oldest_unanswered()).flatten()
    }

    /// How many lines were not sent, or refused by the server, or ended with an ERROR.
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// Whether compressed frames are agreed to, in both directions.
    pub fn agrees_to_zstd(&self) -> bool {
        self.session.is_joined() && self.session.agreed().has(Capability::Zstd)
    }

    /// Whether the next frame may be compressed: as one of those that are agreed to, or as the welcome that agrees to them.
    pub fn takes_zstd(&self) -> bool {
        let may_be_welcome =
            !self.session.is_joined() && self.session.offered().has(Capability::Zstd);
        self.agrees_to_zstd() || may_be_welcome
    }

    /// Whether the server answers a PING.
    pub fn can_ping(&self) -> bool {
        self.session.is_joined() && self.session.agreed().has(Capability::Ping)
    }

    /// The frame of a PING of this number.
    pub fn ping(&self, number: i64) -> Option<Bytes> {
        ping::ping(number).finish().ok()
    }

    /// Whether the end of the connection is what the user wanted.
    pub fn has_logged_out(&self) -> bool {
        self.logged_out
    }

    /// The connection is lost, or the next try failed, for the reason `why`. `now` is the time of a monotonic clock,
    /// `random` spreads the clients of a server that comes back.
    pub fn connection_lost(&mut self, why: &str, now: Duration, random: u64) -> Vec<Effect> {
        let closed = self.closed.take();
        let retry = closed.as_ref().and_then(|closed| closed.retry);
        let at_least = match (retry, &closed) {
            (Some(Retry::Never), Some(closed)) if !self.logged_out => {
                let reason = GiveUpReason::Closed(Closing::of(closed.code.as_wire()));
                return vec![Effect::GiveUp(reason)];
            }
            (Some(Retry::After(seconds)), _) => Duration::from_secs(seconds),
            _ => Duration::ZERO,
        };
        if self.logged_out || !(self.is_down() || self.session.can_resume()) {
            return vec![Effect::ConnectionLost];
        }
        let Some(wait) = self.reconnect.failed(now, random, at_least) else {
            return vec![Effect::ConnectionLost];
        };
        self.session.disconnected();
        if let Some(keys) = &mut self.encryption {
            keys.lost();
        }
        self.login.connection_lost();
        self.transfers.lost();
        self.awaits_catalogue = false;
        self.failures += self.calls.open() + self.pages.open_shown();
        self.front.want_nothing();
        let mut effects = self.calls.forget();
        effects.extend(self.pages.forget());
        effects.push(Effect::Show(Output::ConnectionLost {
            why: why.to_owned(),
            wait,
            waiting: self.session.unanswered(),
        }));
        effects.push(Effect::Redial(wait));
        effects
    }

    /// There is a connection again: asks the server to resume the session on it.
    pub fn reconnected(&mut self) -> Vec<Effect> {
        self.login.rejoin(&mut self.session, self.reconnect.is_down())
    }

    /// Whether the session is without a connection.
    pub fn is_down(&self) -> bool {
        self.reconnect.is_down()
    }

    /// How long a lost connection is tried again.
    pub fn reconnect_for(&self) -> Option<Duration> {
        self.reconnect.limit()
    }

    /// After the welcome comes the catalogue, where commands were agreed.
    fn welcomed(&mut self, agreed: Capabilities) {
        self.login.accepted();
        if let Some(me) = self.session.me() {
            self.names.note(me);
        }
        self.awaits_catalogue = agreed.has(Capability::Commands);
    }

    fn has_history(&self) -> bool {
        self.session.agreed().has(Capability::Ids)
    }

    /// Whether there are rooms, or a room is in front on a server that has none any more.
    fn has_rooms(&self) -> bool {
        self.session.agreed().has(Capability::Rooms) || self.front.room().is_some()
    }
}

/// The model that a screen shows, if there is one.
fn model(options: &Options) -> Option<Model> {
    let mut model = Model::new(options.model?).by_line(!options.all_rooms);
    for (target, attention) in &options.attention {
        model.attend(target, *attention);
    }
    Some(model)
}
