//! Reading into a buffer that all connections of a thread share.
//!
//! Between two reads a connection owns no buffer at all, so thousands of idle ones cost nothing, and a busy one reads in
//! large steps.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use chatterbox_proto::frame::Decoder;
use tokio::io::{AsyncRead, ReadBuf};

/// How much is read at a time, at most.
const READ: usize = 32 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// Reads once, hands what came to `take`, and says how much that was; 0 is the end.
pub(super) async fn read<R: AsyncRead + Unpin>(
    reader: &mut R,
    mut take: impl FnMut(&[u8]),
) -> io::Result<usize> {
    poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *reader).poll_read(context, &mut buffer))?;
            take(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    })
    .await
}

/// Reads once into a decoder.
pub(super) async fn read_frames<R: AsyncRead + Unpin>(
    reader: &mut R,
    decoder: &mut Decoder,
) -> io::Result<usize> {
    read(reader, |bytes| decoder.push(bytes)).await
}
