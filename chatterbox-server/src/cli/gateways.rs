//! Opening the sockets of the gateways.

use chatterbox_server::gateway::web::WebListeners;
use chatterbox_server::net::listen;
use tokio::net::TcpListener;

use crate::cli::exit::{self, Failure};
use crate::cli::settings::Serve;

/// The sockets of the gateways that the settings want.
pub struct Gateways {
    /// For browsers.
    pub web: Option<WebListeners>,
    /// For telnet.
    pub telnet: Vec<TcpListener>,
}

/// Opens them.
///
/// # Errors
/// An address can't be had, or one is not only of this machine and nothing says that it may be.
pub async fn open(options: &Serve) -> Result<Gateways, Failure> {
    Ok(Gateways { web: web(options).await?, telnet: telnet(options).await? })
}

async fn web(options: &Serve) -> Result<Option<WebListeners>, Failure> {
    let Some(address) = &options.web else { return Ok(None) };
    let listeners = listen(&address.host, address.port).await;
    let listeners = listeners.map_err(|error| Failure::listening_by("--web", &error))?;
    let tls = !is_of_this_machine(&listeners) && !options.web_plaintext && !options.plaintext;
    Ok(Some(WebListeners { listeners, host: address.host.clone(), tls }))
}

async fn telnet(options: &Serve) -> Result<Vec<TcpListener>, Failure> {
    let Some(address) = &options.telnet else { return Ok(Vec::new()) };
    let listeners = listen(&address.host, address.port).await;
    let listeners = listeners.map_err(|error| Failure::listening_by("--telnet", &error))?;
    if !is_of_this_machine(&listeners) && !options.telnet_anywhere {
        return Err(Failure {
            message: format!("telnet on {address} would send everything in the clear"),
            hint: Some(
                "--telnet-anywhere says that this is wanted; --telnet PORT is for this machine only"
                    .into(),
            ),
            code: exit::USAGE,
        });
    }
    Ok(listeners)
}

/// Whether only this machine can reach these.
pub fn is_of_this_machine(listeners: &[TcpListener]) -> bool {
    let is_loopback =
        |listener: &TcpListener| listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
    listeners.iter().all(is_loopback)
}
