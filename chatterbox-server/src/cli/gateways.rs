//! Opening the sockets of the gateways.

use chatterbox_server::gateway::GatewayAddress;
use chatterbox_server::gateway::web::WebListeners;
use chatterbox_server::net::{ListenError, listen};
use tokio::net::TcpListener;

use crate::cli::exit::{self, Failure};
use crate::cli::inherited::Inherited;
use crate::cli::settings::Serve;

/// The sockets of the gateways that the settings want.
pub struct Gateways {
    /// For browsers.
    pub web: Option<WebListeners>,
    /// For telnet.
    pub telnet: Vec<TcpListener>,
    /// For whoever asks whether users are taken.
    pub health: Vec<TcpListener>,
}

/// Opens them, or takes those that the service manager has opened for them.
///
/// # Errors
/// An address can't be had, one is not only of this machine and nothing says that it may be, or a socket is there that nobody wants.
pub async fn open(options: &Serve, inherited: &mut Inherited) -> Result<Gateways, Failure> {
    for (setting, needed) in without_effect(options) {
        tracing::warn!("--{setting} has no effect without --{needed}");
    }
    let gateways = Gateways {
        web: web(options, inherited).await?,
        telnet: telnet(options, inherited).await?,
        health: health(options, inherited).await?,
    };
    inherited.none_is_left()?;
    Ok(gateways)
}

/// The sockets of one gateway, by the name of its setting.
async fn sockets(
    options: &Serve,
    name: &str,
    address: &GatewayAddress,
    inherited: &mut Inherited,
) -> Result<Vec<TcpListener>, Failure> {
    let given = inherited.of_gateway(name)?;
    if !given.is_empty() {
        return Ok(given);
    }
    let listeners = listen(&address.host, address.port).await;
    listeners.map_err(|error| refused(options, &format!("--{name}"), &error))
}

/// Settings of a gateway that is not served, and the one that would serve it. A file may have them for other starts, so they are no mistake.
fn without_effect(options: &Serve) -> Vec<(&'static str, &'static str)> {
    let (no_web, no_telnet) = (options.web.is_none(), options.telnet.is_none());
    let no_health = options.health.is_none();
    let all = [
        (options.web_plaintext && no_web, "web-plaintext", "web"),
        (options.live.web_host.is_some() && no_web, "web-host", "web"),
        (options.telnet_anywhere && no_telnet, "telnet-anywhere", "telnet"),
        (options.metrics_anywhere && no_health, "metrics-anywhere", "health"),
    ];
    let of_no_effect = all.into_iter().filter(|(is_so, ..)| *is_so);
    of_no_effect.map(|(_, setting, needed)| (setting, needed)).collect()
}

/// A gateway can't listen.
fn refused(options: &Serve, flag: &str, error: &ListenError) -> Failure {
    let mut failure = Failure::listening_by(flag, error);
    failure.message = format!("{flag}: {}", failure.message);
    let web = options.web.as_ref().filter(|_| flag != "--web");
    let own = [(options.port, "-p"), (web.map_or(0, |web| web.port), "--web")];
    if let ListenError::InUse(address) = error
        && let Some((_, other)) = own.into_iter().find(|(port, _)| *port == address.port())
    {
        failure.hint = Some(
            format!("that is the port of {other} as well; choose another one for one of both")
                .into(),
        );
    }
    failure
}

async fn web(options: &Serve, inherited: &mut Inherited) -> Result<Option<WebListeners>, Failure> {
    let Some(address) = &options.web else { return Ok(None) };
    let listeners = sockets(options, "web", address, inherited).await?;
    let tls = !is_of_this_machine(&listeners) && !options.web_plaintext && !options.plaintext;
    Ok(Some(WebListeners { listeners, host: address.host.clone(), tls }))
}

async fn telnet(options: &Serve, inherited: &mut Inherited) -> Result<Vec<TcpListener>, Failure> {
    let Some(address) = &options.telnet else { return Ok(Vec::new()) };
    let listeners = sockets(options, "telnet", address, inherited).await?;
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

/// Anybody may ask whether users are taken: the answer is a word.
async fn health(options: &Serve, inherited: &mut Inherited) -> Result<Vec<TcpListener>, Failure> {
    let Some(address) = &options.health else { return Ok(Vec::new()) };
    sockets(options, "health", address, inherited).await
}

/// Whether only this machine can reach these.
pub fn is_of_this_machine(listeners: &[TcpListener]) -> bool {
    let is_loopback =
        |listener: &TcpListener| listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
    listeners.iter().all(is_loopback)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn options(line: &[&str]) -> Serve {
        let line = [&["chatterbox-server"], line].concat();
        crate::cli::command_line::Cli::try_parse_from(line).unwrap().serve
    }

    #[test]
    fn settings_of_a_gateway_that_is_not_served_are_told() {
        let told = |line: &[&str]| without_effect(&options(line));
        assert_eq!(told(&["--web-host", "chat.example"]), [("web-host", "web")]);
        assert_eq!(told(&["--metrics-anywhere"]), [("metrics-anywhere", "health")]);
        assert!(told(&["--metrics-anywhere", "--health"]).is_empty());
        assert_eq!(
            told(&["--web-plaintext", "--telnet-anywhere"]),
            [("web-plaintext", "web"), ("telnet-anywhere", "telnet")]
        );
        let served =
            ["--web", "--web-plaintext", "--web-host", "x", "--telnet", "--telnet-anywhere"];
        assert!(told(&served).is_empty());
        assert_eq!(options(&served).telnet.unwrap().to_string(), "localhost:2323");
    }
}
