//! What commands do with what is known about files.

use crate::files::{FileStore as _, Quotas};
use crate::store::shared::answer::Answer;
use crate::store::shared::command::Command;
use crate::store::shared::failed::Failed;
use crate::store::sqlite::SqliteFiles;

/// Whether a command is about files.
pub(super) fn is_of_files(command: &Command) -> bool {
    use Command as C;
    matches!(
        command,
        C::ReserveFile { .. }
            | C::CompleteFile(_)
            | C::ClaimFile(_)
            | C::ReleaseFile { .. }
            | C::ShortenFile { .. }
            | C::RemoveFiles(_)
    )
}

/// Carries a command about files out.
///
/// # Errors
/// [`Failed`]; nothing was done.
pub(super) fn carry_out(store: &mut SqliteFiles, command: Command) -> Result<Answer, Failed> {
    Ok(match command {
        Command::ReserveFile { new, quotas: (account, room, all) } => {
            let new = new.read()?;
            if !store.has_account(new.account)? {
                return Ok(Answer::Overtaken);
            }
            Answer::Reserved(Box::new(store.reserve(&new, Quotas { account, room, all })?))
        }
        Command::CompleteFile(token) => Answer::Changed(store.complete(&token)?, None),
        Command::ClaimFile(claim) => Answer::Claimed(store.claim(&claim.read()?)?.map(Box::new)),
        Command::ReleaseFile { token, key } => {
            store.release(&token, &key)?;
            Answer::Done
        }
        Command::ShortenFile { token, until } => {
            store.shorten(&token, until)?;
            Answer::Done
        }
        Command::RemoveFiles(tokens) => {
            store.remove(&tokens)?;
            Answer::Done
        }
        // The others are of accounts or of moderation.
        _ => Answer::Done,
    })
}
