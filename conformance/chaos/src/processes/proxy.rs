//! A piece of network that can be cut: bytes and ends of connections wait until it is whole again, as packets do
//! that are lost and sent again. It can also break, which ends what it carries half way.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use conformance_kit::net::dial::connect_from;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// The system keeps about so many bytes in each direction: where users don't read, the far end has to notice.
const BUFFER: usize = 32 * 1024;
/// A connection that breaks carries half of what comes next, if something does so soon.
const BREAKING: Duration = Duration::from_millis(50);

/// A way from here to an address.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Where it begins.
    pub(super) address: SocketAddr,
    cut: watch::Sender<bool>,
    /// How often it broke.
    broken: watch::Sender<u64>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A way that is whole.
    pub(super) async fn to(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let from = listener.local_addr()?;
        let ((cut, cuts), (broken, breaks)) = (watch::channel(false), watch::channel(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut ways = JoinSet::new();
            loop {
                let Ok((stream, peer)) = listener.accept().await else { continue };
                while ways.try_join_next().is_some() {}
                // Whoever comes from an address of its own comes from there at the far end, too.
                let source = Some(peer.ip()).filter(|ip| *ip != Ipv4Addr::LOCALHOST);
                ways.spawn(carry(stream, source, address, cuts.clone(), breaks.clone()));
            }
        });
        Ok(Self { address: from, cut, broken, _tasks: tasks })
    }

    /// Cuts it, or mends it.
    pub(super) fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }

    /// Ends all connections in the middle of what they carry. New ones are whole.
    pub(super) fn sever(&self) {
        self.broken.send_modify(|times| *times += 1);
    }
}

async fn whole(cuts: &mut watch::Receiver<bool>) {
    // The sender goes with the whole way.
    let _ = cuts.wait_for(|cut| !cut).await;
}

async fn carry(
    stream: TcpStream,
    source: Option<IpAddr>,
    to: SocketAddr,
    mut cuts: watch::Receiver<bool>,
    mut breaks: watch::Receiver<u64>,
) {
    // What broke before is no concern of this one.
    breaks.mark_unchanged();
    whole(&mut cuts).await;
    let Ok(other) = connect_from(source, to).await else { return };
    let _ = (stream.set_nodelay(true), other.set_nodelay(true));
    // With the sizes of the system it works as well, only later.
    let _ = set_socket_send_buffer_size(&stream, BUFFER);
    let _ = set_socket_recv_buffer_size(&other, BUFFER);
    let ((mut a, mut b), (mut c, mut d)) = (stream.into_split(), other.into_split());
    let there = pipe(&mut a, &mut d, cuts.clone(), breaks.clone());
    let back = pipe(&mut c, &mut b, cuts, breaks.clone());
    let broken = async {
        // The sender goes with the whole way.
        let _ = breaks.changed().await;
        sleep(BREAKING).await;
    };
    tokio::select! {
        _ = async { tokio::join!(there, back) } => {}
        () = broken => {}
    }
}

async fn pipe(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut cuts: watch::Receiver<bool>,
    breaks: watch::Receiver<u64>,
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut piece).await;
        whole(&mut cuts).await;
        let bytes = match read {
            Ok(count @ 1..) => piece.get(..count).unwrap_or_default(),
            _ => break,
        };
        if breaks.has_changed().unwrap_or(true) {
            let _ = to.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default()).await;
            // Its end is told when all of the connection breaks.
            return std::future::pending().await;
        }
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn whoever_has_an_address_of_its_own_has_it_at_the_far_end() {
        let far = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Proxy::to(far.local_addr().unwrap()).await.unwrap();
        let own = IpAddr::from([127, 1, 0, 5]);
        let _here = connect_from(Some(own), proxy.address).await.unwrap();
        let accepted = timeout(Duration::from_secs(60), far.accept()).await.unwrap();
        assert_eq!(accepted.unwrap().1.ip(), own);
    }

    /// A way, and a connection over it, from here and from there.
    async fn connected() -> (Proxy, TcpStream, TcpStream) {
        let there = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Proxy::to(there.local_addr().unwrap()).await.unwrap();
        let here = TcpStream::connect(proxy.address).await.unwrap();
        let (other, _) = there.accept().await.unwrap();
        (proxy, here, other)
    }

    #[tokio::test]
    async fn what_is_sent_while_the_way_is_cut_comes_when_it_is_mended() {
        let (proxy, mut here, mut other) = connected().await;
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

    #[tokio::test]
    async fn a_connection_that_breaks_ends_in_the_middle_and_another_one_is_whole() {
        let there = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Proxy::to(there.local_addr().unwrap()).await.unwrap();
        for _ in 0..2 {
            let mut here = TcpStream::connect(proxy.address).await.unwrap();
            let (mut other, _) = there.accept().await.unwrap();
            let mut piece = [0; 4];
            here.write_all(b"whole").await.unwrap();
            other.read_exact(&mut piece).await.unwrap();
            other.read_exact(&mut piece[..1]).await.unwrap();
            proxy.sever();
            here.write_all(b"half").await.unwrap();
            let mut rest = Vec::new();
            // It may end with an error, as a broken connection does.
            let _ = other.read_to_end(&mut rest).await;
            assert!(b"ha".starts_with(&rest), "{rest:?}");
            assert!(matches!(here.read(&mut piece).await, Ok(0) | Err(_)));
        }
    }
}
