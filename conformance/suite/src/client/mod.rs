//! Everything that a case for clients acts with: the suite is the server, and operates the client as
//! its user would.

pub(crate) mod diagnosis;
pub(crate) mod hands;
pub(crate) mod listener;
mod observer;
pub mod operator;
pub(crate) mod peer;
pub(crate) mod probe;
pub mod profile;
pub(crate) mod quirks;
pub(crate) mod screen;
pub(crate) mod session;
pub(crate) mod shared;
pub(crate) mod side;

pub use hands::{ClientHands, Setup};
pub use listener::Where;
pub use operator::{Action, Means};
pub use profile::Profile;
pub use quirks::{Reached, Silence, Speaks};
pub use screen::ScreenMark;
pub use session::ClientSession;
pub use shared::Shared;
pub use side::{Case, ClientSide};
