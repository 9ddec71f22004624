//! What is no defect: the other answers where the norm is open, and what a server may die of.

use super::Fault;

/// The other answer at every question that the norm leaves open: a server with all of these is as
/// correct as one with none.
pub const OPPOSITE_CHOICES: &[Fault] = &[
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

/// What a server may do where the norm is open, and that ends it or marks it for good. One with one of
/// these is right in every MUST: whoever grades it must not let the one question spoil the others.
pub const FRAGILE: &[Fault] = &[
    Fault::DiesOfEmptyName,
    Fault::HangsOnLongName,
    Fault::RenamesOnSecondName,
    Fault::DiesOfAll,
    Fault::ClosesOnFive,
    Fault::DiesOfLargeFrame,
    Fault::KeepsOddMessages,
    Fault::HauntedByUnjoined,
    Fault::GhostOfRefused,
    Fault::StuckAfterSelfTalk,
];
