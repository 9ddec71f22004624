//! A network that loses connections: hands bytes on, and cuts at places that a seed decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A way to a server on which connections are cut.
pub(crate) struct Cutting {
    pub(crate) port: u16,
    cuts: Arc<AtomicU32>,
}

/// A cut comes after at most this many bytes, of both directions together; a handshake alone is about 3,000.
const FURTHEST: u64 = 30_000;

impl Cutting {
    /// Cuts so many connections, and then no more.
    pub(crate) async fn before(server: u16, cuts: u32, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let done = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&done);
        tokio::spawn(async move {
            let mut random = seed;
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let budget = if counter.load(Ordering::SeqCst) < cuts {
                    random = next(random);
                    1 + random % FURTHEST
                } else {
                    u64::MAX
                };
                if hand_on(near, far, Arc::new(AtomicU64::new(budget))).await {
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        Self { port, cuts: done }
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> u32 {
        self.cuts.load(Ordering::SeqCst)
    }
}

/// SplitMix64: good enough for places to cut at.
fn next(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Says whether it was cut.
async fn hand_on(near: TcpStream, far: TcpStream, budget: Arc<AtomicU64>) -> bool {
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    let there = copy(&mut near_in, &mut far_out, &budget);
    let back = copy(&mut far_in, &mut near_out, &budget);
    tokio::select! {
        cut = there => cut,
        cut = back => cut,
    }
}

async fn copy(
    from: &mut tokio::net::tcp::OwnedReadHalf,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    budget: &AtomicU64,
) -> bool {
    let mut piece = [0; 4096];
    loop {
        let Ok(got @ 1..) = from.read(&mut piece).await else { return false };
        let left = budget.load(Ordering::SeqCst);
        let passed = usize::try_from(left).map_or(got, |left| got.min(left));
        budget.fetch_sub(passed as u64, Ordering::SeqCst);
        if to.write_all(&piece[..passed]).await.is_err() {
            return false;
        }
        if passed < got {
            return true;
        }
    }
}
