//! Every limit of the wire, with the reason for its size.
//!
//! All of them can be set by whoever runs a server; these are the defaults. Sizes are bytes unless said.

/// Size of the length prefix (FR-1).
pub const PREFIX: usize = 4;

/// Largest body that the server takes from a joined client (LG-3).
///
/// LG-2 asks for one message of 1 MiB. Escapes make text longer on the wire (up to three times, in bytes),
/// so this leaves room for a good part of that without letting one connection hold much memory.
pub const CLIENT_FRAME: usize = 4 * 1024 * 1024;

/// Largest body that the server takes before a name was accepted (LG-3).
///
/// A name needs a hundred bytes; the rest is room for extension keys and for weak clients that send more.
pub const JOINING_FRAME: usize = 64 * 1024;

/// Largest body that the client takes.
///
/// A welcome holds the whole kept history (HI-1) in one frame. Our server keeps 64 MiB of it, and 80 MiB at most, beside which
/// stand private messages, an id and a time for each message, at most 17 and 12 bytes, and the users; a server that keeps more
/// than this is not for this client.
pub const SERVER_FRAME: usize = 144 * 1024 * 1024;

/// Longest user name, in characters after normalisation (NM-2).
pub const USERNAME_CHARS: usize = 32;

/// The most that [`USERNAME_CHARS`] may be set to: no stored name is longer, whatever the setting was at that time.
pub const USERNAME_CHARS_MOST: usize = 256;

/// Deepest nesting of JSON lists and objects in one frame, the frame's own object included (JS-5).
///
/// The base protocol needs three levels. The bound keeps a small frame from using up the stack.
pub const JSON_DEPTH: usize = 32;

/// How many refused names one connection gets before it is closed (TK-4).
pub const NAME_TRIES: u32 = 10;

/// How many faulty messages of one frame an ERROR lists one by one; the rest is counted (IV-5).
pub const FAULTS_LISTED: usize = 8;

/// Longest offer of capabilities, in bytes (CP-3).
pub const OFFER: usize = 1024;

/// Longest tag (the idempotency key of a message), and longest id of a command, in bytes (ID-3, CM-2).
pub const TAG: usize = 64;

/// How many tags one frame may carry, and how many a session remembers for deduplication (ID-3, ID-5).
///
/// A client that sends more without waiting for their ACKS could not be told apart from one that sends them again.
pub const TAGS: usize = 256;

/// The greatest id of a message: what every JSON reader takes for an exact number (ID-1).
pub const LARGEST_ID: u64 = (1 << 53) - 1;

/// The most messages that one page of history holds (ID-6).
pub const PAGE: u16 = 500;
/// The size of a page when a query names none (ID-6).
pub const PAGE_DEFAULT: u16 = 100;

/// Longest name that may be asked for in HISTORY, in bytes: longer than any name can be.
pub const PAGE_WITH: usize = 4096;

/// Longest piece of a file in one frame (FI-2). A message behind it waits for 21.9 KB of the wire.
pub const FILE_CHUNK: usize = 16 * 1024;

/// How many arguments a command may have (CM-2).
pub const ARGUMENTS: usize = 64;

/// Longest NAME and ARGS of a command together, and longest TEXT of an answer, in bytes (CM-2, CM-4).
///
/// They wait in queues that are counted in calls, so it is what bounds those in bytes.
pub const COMMAND: usize = 16 * 1024;

/// Longest name of a server that is told to its clients, in characters: a line on a screen.
pub const SERVER_NAME_CHARS: usize = 64;

/// Longest text beside it, in characters: what fits a screen.
pub const BANNER_CHARS: usize = 2000;

/// The most messages that a client may ask for in a short welcome (RC-1).
pub const RECENT: u16 = 1000;

/// Longest name of a room behind its `#`, in characters after normalisation (RM-1).
pub const ROOM_NAME_CHARS: usize = 32;

/// Rooms that one user is a member of at most (RM-2).
pub const MEMBERSHIPS: usize = 50;

/// Connections of one account that are here under one name at most (DV-1).
pub const DEVICES: usize = 5;

/// Conversations of which one frame tells how far they were read at most; what is more is not read (MK-2).
pub const MARKS: usize = 512;

/// Longest text of who is away, in characters (PR-2).
pub const AWAY_CHARS: usize = 200;

/// Longest topic and longest description of a room, in characters.
pub const TOPIC_CHARS: usize = 400;

/// Longest message to a room, in characters: what a room may be set to, and what it has without a setting (RM-15).
pub const ROOM_CONTENT_CHARS: usize = 4000;

/// Longest interval between two messages of one user that slow mode may ask for, in seconds.
pub const SLOW_SECONDS: u32 = 3600;

/// Messages of one room that a resumed session is sent at most; HISTORY has the others (RH-6).
pub const ROOM_REPLAY: usize = 500;

/// The same, in bytes.
pub const ROOM_REPLAY_BYTES: usize = 256 * 1024;

/// Longest object of META that a client puts with one message, as JSON and without the value of E2EE, in bytes (MT-2).
pub const META: usize = 2 * 1024;

/// Longest value of E2EE that a client puts with one message, as JSON, in bytes (MT-2).
///
/// It has an entry for each device of two accounts, of which each has a text of its own.
pub const SEALED: usize = 64 * 1024;

/// The most devices that one encrypted message may be for: five of the recipient, four others of the sender, and some room.
pub const SEALED_DEVICES: usize = 16;

/// Longest name of a device, in bytes.
pub const DEVICE_ID: usize = 32;

/// Longest token of a file, in bytes: 128 random bits need 22.
pub const FILE_TOKEN: usize = 64;

/// Longest name of a file, in bytes (FI-7).
pub const FILE_NAME: usize = 128;

/// The most names that MENTIONS of one message may have (MT-4).
pub const MENTIONS: usize = 20;

/// The most messages of one frame that something may go with (MT-2): as many as may have tags.
pub const METAS: usize = 256;
