//! A piece of network that can be cut: bytes and ends of connections wait until it is whole again, as packets do
//! that are lost and sent again.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// A way from here to an address.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Where it begins.
    pub(super) address: SocketAddr,
    cut: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A way that is whole.
    pub(super) async fn to(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let from = listener.local_addr()?;
        let (cut, cuts) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut ways = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                while ways.try_join_next().is_some() {}
                ways.spawn(carry(stream, address, cuts.clone()));
            }
        });
        Ok(Self { address: from, cut, _tasks: tasks })
    }

    /// Cuts it, or mends it.
    pub(super) fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}

async fn whole(cuts: &mut watch::Receiver<bool>) {
    // The sender goes with the whole way.
    let _ = cuts.wait_for(|cut| !cut).await;
}

async fn carry(stream: TcpStream, to: SocketAddr, mut cuts: watch::Receiver<bool>) {
    whole(&mut cuts).await;
    let Ok(other) = TcpStream::connect(to).await else { return };
    let _ = (stream.set_nodelay(true), other.set_nodelay(true));
    let ((mut a, mut b), (mut c, mut d)) = (stream.into_split(), other.into_split());
    let there = pipe(&mut a, &mut d, cuts.clone());
    let back = pipe(&mut c, &mut b, cuts);
    tokio::join!(there, back);
}

async fn pipe(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut cuts: watch::Receiver<bool>,
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut piece).await;
        whole(&mut cuts).await;
        let bytes = match read {
            Ok(count @ 1..) => piece.get(..count).unwrap_or_default(),
            _ => break,
        };
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_is_sent_while_the_way_is_cut_comes_when_it_is_mended() {
        let there = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Proxy::to(there.local_addr().unwrap()).await.unwrap();
        let mut here = TcpStream::connect(proxy.address).await.unwrap();
        let (mut other, _) = there.accept().await.unwrap();
        let mut piece = [0; 3];
        here.write_all(b"one").await.unwrap();
        other.read_exact(&mut piece).await.unwrap();
        proxy.cut(true);
        here.write_all(b"two").await.unwrap();
        // Nothing to wait for: that nothing comes is the point.
        let nothing = timeout(Duration::from_millis(100), other.read_exact(&mut piece)).await;
        assert!(nothing.is_err());
        proxy.cut(false);
        other.read_exact(&mut piece).await.unwrap();
        assert_eq!(&piece, b"two");
    }
}
