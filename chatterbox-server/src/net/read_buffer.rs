//! A read buffer for each thread, shared by its connections.
//!
//! A connection owns no buffer between two reads: thousands of idle ones need no memory, and a busy one reads in large steps.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use chatterbox_proto::frame::Decoder;
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of one read, at most.
pub(super) const READ: usize = 32 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// Reads once, `most` bytes or [`READ`], passes the bytes to `take` and returns their count; 0 is the end.
///
/// Not an asynchronous function: each connection waits here, and that would keep every argument twice.
pub(super) fn read<R: AsyncRead + Unpin>(
    reader: &mut R,
    most: usize,
    mut take: impl FnMut(&[u8]),
) -> impl Future<Output = io::Result<usize>> {
    poll_fn(move |context| {
        BUFFER.with_borrow_mut(|buffer| {
            let most = most.min(buffer.len());
            let mut buffer = ReadBuf::new(buffer.get_mut(..most).unwrap_or_default());
            ready!(Pin::new(&mut *reader).poll_read(context, &mut buffer))?;
            take(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    })
}

/// Reads once into a decoder, `most` bytes or [`READ`].
pub(super) fn read_frames<R: AsyncRead + Unpin>(
    reader: &mut R,
    decoder: &mut Decoder,
    most: usize,
) -> impl Future<Output = io::Result<usize>> {
    read(reader, most, |bytes| decoder.push(bytes))
}
