//! The hands of a case that judges a client: the suite is the server, and operates the client as its user would.

pub mod hands;
pub mod listener;
mod observer;
pub mod operator;
pub mod peer;
pub mod probe;
pub mod profile;
pub mod quirks;
pub mod screen;
pub mod session;
pub mod shared;
pub mod side;

pub use hands::{ClientHands, Setup};
pub use listener::Where;
pub use operator::{Action, Means};
pub use profile::Profile;
pub use quirks::Silence;
pub use screen::ScreenMark;
pub use session::ClientSession;
pub use shared::Shared;
pub use side::{Case, ClientSide};
