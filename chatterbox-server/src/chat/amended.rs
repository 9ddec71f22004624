//! Whoever follows what other nodes change of members of this one.

use std::sync::OnceLock;

use chatterbox_hub::MemberId;

/// Is told which members of this node were changed by another one; it must not wait for anything.
#[derive(Default)]
pub(super) struct Amended(OnceLock<Box<dyn Fn(MemberId) + Send + Sync>>);

impl std::fmt::Debug for Amended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Amended")
    }
}

impl Amended {
    /// Tells `watch` from now on. A second one is ignored.
    pub(super) fn watch(&self, watch: Box<dyn Fn(MemberId) + Send + Sync>) {
        let _ = self.0.set(watch);
    }

    /// Another node has changed this member.
    pub(super) fn tell(&self, member: MemberId) {
        if let Some(watch) = self.0.get() {
            watch(member);
        }
    }
}
