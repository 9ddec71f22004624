//! What the mutant server does wrong with several devices of a user, and with their marks: lines of the table of its faults.

/// Adds the lines to a table.
macro_rules! with_devices {
    ($table:ident! { $(#[doc = $about:literal])+ $enum:ident { $($before:tt)* } }) => {
        $table! { $(#[doc = $about])+ $enum { $($before)*
    DeviceTaken: "A second connection of a user is refused: the name is taken.",
    DevicesListed: "`USER_LIST` has a name once for each device.",
    DevicesAnnounced: "The others are told `USERS_JOINED` of each device.",
    DevicesLeave: "The others are told `USERS_LEFT` of each device.",
    DeviceFirstAlone: "Private messages reach the first device of a user only.",
    DeviceCopiesMissing: "What one device says in private does not come to the others.",
    DevicesUnlimited: "A user may have any number of devices.",
    DeviceUnproven: "Whoever speaks of devices joins under a name in use, whoever they are.",
    DeviceOfNoOffer: "A device joins beside a connection that does not speak of devices.",
    DeviceWithoutOwnPrivate: "The welcome of a device lacks the private messages that its user sent.",
    DeviceResumedWithoutOwn: "A resumed device misses the private messages that its user sent.",
    DeviceNickAlone: "`nick` changes the name of the device that says it only.",
    DeviceKickAlone: "A kick ends one connection of its user only.",
    DeviceResumedOfNoOffer: "A session goes on without `devices` beside a device.",
    DeviceResumedAnew: "No session goes on while another device of its user is here.",
    MarkGoesBack: "A mark goes back when a client says so.",
    MarkUnclamped: "A mark goes to wherever a client says.",
    MarkUntold: "The other devices are not told of a mark.",
    MarkToEverybody: "Everybody who speaks of marks is told of a mark.",
    MarkToItself: "Whoever sets a mark is told of it.",
    MarkOfOwnMissing: "One's own messages move no mark.",
    UnreadUncapped: "`UNREAD` counts beyond 100.",
    MarkRoomMissing: "Of rooms there are no marks.",
    MarkUnchecked: "A malformed `READ` is passed over.",
    MarkOfGuestRefused: "A guest who marks gets an `ERROR`.",
    MarkOfNothing: "A mark of a conversation that the user has not is kept, and told.",
        } }
    };
    // Where another file has added its lines before, and the next one does so after.
    ($(#[doc = $about:literal])+ $enum:ident { $($before:tt)* }) => {
        with_devices! { with_files! { $(#[doc = $about])+ $enum { $($before)* } } }
    };
}

pub(super) use with_devices;
