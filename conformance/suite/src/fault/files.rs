//! What the mutant server does wrong with files: lines of the table of its faults.

/// Adds the lines to a table.
macro_rules! with_files {
    ($table:ident! { $(#[doc = $about:literal])+ $enum:ident { $($before:tt)* } }) => {
        $table! { $(#[doc = $about])+ $enum { $($before)*
    FileLastPieceLost: "The last piece of a file that is shorter than the others is lost.",
    FileEmptyNeverDone: "An empty file is never there.",
    FileMetaTokenOnly: "META FILE is the token alone.",
    FileUploadForgotten: "An upload that was cut begins anew.",
    FileGetFromStart: "A fetch begins at 0 whatever AT says.",
    FileCreditExceeded: "Files are sent in whole pieces, beyond the credit.",
    FilePlaceUnchecked: "Pieces of an upload are put one behind the other, whatever their places are.",
    FileChunkUnbounded: "Pieces of more than 16 KiB are taken.",
    FileDigestUnchecked: "The digest of what came is not compared.",
    FileAnnouncedEarly: "A file can be announced before it is there.",
    FileAnnouncedTwice: "A file can be announced again.",
    FileAnnouncedElsewhere: "A file can be announced to whom it was not put for.",
    FileForEverybody: "Whoever has a token fetches the file.",
    FileOfOthersTold: "Who may not fetch a file is told so, other than of a token that there is not.",
    FileOfOthersAnnounced: "A file can be announced by who has not put it.",
    FileForNonMembers: "Files of a room are for everybody who speaks rooms.",
    FileForFormerMembers: "Who was a member fetches the files of a room.",
    FileOutlivesClear: "Files of a room are there when their messages were cleared.",
    FileForBlocked: "Files are fetched between users of whom one blocks the other.",
    FileBeforeChat: "All pieces of a fetch are queued before anything else.",
    FileSlowGetterStalls: "Nobody is served until the piece is read that somebody fetches.",
    FileTransfersUnbounded: "Any number of transfers run for one connection.",
    FileStopIgnored: "`FILE_STOP` is not looked at.",
    FileQuotaUnchecked: "Files of any size are taken.",
    FileQuotaUntold: "A file that is too large is refused without the numbers.",
    FileOfGuests: "Guests may upload files.",
    FileNameUnchecked: "Names of files may be anything.",
    FileNameInCharacters: "Names of files are counted in characters.",
    FileMetaOfSender: "META FILE is what its sender says.",
    FileRequestsUnchecked: "Malformed requests about files are ignored.",
    FileLongNameMalformed: "`FILE_PUT` with a very long text is answered with `ERROR`, without its ID.",
    FileLongTokenMalformed: "`FILE_GET` with a token that is too long is answered with `ERROR`, without its ID.",
    FileToBase: "META goes to base clients as well, where there is a file.",
        } }
    };
    // Where another file has added its lines before.
    ($(#[doc = $about:literal])+ $enum:ident { $($before:tt)* }) => {
        with_files! { with_e2ee! { $(#[doc = $about])+ $enum { $($before)* } } }
    };
}

pub(super) use with_files;
