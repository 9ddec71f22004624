//! A limit on the size of files (`ulimit -f`): writes beyond it fail, as on a full disk.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::Signal;

/// Makes writes beyond the limit fail with an error.
///
/// By default the system sends SIGXFSZ, which ends the process without a word. A handler that does nothing of importance
/// is enough: the write returns `EFBIG` then, and whoever wrote says so.
pub fn refuse_instead_of_dying() {
    // The one error is that there is no such signal; the limit is of no concern then.
    let _ = signal_hook::flag::register(Signal::XFSZ.as_raw(), Arc::new(AtomicBool::new(false)));
}
