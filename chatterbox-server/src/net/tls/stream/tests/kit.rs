//! Both ends of a connection, over pipes that bring bytes in pieces of any size.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio_rustls::TlsConnector;

use crate::net::ahead::Ahead;
use crate::net::stream::Duplex;
use crate::net::tls::stream::TlsStream;
use crate::net::tls::{CertificateSource, Transport, authority_file, pem};

/// What a server has by default, and whom its clients trust. Made once: the tests of a process share it.
static LOCAL: LazyLock<(Transport, RootCertStore)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let source = CertificateSource::Local { folder: folder.path().to_owned(), hosts: Vec::new() };
    let transport = Transport::tls(source.clone()).unwrap();
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(&authority_file(&source).unwrap()).unwrap() {
        roots.add(certificate).unwrap();
    }
    (transport, roots)
});

pub(super) fn server_config() -> Arc<ServerConfig> {
    LOCAL.0.config().unwrap()
}

pub(super) fn client_config(
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(LOCAL.1.clone())
        .with_no_client_auth()
}

pub(super) fn any_client() -> ClientConfig {
    client_config(ring::default_provider(), rustls::ALL_VERSIONS)
}

pub(super) fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

pub(super) type Client = tokio_rustls::client::TlsStream<DuplexStream>;
pub(super) type Server = TlsStream<Chopped>;

/// The sizes of reads and of writes, see [`Chopped`].
pub(super) type Pieces = (Vec<usize>, Vec<usize>);

pub(super) fn whole() -> Pieces {
    (vec![usize::MAX], vec![usize::MAX])
}

/// Both ends after their handshake. Each direction has room for so many bytes.
pub(super) async fn connect(
    client: ClientConfig,
    server: Arc<ServerConfig>,
    room: usize,
    pieces: Pieces,
) -> (Client, Server) {
    let (near, far) = duplex(room);
    let connector = TlsConnector::from(Arc::new(client));
    let (client, server) = tokio::join!(
        connector.connect(localhost(), near),
        TlsStream::accept(Chopped::new(far, pieces), server)
    );
    (client.unwrap(), server.unwrap())
}

/// A client and a server as they are used.
pub(super) async fn pair(room: usize) -> (Client, Server) {
    connect(any_client(), server_config(), room, whole()).await
}

/// The end of a pipe that gives and takes so many bytes at a time, in turns; 0 makes it wait once.
pub(super) struct Chopped {
    inner: DuplexStream,
    reads: Turns,
    writes: Turns,
    /// How many bytes each write took.
    pub(super) written: Vec<usize>,
    pub(super) is_ahead: bool,
}

struct Turns {
    sizes: Vec<usize>,
    turn: usize,
}

impl Turns {
    fn size(&mut self) -> usize {
        self.turn += 1;
        self.sizes[self.turn % self.sizes.len()]
    }
}

impl Chopped {
    pub(super) fn new(inner: DuplexStream, (reads, writes): Pieces) -> Self {
        let turns = |sizes| Turns { sizes, turn: 0 };
        Self {
            inner,
            reads: turns(reads),
            writes: turns(writes),
            written: Vec::new(),
            is_ahead: false,
        }
    }
}

impl Duplex for Chopped {
    fn run_ahead(&mut self, _ahead: Ahead) {
        self.is_ahead = true;
    }

    fn is_ahead(&self) -> bool {
        self.is_ahead
    }
}

impl AsyncRead for Chopped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = self.reads.size().min(buffer.remaining());
        if most == 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut bytes = vec![0; most];
        let mut piece = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.inner).poll_read(context, &mut piece))?;
        buffer.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Chopped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let most = self.writes.size().min(bytes.len());
        if most == 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let count = ready!(Pin::new(&mut self.inner).poll_write(context, &bytes[..most]))?;
        self.written.push(count);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Polls once, and nobody is woken.
pub(super) fn once<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(Waker::noop()))
}

/// Whether somebody was woken.
#[derive(Default)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    pub(super) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The next so many bytes.
pub(super) async fn take(stream: &mut (impl AsyncRead + Unpin), count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// Waits, but not for ever.
pub(super) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("nothing happens any more")
}

/// So many bytes, in which a part is not taken for another.
pub(super) fn noise(seed: usize, count: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..count).map(|_| byte()).collect()
}
