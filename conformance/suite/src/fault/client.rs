//! Everything that the mutant client can do wrong, or otherwise.

use super::server::faults;

faults! {
    /// One thing that the mutant client does wrong; or, where the norm is open, otherwise.
    ClientFault {
        /// The length includes its own four bytes, in both directions.
        LengthCountsItself,
        /// The length counts characters where it should count bytes.
        LengthInCharacters,
        /// A bare string is sent after joining.
        BareStringFrame,
        /// Messages get a fifth element.
        FiveElements,
        /// Times are fractions.
        TimestampFloat,
        /// Lengths are little-endian.
        LittleEndian,
        /// No TLS at all.
        Plaintext,
        /// No connection is ever made.
        NeverConnects,
        /// Every certificate is good.
        TrustsAnybody,
        /// The certificate may be for any host.
        AnyHost,
        /// No server name is sent.
        NoSni,
        /// Only IPv4 addresses are tried.
        V4Only,
        /// The name is sent in capitals.
        NameInCapitals,
        /// Something else is sent before the name.
        OtherFrameFirst,
        /// Lines are sent before the name is accepted.
        SendsBeforeAnswer,
        /// A refusal is not shown.
        RefusalUntold,
        /// A refusal without `INFO` raises.
        BareRefusalRaises,
        /// After a refusal no other name is asked for.
        GivesUpAfterRefusal,
        /// A welcome without `INFO` raises.
        BareWelcomeRaises,
        /// The list of users is not shown.
        ListHidden,
        /// The history is not shown.
        HistoryHidden,
        /// The history is shown backwards.
        HistoryNewestFirst,
        /// Lengths have sixteen bits.
        CutsAt64KiB,
        /// Public messages go to a user called `everybody`.
        SaysToEverybody,
        /// SRC is not the own name.
        OwnNameWrong,
        /// Private messages go to everybody, with the command in front.
        PrivateToAll,
        /// Times are in milliseconds.
        Milliseconds,
        /// Times are local.
        LocalTime,
        /// JSON is put together by hand.
        QuotesUnescaped,
        /// Lines are cut at 1,024 characters.
        LineCut,
        /// An empty line is sent as an empty message.
        SendsEmpty,
        /// A line that follows another one at once is lost.
        SecondLineLost,
        /// Messages are not shown.
        NothingShown,
        /// The sender of a message is not shown.
        SenderHidden,
        /// Private messages are not shown.
        PrivateHidden,
        /// Messages of users who are in no list are not shown.
        UnlistedHidden,
        /// What one read brings is taken for the whole frame.
        OneReadOneBody,
        /// A length split over two reads raises.
        SplitHeaderRaises,
        /// What follows a frame in one read is thrown away.
        SecondFrameDropped,
        /// The body is searched by its first brace.
        SearchesForBrace,
        /// Only the first message of a frame is shown.
        FirstMessageOnly,
        /// Escapes are shown as they were spelled.
        EscapesKept,
        /// Bytes above 127 are refused.
        AsciiOnly,
        /// A returned own message is not shown.
        OwnEchoHidden,
        /// A returned own message is sent again.
        SendsEchoAgain,
        /// Only one key of a frame is looked at.
        OneKeyAFrame,
        /// A notice beside the welcome raises.
        NoticeBesideWelcomeRaises,
        /// Who joins is not shown.
        JoinedHidden,
        /// Who leaves is not shown.
        LeftHidden,
        /// Errors are not shown.
        ErrorHidden,
        /// An unknown key raises.
        UnknownKeyRaises,
        /// The leaving of somebody who is in no list raises.
        LeftUnknownRaises,
        /// Control characters of others reach the terminal.
        ControlsRaw,
        /// What is not JSON raises.
        JunkRaises,
        /// What arrives is shown when a line is entered.
        ShowsOnKeyOnly,
        /// What arrives removes what is half typed.
        ArrivalEatsLine,
        /// Quitting leaves the connection open.
        QuitKeepsConnection,
        /// The end of the input changes nothing.
        StaysAtEnd,
        /// Interrupts change nothing.
        IgnoresInterrupt,
        /// A refused connection is not told.
        RefusedUntold,
        /// The end of the connection is not told.
        EndUntold,
        /// After the end of the connection the client goes on waiting.
        WaitsForEver,
        /// Nothing is printed to ask for anything.
        NoPrompt,
        /// The name is asked for before connecting.
        NameBeforeConnecting,
        /// A prompt is printed after everything.
        PromptEverywhere,
        /// The whole screen is used.
        FullScreen,
        /// After each message it waits for a second.
        SlowSender,
        /// `/bye` quits, and private messages are given in two lines.
        OtherCommands,
    }
}

/// The other answer at every question that the norm leaves open: a client with all of these is as
/// correct as one with none.
pub const OPPOSITE_CLIENT: &[ClientFault] = &[
    ClientFault::LittleEndian,
    ClientFault::NoSni,
    ClientFault::SendsEmpty,
    ClientFault::OwnEchoHidden,
    ClientFault::StaysAtEnd,
    ClientFault::IgnoresInterrupt,
    ClientFault::OtherCommands,
];
