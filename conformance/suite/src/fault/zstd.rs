//! What the mutant server does wrong with compressed frames: lines of the table of its faults.

/// Adds the lines to a table.
macro_rules! with_zstd {
    ($table:ident! { $(#[doc = $about:literal])+ $enum:ident { $($before:tt)* } }) => {
        $table! { $(#[doc = $about])+ $enum { $($before)*
    ZstdOtherValues: "Compressed frames lack their last message.",
    ZstdWithoutSize: "Compressed frames do not say their size.",
    ZstdUnasked: "Whoever offers anything gets compressed frames.",
    ZstdNotTaken: "Compressed frames of clients are no JSON.",
    ZstdUnbounded: "Frames are inflated, however long they get.",
    ZstdSizeOptional: "Frames that do not say their size are inflated.",
    ZstdSizeUnchecked: "Frames may be shorter or longer than they say.",
    ZstdWindowUnchecked: "Frames may have any window.",
    ZstdTrailingTaken: "What stands behind a compressed frame is passed over.",
    ZstdDictionaryTaken: "The dictionary that a frame names is passed over.",
    ZstdResumed: "The welcome of a resumed session is compressed.",
    ZstdPrivate: "Private messages are compressed.",
    ZstdAlways: "Short frames are compressed, too.",
        } }
    };
    // Where another file has added its lines before, and the next one does so after.
    ($(#[doc = $about:literal])+ $enum:ident { $($before:tt)* }) => {
        with_zstd! { with_devices! { $(#[doc = $about])+ $enum { $($before)* } } }
    };
}

pub(super) use with_zstd;
