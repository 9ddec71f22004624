//! Everything that the mutant server can do wrong, or otherwise.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

macro_rules! faults {
    ($(#[doc = $about:literal])+ $enum:ident { $($(#[doc = $doc:literal])+ $name:ident,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $enum { $($(#[doc = $doc])+ $name,)+ }

        impl $enum {
            /// Every fault there is.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name, as `mutant --fault` takes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What it does, in a line.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }

            /// Finds a fault by its name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|fault| fault.name().eq_ignore_ascii_case(name))
            }
        }
    };
}
pub(super) use faults;

faults! {
    /// One thing that the mutant server does wrong; or, where the norm is open, otherwise.
    Fault {
    /// The length includes its own four bytes, in both directions.
    LengthCountsItself,
    /// The length counts characters where it should count bytes.
    LengthInCharacters,
    /// Errors are bare JSON strings.
    ErrorBareString,
    /// `"true"` and `"false"` instead of true and false.
    AcceptedAsString,
    /// `USER_LIST` holds objects.
    UserListObjects,
    /// `USERS_JOINED` is one bare string.
    JoinedBareString,
    /// `USERS_LEFT` is one bare string.
    LeftBareString,
    /// Messages get a fifth element.
    FiveElements,
    /// Times are passed on as fractions.
    TimestampFloat,
    /// The value of `ERROR` is an object.
    ErrorObject,
    /// The welcome has a key of its own.
    ExtraKey,
    /// No TLS at all.
    Plaintext,
    /// Peers without TLS are served too.
    PlaintextToo,
    /// TLS 1.1 is agreed to.
    AgreesToOldTls,
    /// Another form of certificate.
    OtherCertificate,
    /// The loop that accepts waits for each handshake.
    HandshakeInAcceptLoop,
    /// Only the first of its addresses is served.
    OneAddressOnly,
    /// Lengths are little-endian.
    LittleEndian,
    /// What one read brings is taken for the whole body.
    OneReadOneBody,
    /// A frame that takes more than three reads is cut off.
    ThreeReadsAtMost,
    /// A length split over two reads ends the connection.
    SplitHeaderRaises,
    /// What follows a frame in one read is thrown away.
    SecondFrameDropped,
    /// The beginning of a frame behind complete ones is thrown away.
    TailDropped,
    /// The body is searched by its first brace.
    SearchesForBrace,
    /// Frames of more than 16 KiB are refused.
    CutsAt16KiB,
    /// Frames of more than 64 KiB are refused.
    CutsAt64KiB,
    /// Frames of more than 512 KiB are refused.
    CutsAt512KiB,
    /// Frames of more than 3 MiB are refused.
    NothingAbove3MiB,
    /// Line breaks between JSON tokens are refused.
    RefusesWhitespace,
    /// Escapes are passed on as they were spelled.
    EscapesKept,
    /// Bytes above 127 are refused.
    AsciiOnly,
    /// Every name is refused.
    NeverAccepts,
    /// `USERNAME` is never answered.
    NoAnswerToName,
    /// One connection is served after the other.
    OneAtATime,
    /// The welcome has no `USER_LIST`.
    NoUserList,
    /// The welcome has no `MESSAGES`.
    NoMessagesKey,
    /// A name in use is accepted.
    DuplicateAccepted,
    /// A name in use is not answered.
    NoAnswerToDuplicate,
    /// Whoever is refused a name gets what is sent to its holder.
    DuplicateStealsRoute,
    /// After one refusal every name is refused on that connection.
    RefusedForGood,
    /// A refusal closes the connection.
    ClosesAfterRefusal,
    /// Checking and taking a name are two steps.
    RaceBothAccepted,
    /// Names stay taken for ever.
    NameNeverFreed,
    /// Names that differ only in case are different.
    CaseSensitiveNames,
    /// The empty name is accepted.
    EmptyNameAccepted,
    /// The name ALL is accepted.
    AllAccepted,
    /// A number is accepted as a name.
    NumberNameAccepted,
    /// A number as a name is not answered.
    NumberNameIgnored,
    /// A second name is not answered.
    SecondNameIgnored,
    /// `USER_LIST` is always empty.
    UserListEmpty,
    /// `USER_LIST` lacks the user who joins.
    ListWithoutSelf,
    /// `USER_LIST` keeps users who left.
    LeaversStayListed,
    /// `USER_LIST` holds everybody twice.
    ListDoubles,
    /// Joins are not announced.
    NoJoinedNotice,
    /// Joins are told by a text in `INFO`.
    JoinsToldByInfo,
    /// Joins are announced twice.
    JoinedTwice,
    /// Joins are announced to the user who joins, too.
    JoinedToSelf,
    /// Refused attempts are announced.
    RefusedAnnounced,
    /// The history is always empty.
    NoHistory,
    /// Private messages are not kept.
    NoPrivateHistory,
    /// The history holds everybody's private messages.
    HistoryLeaksPrivate,
    /// A user's messages are forgotten when the user leaves.
    HistoryDropsLeavers,
    /// The history runs backwards.
    HistoryNewestFirst,
    /// The history holds everything twice.
    HistoryDoubles,
    /// The history holds the private messages that one sent.
    HistoryWithSentPrivate,
    /// Refused messages are stored.
    RefusedIsStored,
    /// One user is left out of public messages.
    BroadcastSkipsOne,
    /// Public messages go to their sender only.
    EchoOnly,
    /// Texts lose the spaces at their ends.
    ContentStripped,
    /// The sender does not get its public messages.
    NoEcho,
    /// The server's time replaces the client's.
    Restamps,
    /// Everything is delivered twice.
    DeliversTwice,
    /// Messages overtake each other.
    Reorders,
    /// Only the first message of a frame counts.
    FirstMessageOnly,
    /// Connections that have not joined hear public messages.
    UnjoinedHear,
    /// Private messages are lost.
    PrivateLost,
    /// Private messages are delivered twice.
    PrivateTwice,
    /// Private messages go to everybody.
    PrivateToAll,
    /// The sender gets a copy of private messages.
    PrivateCopyToSender,
    /// A message to oneself is an error.
    SelfMessageRefused,
    /// A private message to nobody is not answered.
    UnknownDestIgnored,
    /// A frame goes where its first message goes.
    FrameRoutedByFirst,
    /// SRC is not checked.
    SpoofDelivered,
    /// A wrong SRC is dropped without a word.
    SpoofSilentlyDropped,
    /// SRC is not checked for private messages.
    SpoofPrivateDelivered,
    /// SRC is checked for the first message of a frame only.
    OnlyFirstSourceChecked,
    /// Connections that have not joined may send.
    UnjoinedMaySend,
    /// Messages before joining are not answered.
    UnjoinedIgnored,
    /// Leaving is not announced.
    NoLeftNotice,
    /// One user is not told who left.
    LeftSkipsOne,
    /// A connection that ends without closing TLS is not noticed.
    BareFinUnnoticed,
    /// A reset is not noticed.
    ResetUnnoticed,
    /// When a refused connection closes, the holder is announced as gone.
    RefusedCloseRemovesHolder,
    /// The end of a connection that never joined is announced with an empty name.
    UnjoinedCloseAnnounced,
    /// The end of a connection that never joined kills the server.
    UnjoinedCloseKills,
    /// What is not JSON is not answered.
    JunkIgnored,
    /// What is not JSON kills the server.
    JunkKillsServer,
    /// An array is not answered.
    ArrayIgnored,
    /// An empty object is not answered.
    EmptyObjectIgnored,
    /// Messages of three elements are not answered.
    ShortTupleIgnored,
    /// A time that is a string is taken.
    StringTimeAccepted,
    /// Messages of five elements are delivered.
    LongTupleDelivered,
    /// An object with only unknown keys is not answered.
    UnknownKeyIgnored,
    /// Every error closes the connection.
    ClosesAfterError,
    /// A bad frame disconnects everybody.
    BadFrameKicksEverybody,
    /// Errors go to everybody.
    ErrorToEverybody,
    /// A frame of length zero is the end of the connection.
    ZeroLengthCloses,
    /// Bad UTF-8 kills the server.
    BadUtf8Kills,
    /// Deeply nested JSON kills the server.
    DeepJsonKills,
    /// An absurd length stalls everybody.
    HugeLengthStalls,
    /// The rest of a frame of absurd length is waited for.
    HugeLengthAwaited,
    /// Names of 64 characters are accepted.
    LongNamesAccepted,
    /// Messages without text are refused.
    EmptyContentRefused,
    /// Half a frame stalls everybody.
    HalfFrameStalls,
    /// A connection without a name stalls everybody.
    IdleStalls,
    /// One delivery in a hundred is lost.
    LosesUnderLoad,
    /// A peer that does not read stalls everybody.
    SlowReaderStalls,
    /// Every seventh leaving is not announced.
    LosesLeavesUnderLoad,
    /// Unknown keys beside `USERNAME` are refused.
    ExtraOnJoinRefused,
    /// Unknown keys beside `MESSAGES` are refused.
    ExtraBesideMessagesRefused,
    /// Messages beside `USERNAME` are ignored.
    PiggybackIgnored,
    /// Everybody gets frames of an extension.
    UnaskedExtension,
    /// The welcome has no `INFO`.
    NoInfo,
    /// Every key of the welcome comes in a frame of its own.
    SeparateFrames,
    }
}

/// The other answer at every question that the norm leaves open: a server with all of these is as
/// correct as one with none.
pub const OPPOSITE_CHOICES: &[Fault] = &[
    Fault::ExtraKey,
    Fault::OtherCertificate,
    Fault::LittleEndian,
    Fault::NothingAbove3MiB,
    Fault::ClosesAfterRefusal,
    Fault::CaseSensitiveNames,
    Fault::EmptyNameAccepted,
    Fault::AllAccepted,
    Fault::SecondNameIgnored,
    Fault::ListWithoutSelf,
    Fault::JoinedToSelf,
    Fault::HistoryWithSentPrivate,
    Fault::NoEcho,
    Fault::Restamps,
    Fault::PrivateCopyToSender,
    Fault::SelfMessageRefused,
    Fault::UnknownDestIgnored,
    Fault::EmptyObjectIgnored,
    Fault::LongTupleDelivered,
    Fault::UnknownKeyIgnored,
    Fault::LongNamesAccepted,
    Fault::EmptyContentRefused,
    Fault::NoInfo,
    Fault::SeparateFrames,
];

/// The faults of one mutant, and how often each of them came to act.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<BTreeMap<Fault, AtomicUsize>>);

impl Faults {
    /// A mutant with these faults.
    #[must_use]
    pub fn new(faults: &[Fault]) -> Self {
        Self(Arc::new(faults.iter().map(|fault| (*fault, AtomicUsize::new(0))).collect()))
    }

    /// Whether the mutant has the fault, without its acting.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains_key(&fault)
    }

    /// Whether the mutant has the fault; counts that it acts now.
    #[must_use]
    pub fn acts(&self, fault: Fault) -> bool {
        let Some(count) = self.0.get(&fault) else { return false };
        count.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// How often a fault came to act.
    #[must_use]
    pub fn times(&self, fault: Fault) -> usize {
        self.0.get(&fault).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}
