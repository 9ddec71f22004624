//! What the mutant server does wrong with what goes with messages: lines of the table of its faults.

/// Adds the lines to a table.
macro_rules! with_meta {
    ($table:ident! { $(#[doc = $about:literal])+ $enum:ident { $($before:tt)* } }) => {
        $table! { $(#[doc = $about])+ $enum { $($before)*
    MetaUntold: "What goes with messages is told to nobody.",
    MetaLiveOnly: "Welcomes and pages have no `META`.",
    MetaToEverybody: "Everybody gets `META`.",
    MetaPastToEverybody: "Welcomes and pages have `META` for everybody.",
    MetaOfLobbyOnly: "Private messages and those to rooms have no `META`.",
    MetaNotResumed: "The welcome of a resumed session has no `META`.",
    MetaWithoutNeeds: "`meta` is agreed on without `ids`.",
    MetaRefusedDelivered: "A message that is refused for its `META` is delivered, too.",
    MetaUnchecked: "A `META` of another shape is passed over, and its messages are delivered.",
    ReplyUnchecked: "`REPLY` may name any message, and none.",
    ReplyElsewhereTold: "A `REPLY` to a message of another conversation is refused in other words than one to none.",
    MentionsUnchecked: "`MENTIONS` keeps names of nobody who can read the message.",
    MentionsTwice: "`MENTIONS` keeps a name as often as it was put there.",
    MentionAllByAnybody: "Everybody may mention `ALL`.",
        } }
    };
}

pub(super) use with_meta;
