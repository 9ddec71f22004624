//! Files that this user sends and fetches (FI-1 to FI-7): what is known of them, and how far each transfer is. Nothing here touches a
//! disk: [`FileWork`] says what is to be done there, and [`FileNews`] what came of it.

mod attached;
mod download;
mod fault;
mod name;
mod path;
mod rate;
mod shelf;
mod size;
mod told;
mod transfer;
mod transfers;
mod upload;
mod work;

pub use attached::Attached;
pub use fault::FileFault;
pub use name::SafeName;
pub use told::{TransferState, TransferTold};
pub use work::{FileNews, FileWork};

pub(crate) use download::Download;
pub(crate) use path::first_path;
pub(crate) use shelf::{Shelf, Shelved};
pub(crate) use size::in_words;
pub(crate) use transfer::Kind;
pub(crate) use transfers::Transfers;
pub(crate) use upload::{Announced, Upload};
