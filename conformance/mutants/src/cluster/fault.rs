//! What a faulty cluster does wrong.

/// What a faulty cluster does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClusterFault {
    /// One message in a few is acknowledged, and gone.
    LosesMessages,
    /// One message in a few is not told to one receiver.
    SkipsReceiver,
    /// One message in a few is told to one receiver twice.
    TellsTwice,
    /// A message that is sent again is stored again.
    ForgetsTags,
    /// Now and then one receiver is told two messages the wrong way round.
    Disorders,
    /// One private message in a few is told to a third user.
    LeaksPrivate,
    /// A name that is in use at another node, or at a server that is alone, is given away again.
    NameTwice,
    /// Whoever goes on at another node is announced as gone; of a server that is alone, whoever goes on over another connection.
    AnnouncesResumed,
    /// A node that is started again has forgotten what was acknowledged last.
    ForgetsAtRestart,
    /// One node's pages lack a message in a few; of a server that is alone, those of whom private messages were for have other words.
    PagesDiffer,
    /// What is refused is stored all the same.
    StoresRefused,
    /// One message in a few is told to a base client twice.
    TellsBaseTwice,
    /// One message in a few is not told to base clients.
    HidesFromBase,
    /// The past that a base client is told when it joins lacks one message.
    HoleInPast,
    /// One message of the past that a base client is told when it joins has other words.
    AltersPast,
    /// Now and then all users of a node that is well are announced as gone, and sent away.
    SendsAway,
    /// The list of users lacks one of them.
    HidesUser,
    /// One private message in a few is refused as to nobody.
    RefusesPrivate,
    /// Now and then a message is stored that nobody has sent.
    Invents,
    /// Some connections are told nothing any more once they are welcomed, and stay open.
    Hangs,
    /// Each message takes memory for ever. Users see nothing of it, so it is none of [`ClusterFault::ALL`].
    Leaks,
}

impl ClusterFault {
    /// All that users see something of.
    pub const ALL: [Self; 20] = [
        Self::LosesMessages,
        Self::SkipsReceiver,
        Self::TellsTwice,
        Self::ForgetsTags,
        Self::Disorders,
        Self::LeaksPrivate,
        Self::NameTwice,
        Self::AnnouncesResumed,
        Self::ForgetsAtRestart,
        Self::PagesDiffer,
        Self::StoresRefused,
        Self::TellsBaseTwice,
        Self::HidesFromBase,
        Self::HoleInPast,
        Self::AltersPast,
        Self::SendsAway,
        Self::HidesUser,
        Self::RefusesPrivate,
        Self::Invents,
        Self::Hangs,
    ];
}
