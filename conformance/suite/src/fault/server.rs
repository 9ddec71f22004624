//! Everything that the mutant server can do wrong, or otherwise.

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

        impl $crate::case::Defect for $enum {
            fn name(self) -> &'static str {
                Self::name(self)
            }

            fn description(self) -> &'static str {
                Self::description(self)
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
    /// Nothing that is offered is agreed to.
    NothingAgreed,
    /// An offer is not answered.
    OfferUnanswered,
    /// An offer is answered with a list.
    OfferAnsweredByList,
    /// The version that is agreed to is one more than what was offered.
    AgreesAboveOffer,
    /// Whoever offers one capability gets all of them.
    AgreesToUnoffered,
    /// An offer with an unknown name is an error.
    UnknownOfferRefused,
    /// An offer with more than one space between two words is an error.
    SpacesInOfferRefused,
    /// The answer is left out when nothing was agreed.
    EmptyAnswerLeftOut,
    /// A version above its own is not agreed to.
    HigherOfferIgnored,
    /// An offer that is no string is taken for none.
    OfferOfWrongTypeIgnored,
    /// Words in an offer that are none are ignored.
    OfferWordsUnchecked,
    /// Names in an offer begin with a letter.
    OfferWordsNarrow,
    /// A name may stand twice in an offer.
    OfferTwiceTaken,
    /// An offer may have any length.
    OfferLengthUnchecked,
    /// A malformed offer takes the name.
    MalformedOfferTakesName,
    /// In the frame with the offer, all keys of capabilities count.
    FirstFrameExtended,
    /// An offer of who has joined is ignored.
    LateOfferIgnored,
    /// An offer of who has joined is an error, and comes into force.
    LateOfferTaken,
    /// An offer without a name is ignored.
    NamelessOfferIgnored,
    /// An offer without a name is an error, and counts when the name comes.
    NamelessOfferKept,
    /// What was offered beside a refused name counts.
    RefusedOfferKept,
    /// Everybody gets the ids of messages.
    IdsToEverybody,
    /// Whoever agreed on anything gets everything.
    AllOrNothing,
    /// Users with capabilities are not announced to others.
    ExtendedUsersHidden,
    /// Tagged messages reach others with the tag in the text.
    TagsShown,
    /// PING is answered without having been agreed.
    PingWithoutOffer,
    /// TAGS are checked without having been agreed.
    TagsWithoutOffer,
    /// RESUME beside the name is an error without ids.
    ResumeWithoutOfferRefused,
    /// The welcome has no `LIMITS`.
    NoLimits,
    /// The limits are texts.
    LimitsAsText,
    /// The limits are larger than what is taken.
    LimitsTooLarge,
    /// `MESSAGES` comes without `IDS`, but for the welcome.
    NoIdsLive,
    /// The welcome has no `IDS`.
    NoIdsInWelcome,
    /// Ids are strings.
    IdsAsStrings,
    /// The last message of the welcome has no id.
    IdsTooFew,
    /// Ids of later messages are smaller.
    IdsFalling,
    /// Every receiver counts for itself.
    IdsPerReceiver,
    /// A message has another id in the history.
    IdsRenumbered,
    /// Private messages have no id.
    PrivateWithoutId,
    /// A tagged message is not acknowledged.
    NoAcks,
    /// An acknowledgement carries the id of the message before.
    AckWithOtherId,
    /// A tagged message is acknowledged before it is stored.
    AckBeforeStored,
    /// A tagged message is acknowledged before it comes back.
    AckBeforeEcho,
    /// Any number of messages may be tagged.
    TagsUncounted,
    /// A tag that was refused counts as used.
    RefusedTagUsed,
    /// TAGS of a wrong shape are ignored.
    TagsShapeUnchecked,
    /// Tags may be anything.
    TagsUnchecked,
    /// The length of tags is counted in characters.
    TagsInCharacters,
    /// What stands before a bad tag is delivered.
    TagsCheckedOneByOne,
    /// A null among the tags is an error.
    NullTagRefused,
    /// A tagged message that is refused is not in `REFUSED`.
    NoRefused,
    /// A tagged message that is refused is acknowledged.
    RefusedAcked,
    /// `REFUSED` comes without ERROR.
    RefusedWithoutError,
    /// The reasons in `REFUSED` are texts.
    RefusedAsText,
    /// A tag that was used is delivered again.
    DuplicateDelivered,
    /// A tag that was used gets a new id.
    DuplicateNewId,
    /// A tag that was used is not answered.
    DuplicateUnanswered,
    /// Within one frame, tags are not compared.
    DuplicateInFrame,
    /// Only the last sixteen tags are remembered.
    TagsForgottenEarly,
    /// Tags of others count as used.
    TagsShared,
    /// Without BEFORE and AFTER, the oldest messages come.
    HistoryOldest,
    /// A page of the history runs backwards.
    PageNewestFirst,
    /// `MORE` is never true.
    NeverMore,
    /// `MORE` is always true.
    AlwaysMore,
    /// A page holds the message of BEFORE, too.
    BeforeIncluded,
    /// A page after an id holds the newest messages.
    AfterGivesNewest,
    /// A page never has more than 100 messages.
    PagesOfHundred,
    /// A page without LIMIT has 50 messages at most.
    PagesOfFifty,
    /// A page of private messages holds those that were received only.
    PageOneDirection,
    /// A page of private messages holds those with everybody.
    PageLeaksPrivate,
    /// A page of public messages holds private ones, too.
    PublicPageLeaksPrivate,
    /// A page has no `IDS`.
    PageWithoutIds,
    /// A page does not say with whom.
    PageWithoutWith,
    /// A page with a name that nobody has had is an error.
    EmptyPageRefused,
    /// AFTER 0 is an error.
    AfterZeroRefused,
    /// Malformed HISTORY is answered by a page.
    HistoryUnchecked,
    /// LIMIT may be anything.
    LimitUnchecked,
    /// The welcome has no token.
    NoResumeToken,
    /// Sessions are never resumed.
    NeverResumes,
    /// A resumed session begins with the whole history.
    ResumeSendsAll,
    /// The first message that was missed is left out.
    ResumeOffByOne,
    /// The private messages that were missed are left out.
    ResumeWithoutPrivate,
    /// The own messages that were missed are left out.
    ResumeWithoutOwn,
    /// A token that is none refuses the name.
    BadTokenRefused,
    /// Any token resumes.
    AnyTokenResumes,
    /// A token resumes under any name.
    TokenOfAnybody,
    /// A token that is none takes a name in use.
    BadTokenTakesName,
    /// Resuming is announced to others.
    ResumeAnnounced,
    /// The connection before is closed without an error.
    OldClosedSilently,
    /// A resumed session gets another token.
    TokenChanges,
    /// A malformed RESUME is an ordinary join.
    MalformedResumeIgnored,
    /// The connection before is left open.
    OldConnectionStays,
    /// Resuming forgets the tags.
    ResumeForgetsTags,
    /// PING is not answered.
    NoPong,
    /// PONG carries a fraction's precision.
    PongAsFloat,
    /// PONG overtakes errors.
    PongOvertakes,
    /// PING may be anything.
    PingUnchecked,
    /// A malformed PING is not answered.
    BadPingIgnored,
    /// Characters beyond ASCII are escaped for everybody.
    StillEscaped,
    /// Control and invisible characters are not escaped.
    ControlsRaw,
    /// Characters beyond the basic plane are lost.
    AstralLost,
    /// What comes from who agreed on UTF-8 goes to everybody without escapes.
    RawFromWhoAgreed,
    /// A client with `rename` gets LEFT and JOINED.
    RenamedAsLeft,
    /// A client with `rename` gets LEFT and JOINED, too.
    RenamedBothWays,
    /// The user itself is not told of the new name.
    RenamedUntoldToSelf,
    /// Base clients are not told of a new name.
    RenameHidden,
    /// Base clients are told of the new name first.
    RenameJoinedFirst,
    /// Messages under the name before are refused at once.
    OldSrcRefused,
    /// The name before leads to the user for ever.
    RenameKeepsRoute,
    /// A name in use can be taken by renaming.
    NickTakesAnyName,
    /// The welcome has no `ACCOUNT`.
    NoAccount,
    /// After a password the user is a guest.
    PasswordIgnored,
    /// After a password there is no token.
    NoLoginToken,
    /// No token logs in.
    TokenUseless,
    /// Any token logs in.
    AnyTokenLogsIn,
    /// A token is good after its user logged out, too.
    TokenSurvivesLogout,
    /// Any password logs in.
    AnyPasswordLogsIn,
    /// Another word tells that there is no such account.
    UnknownAccountTold,
    /// A failed login makes an account.
    FailedLoginRegisters,
    /// A refusal has no `CODE`.
    RefusedWithoutCode,
    /// A refusal has `CODE` for everybody.
    CodeToEverybody,
    /// A registered name can be had without a password.
    RegisteredTaken,
    /// Who comes without `accounts` is not told that a name is registered.
    RegisteredUntold,
    /// A name that looks like a registered one can be had.
    LookalikeTaken,
    /// A registered name can be taken by renaming.
    NickTakesRegistered,
    /// A proof that is no string is ignored.
    ProofUnchecked,
    /// Passwords can be tried for ever.
    NeverThrottled,
    /// There is no catalogue of commands.
    NoCatalogue,
    /// The entries of the catalogue have no `ARGUMENTS`.
    CatalogueShort,
    /// The catalogue comes without `PREFIX`.
    NoPrefix,
    /// The catalogue holds what the user may not use.
    CatalogueOfEverything,
    /// `RESULT` has no `CODE`.
    ResultWithoutCode,
    /// `RESULT` comes twice.
    ResultTwice,
    /// `RESULT` goes to everybody.
    ResultToEverybody,
    /// An unknown command is an ERROR.
    UnknownCommandIsError,
    /// Missing arguments are no mistake.
    ArgumentsUnchecked,
    /// Commands have to be in small letters.
    CommandsWithCase,
    /// A malformed COMMAND is answered by a result.
    CommandUnchecked,
    /// What is forbidden is refused, and done.
    ForbiddenDone,
    /// A question does not say to which command it belongs.
    PromptOfAnotherId,
    /// A question does not say whether the answer is secret.
    PromptWithoutSecret,
    /// A question that is cancelled has no result.
    CancelIgnored,
    /// Anybody can answer a question.
    AnybodyAnswers,
    /// An answer to nothing is not answered.
    AnswerToNothingIgnored,
    /// Who blocks a user goes on hearing them.
    BlockedHeard,
    /// A user who is blocked goes on hearing the one who blocks.
    BlockedListens,
    /// Private messages go to and from who is blocked.
    BlockedWhispers,
    /// A base client that is blocked misses public messages.
    BlockHidesFromBase,
    /// The history holds what a blocked user said before.
    BlockLeavesPast,
    /// A command overtakes one that asks something.
    CommandsOvertake,
    /// Any number of commands wait.
    NeverBusy,
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
