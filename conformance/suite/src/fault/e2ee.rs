//! What the mutant server does wrong with encrypted messages, and with the keys for them: lines of the table of its faults.

/// Adds the lines to a table.
macro_rules! with_e2ee {
    ($table:ident! { $(#[doc = $about:literal])+ $enum:ident { $($before:tt)* } }) => {
        $table! { $(#[doc = $about])+ $enum { $($before)*
    KeysPutUnanswered: "`KEYS_PUT` is never answered.",
    KeysNotFound: "`KEYS_GET` says that nothing is published.",
    KeysForAnybody: "Keys that are signed for another account are published.",
    DeviceSignatureUnchecked: "Nobody looks whether the identity key has signed a device.",
    KeySignaturesUnchecked: "Nobody looks whether a device has signed its keys.",
    IdentityReplaced: "Another identity key takes the place of the first one.",
    KeyDevicesUnlimited: "An account publishes any number of devices.",
    KeysForGuests: "Guests ask the directory of keys.",
    ClaimedTwice: "A one-time key is given to everybody who asks.",
    ClaimedPublishedAgain: "A one-time key that somebody has got is published again.",
    ClaimNewest: "The newest one-time key is given first.",
    NoFallbackKey: "Where no one-time key is left, there is none.",
    FallbackUnmarked: "A fallback key looks like a one-time key.",
    ClaimsUnlimited: "One user claims any number of keys.",
    LowUntold: "A device is not told that few of its keys are left.",
    ClaimsTold: "The owner of a key is told who claims it.",
    EntriesToEveryDevice: "Each device is told the encrypted texts of all.",
    EncryptedWithAnyText: "An encrypted message has any text beside it.",
    EncryptedForAnyDevices: "An encrypted message is for whichever devices its sender says.",
    EncryptedToAll: "An encrypted message goes to everybody.",
    EncryptedToGuests: "An encrypted message goes to a guest.",
    KeysDoneIgnored: "What a device has read is told to it again.",
    EncryptedHiddenFromBase: "Base clients are not shown encrypted messages.",
    RecentLosesEncrypted: "A short welcome leaves out encrypted texts that were not read.",
    ResetWithoutPassword: "`e2ee-reset` takes any password.",
    ResetKeepsIdentity: "`e2ee-reset` changes nothing.",
        } }
    };
    // Where another file has added its lines before, and the next one does so after.
    ($(#[doc = $about:literal])+ $enum:ident { $($before:tt)* }) => {
        with_e2ee! { faults! { $(#[doc = $about])+ $enum { $($before)* } } }
    };
}

pub(super) use with_e2ee;
