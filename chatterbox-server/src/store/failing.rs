//! A store that fails, for the tests of the library.

mod store_api {
    pub use crate::store::{Followed, Memory, Page, PageQuery, Store, StoreError};
}

#[path = "../../tests/harness/failing_store.rs"]
mod kit;

pub use kit::FailingStore;
