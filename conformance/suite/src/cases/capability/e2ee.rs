//! `e2ee`: the directory of public keys, and encrypted private messages as a server passes them on.
//!
//! What is encrypted here is not: a server can't know.

mod directory;
mod messages;
mod people;

use super::agreed::{AGREED_HINT, agreed};
use crate::{fault::Fault, server::Case};

const E2EE: &str = "e2ee";

const SIGNED_HINT: &str = "Check every signature over the lines of EE-1, with the number and the folded name of the account that is logged in, before you store anything.";
const JUDGED_HINT: &str = "Compare the devices in TO with those that both accounts have published, FROM left out; CONTENT is the fixed sentence, and DEST a user with keys.";

pub const CASES: &[Case] = &[
    Case::must("e2ee.agreed", "CP-2", |c| Box::pin(agreed(c, E2EE)))
        .asks("e2ee/1 is agreed to, with what it needs")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(E2EE)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("e2ee.publish", "EE-1", |c| Box::pin(directory::publish(c)))
        .asks("What is published is answered with number, device and count, and found by others")
        .hint("Keep identity and devices with the account, and answer KEYS_PUT with KEYS {ID, NUMBER, DEVICE, COUNT}.")
        .needs(&["e2ee.agreed"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::KeysPutUnanswered, Fault::KeysNotFound]),
    Case::must("e2ee.only-own", "EE-1", |c| Box::pin(directory::only_own(c)))
        .asks("Keys that are signed for another account are refused with bad-signature")
        .hint(SIGNED_HINT)
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::KeysForAnybody]),
    Case::must("e2ee.bad-signature", "EE-1", |c| Box::pin(directory::bad_signature(c)))
        .asks("Whatever has a wrong signature, device or key, is refused with bad-signature, and nothing is published")
        .hint(SIGNED_HINT)
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::DeviceSignatureUnchecked, Fault::KeySignaturesUnchecked]),
    Case::must("e2ee.other-identity", "EE-1", |c| Box::pin(directory::other_identity(c)))
        .asks("Another identity key is refused with other-identity, and the first one stays")
        .hint("The first identity key of an account stays until e2ee-reset.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::IdentityReplaced]),
    Case::must("e2ee.device-limit", "EE-1", |c| Box::pin(directory::device_limit(c)))
        .asks("Five devices are published, and the sixth is refused with too-many")
        .hint("Count the devices of the account before you add one.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::KeyDevicesUnlimited]),
    Case::must("e2ee.no-guest", "EE-2", |c| Box::pin(directory::no_guest(c)))
        .asks("A guest who asks the directory is refused with guest")
        .hint("KEYS {ID, CODE: \"guest\", ERROR} for every request of a connection that is not logged in.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::KeysForGuests]),
    Case::must("e2ee.claim-once", "EE-2", |c| Box::pin(directory::claim_once(c)))
        .asks("Twenty claims at the same time get twenty keys")
        .hint("Take the key out of the directory in the same step in which you look for it.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::ClaimedTwice]),
    Case::must("e2ee.claim-oldest", "EE-2", |c| Box::pin(directory::claim_oldest(c)))
        .asks("The one-time key that was published first is given first")
        .hint("Keep one-time keys in the order of their names, which is that in which they came.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::ClaimNewest]),
    Case::must("e2ee.never-again", "EE-1", |c| Box::pin(directory::never_again(c)))
        .asks("A one-time key that somebody has got is passed over when it is published again")
        .hint("Note the greatest name of a one-time key of each device, and pass over those that are not above it.")
        .needs(&["e2ee.claim-oldest"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::ClaimedPublishedAgain]),
    Case::must("e2ee.fallback", "EE-2", |c| Box::pin(directory::fallback(c)))
        .asks("Where no one-time key is left, everybody gets the fallback key, which says so")
        .hint("Give the fallback key with FALLBACK true, and keep it.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::NoFallbackKey, Fault::FallbackUnmarked]),
    Case::must("e2ee.claim-limit", "EE-2", |c| Box::pin(directory::claim_limit(c)))
        .asks("Who has claimed twenty keys within a minute is refused with throttled")
        .hint("Count the keys that an account has claimed in the last 60 seconds; the refusal has WAIT.")
        .needs(&["e2ee.fallback"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::ClaimsUnlimited]),
    Case::must("e2ee.low", "EE-2", |c| Box::pin(directory::low(c)))
        .asks("A device is told when fewer than ten of its one-time keys are left")
        .hint("Send KEYS_LOW {DEVICE, COUNT} to the connection that is this device after a claim.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::LowUntold]),
    Case::must("e2ee.directory-private", "EE-2", |c| Box::pin(directory::private(c)))
        .asks("Nobody is told who claims keys of whom")
        .hint("The answer to KEYS_CLAIM goes to whoever asked; the owner hears of KEYS_LOW alone.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::ClaimsTold]),
    Case::must("e2ee.own-entry", "EE-4", |c| Box::pin(messages::own_entry(c)))
        .asks("A device is told its own encrypted text, and no other")
        .hint("Keep TO with the message, and write E2EE for each connection with the entry of its device alone.")
        .needs(&["e2ee.publish", "ids.live"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::EntriesToEveryDevice]),
    Case::must("e2ee.fixed-text", "EE-3", |c| Box::pin(messages::fixed_text(c)))
        .asks("An encrypted message with another text than the fixed sentence is refused with bad-e2ee")
        .hint(JUDGED_HINT)
        .needs(&["e2ee.own-entry"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::EncryptedWithAnyText]),
    Case::must("e2ee.devices-changed", "EE-3", |c| Box::pin(messages::devices_changed(c)))
        .asks("A message for other devices than there are is refused with devices-changed, and not delivered")
        .hint(JUDGED_HINT)
        .needs(&["e2ee.own-entry"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::EncryptedForAnyDevices]),
    Case::must("e2ee.no-room", "EE-3", |c| Box::pin(messages::to_all(c)))
        .asks("An encrypted message to everybody is refused with bad-e2ee")
        .hint(JUDGED_HINT)
        .needs(&["e2ee.own-entry"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::EncryptedToAll]),
    Case::must("e2ee.to-guest", "EE-3", |c| Box::pin(messages::to_guest(c)))
        .asks("An encrypted message to a guest is refused with bad-e2ee")
        .hint(JUDGED_HINT)
        .needs(&["e2ee.own-entry"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::EncryptedToGuests]),
    Case::must("e2ee.dropped-after-done", "EE-4", |c| Box::pin(messages::dropped_after_done(c)))
        .asks("A missed encrypted text comes with the welcome of its device until that says KEYS_DONE, and the message stays")
        .hint("Note for each device up to which message it has read, and leave out E2EE up to there.")
        .needs(&["e2ee.own-entry"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::KeysDoneIgnored]),
    Case::must("e2ee.base-sentence", "EE-4", |c| Box::pin(messages::base_sentence(c)))
        .asks("A client without e2ee has the sentence, and nothing beside it")
        .hint("The tuple is a message as any other; E2EE goes with META to whoever agreed to both.")
        .needs(&["e2ee.own-entry"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::EncryptedHiddenFromBase]),
    Case::must("e2ee.recent", "EE-4", |c| Box::pin(messages::recent(c)))
        .asks("A short welcome has every private message from the first one on that its device has not read")
        .hint("RECENT shortens what anybody can page for later; what is said to be read with KEYS_DONE is dropped, so nothing unread may be left out.")
        .needs(&["e2ee.dropped-after-done", "recent.newest"])
        .extension(E2EE)
        .also(&["commands", "recent"])
        .killed_by(&[Fault::RecentLosesEncrypted]),
    Case::must("e2ee.reset", "EE-1", |c| Box::pin(directory::reset(c)))
        .asks("e2ee-reset wants the password, and removes identity and devices")
        .hint("Check the password as for passwd; KEYS_GET says IDENTITY null and no DEVICES after it.")
        .needs(&["e2ee.publish"])
        .extension(E2EE)
        .also(&["commands"])
        .killed_by(&[Fault::ResetWithoutPassword, Fault::ResetKeepsIdentity]),
];
