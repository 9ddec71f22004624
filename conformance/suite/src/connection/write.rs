//! The writing half of a connection.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

/// Writes bytes at once; whatever keeps it from doing so is told in words, and is no verdict.
pub(crate) async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    patience: Duration,
    peer: &str,
) -> Result<(), String> {
    let writing = async {
        writer.write_all(bytes).await?;
        writer.flush().await
    };
    let written: Result<io::Result<()>, _> = timeout(patience, writing).await;
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("the suite could not write: {error}")),
        Err(_) => Err(format!("the {peer} stopped reading")),
    }
}
