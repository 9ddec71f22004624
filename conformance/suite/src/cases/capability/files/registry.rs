//! `files`: the rows of its cases.

use super::{bounds, fetching, reach, sharing, uploading};
use crate::{
    cases::capability::agreed::{AGREED_HINT, agreed},
    fault::Fault,
    server::Case,
};

const FILES: &str = "files";

const WAYS: &str =
    "Ask one function whether somebody can read the message, each time that a file is asked for.";
const CREDIT: &str = "Keep the place reached and the place up to which may be sent, and compare before anything is written.";
const ANNOUNCED: &str = "Look the token up when the message comes: all of it is there, this account has put it, for this DEST, and no message has it.";

pub const CASES: &[Case] = &[
    Case::must("files.agreed", "CP-2", |c| Box::pin(agreed(c, FILES)))
        .asks("files/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(FILES)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("files.roundtrip", "FI-3", |c| Box::pin(uploading::roundtrip(c)))
        .asks("A file comes out as it went in, whatever its size")
        .hint("The last piece may be short, and an empty file has none.")
        .needs(&["files.agreed"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileLastPieceLost, Fault::FileEmptyNeverDone]),
    Case::must("files.announced", "FI-3", |c| Box::pin(sharing::announces(c)))
        .asks("META FILE has token, name, size and digest as the server knows them")
        .hint("Put the object into META where the message is stored, so that the welcome has it as well.")
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileMetaTokenOnly]),
    Case::must("files.resume-put", "FI-1", |c| Box::pin(uploading::resume(c)))
        .asks("An upload that was cut goes on with its token at the place reached")
        .hint("Find the unfinished upload by account, digest, size and TO.")
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileUploadForgotten]),
    Case::must("files.resume-get", "FI-4", |c| Box::pin(fetching::resume(c)))
        .asks("A fetch that was cut goes on at any place")
        .hint("AT is where the first chunk begins.")
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileGetFromStart]),
    Case::must("files.credit", "FI-2", |c| Box::pin(fetching::credit(c)))
        .asks("Of a file not a byte is sent beyond the credit")
        .hint(CREDIT)
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileCreditExceeded]),
    Case::must("files.gap", "FI-2", |c| Box::pin(uploading::gap(c)))
        .asks("A chunk at another place or above 16 KiB ends the upload")
        .hint(CREDIT)
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FilePlaceUnchecked, Fault::FileChunkUnbounded]),
    Case::must("files.digest", "FI-3", |c| Box::pin(uploading::wrong_digest(c)))
        .asks("What has another digest is removed")
        .hint("Hash the bytes as they are written, and compare before DONE.")
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileDigestUnchecked]),
    Case::must("files.not-announced-before-done", "FI-3", |c| Box::pin(uploading::not_before_done(c)))
        .asks("A file that is not all there can't be announced")
        .hint(ANNOUNCED)
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileAnnouncedEarly]),
    Case::must("files.once", "FI-3", |c| Box::pin(reach::once(c)))
        .asks("A file is announced once, and only where it was put for")
        .hint(ANNOUNCED)
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileAnnouncedTwice, Fault::FileAnnouncedElsewhere]),
    Case::must("files.foreign-token", "FI-4", |c| Box::pin(reach::foreign_token(c)))
        .asks("Who can't read the message is told the same as of a token that there is not")
        .hint(WAYS)
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileForEverybody, Fault::FileOfOthersTold, Fault::FileOfOthersAnnounced]),
    Case::must("files.non-member", "FI-4", |c| Box::pin(reach::non_member(c)))
        .asks("A file of a room is for its members")
        .hint(WAYS)
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands", "rooms"])
        .killed_by(&[Fault::FileForNonMembers]),
    Case::must("files.left", "FI-4", |c| Box::pin(reach::left(c)))
        .asks("Who has left a room fetches nothing of it")
        .hint(WAYS)
        .needs(&["files.non-member"])
        .extension(FILES)
        .also(&["accounts", "commands", "rooms"])
        .killed_by(&[Fault::FileForFormerMembers]),
    Case::must("files.cleared", "FI-6", |c| Box::pin(reach::cleared(c)))
        .asks("A file goes with its message, and with its room")
        .hint("Remove the file with what is cleared, and with the room; or look both up when the file is asked for.")
        .needs(&["files.non-member"])
        .extension(FILES)
        .also(&["accounts", "commands", "rooms"])
        .killed_by(&[Fault::FileOutlivesClear]),
    Case::must("files.blocked", "FI-4", |c| Box::pin(reach::blocked(c)))
        .asks("There is no fetch and no upload between users of whom one blocks the other")
        .hint(WAYS)
        .needs(&["files.foreign-token"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileForBlocked]),
    Case::must("files.chat-first", "FI-5", |c| Box::pin(fetching::chat_first(c)))
        .asks("A message does not wait for the rest of a file")
        .hint("Write a chunk only when nothing else waits for the connection, and one at a time.")
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileBeforeChat]),
    Case::must("files.slow-getter", "FI-5", |c| Box::pin(fetching::slow_getter(c)))
        .asks("Who fetches and does not read delays nobody else")
        .hint("Prepare the next chunk when the one before is written, without a lock that others need.")
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileSlowGetterStalls]),
    Case::must("files.two-at-a-time", "FI-5", |c| Box::pin(fetching::two_at_a_time(c)))
        .asks("A third transfer of one connection is busy")
        .hint("Count uploads and downloads of the connection together.")
        .needs(&["files.roundtrip"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileTransfersUnbounded]),
    Case::must("files.abort", "FI-2", |c| Box::pin(fetching::abort(c)))
        .asks("FILE_STOP ends a transfer, and removes an upload")
        .hint("Forget the transfer, and what came of an upload.")
        .needs(&["files.credit"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileStopIgnored]),
    Case::must("files.quota", "FI-1", |c| Box::pin(bounds::quota(c)))
        .asks("A file that is too large is refused with the numbers")
        .hint("FILE {\"CODE\": \"too-long\", \"SPACE\": {\"OF\": \"file\", \"MOST\", \"LEFT\"}}, before anything is sent.")
        .needs(&["files.agreed"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileQuotaUnchecked, Fault::FileQuotaUntold]),
    Case::must("files.guest", "FI-1", |c| Box::pin(bounds::guest(c)))
        .asks("Who has no account uploads nothing")
        .hint("Look at the level of the account.")
        .needs(&["files.agreed"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileOfGuests]),
    Case::should("files.name-hostile", "FI-7", |c| Box::pin(uploading::hostile_names(c)))
        .asks("A name that acts on a screen or a disk is refused")
        .hint("No separators, control or bidirectional characters, no leading dot, at most 128 bytes.")
        .needs(&["files.agreed"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileNameUnchecked, Fault::FileNameInCharacters]),
    Case::must("files.spoofed-meta", "FI-3", |c| Box::pin(sharing::spoofed(c)))
        .asks("What a sender says of name and size is told to nobody")
        .hint("Of META FILE take the token, and everything else from where the file is known.")
        .needs(&["files.announced"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileMetaOfSender]),
    Case::must("files.malformed", "FI-2", |c| Box::pin(bounds::malformed(c)))
        .asks("Malformed requests about files are answered with ERROR")
        .hint("Check the type of each key of the object.")
        .needs(&["files.agreed"])
        .extension(FILES)
        .killed_by(&[Fault::FileRequestsUnchecked]),
    Case::must("files.long-texts", "FI-1", |c| Box::pin(bounds::long_texts(c)))
        .asks("A text that is too long is refused under the ID of its request")
        .hint("A text of any length is a text: judge it like one that is wrong, instead of the whole request.")
        .needs(&["files.agreed"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileLongNameMalformed, Fault::FileLongTokenMalformed]),
    Case::must("files.base-text", "CP-5", |c| Box::pin(sharing::base_text(c)))
        .asks("A base client gets the text of a message with a file, and nothing of the file")
        .hint("META goes only where it was agreed to.")
        .needs(&["files.announced"])
        .extension(FILES)
        .also(&["accounts", "commands"])
        .killed_by(&[Fault::FileToBase]),
];
