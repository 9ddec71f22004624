//! Subcommands that control a running server: their arguments, as clap sees them. `control.rs` executes them.

use chatterbox_server::control::{Act, Ban, Kick, Unban};
use chatterbox_server::ops::operator::LONGEST_STOP;
use clap::{Args, Subcommand};

use crate::cli::messages::Messages;

/// Tasks of a server that runs on this machine. They reach it through a socket in its data folder, which only the user whose server
/// it is can open, and root.
#[derive(Debug, Subcommand)]
pub enum ControlCommand {
    /// Show what a running server is doing: who is here, rooms, rates, memory, certificate
    ///
    /// At most 1,000 users and 1,000 rooms are listed. Addresses are shown: who can run this owns the server.
    Status {
        #[command(flatten)]
        target: Target,
    },
    /// Tell everybody who is here something, as SERVER; it is not part of the history
    Announce {
        /// What; several words are one text
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Read the configuration file and the certificates again, as SIGHUP does, and show what has changed
    Reload {
        #[command(flatten)]
        target: Target,
    },
    /// Stop a running server, and wait until it has gone
    ///
    /// Everybody is told, and has the grace of the server's --grace to finish. While the grace lasts nobody new gets in. When it
    /// is asked for again during the grace, the server stops at once.
    Stop {
        /// Stop in so many seconds instead of after --grace; everybody is told now
        #[arg(
            long = "in",
            value_name = "SECONDS",
            value_parser = clap::value_parser!(u64).range(..=LONGEST_STOP)
        )]
        seconds: Option<u64>,
        /// Seconds after which it is expected back: everybody is told, and clients come back by themselves no sooner
        #[arg(
            long = "back-in",
            value_name = "SECONDS",
            value_parser = clap::value_parser!(u64).range(1..=LONGEST_STOP)
        )]
        back: Option<u64>, // `back_in` is a setting, which environment and file would set here

        #[command(flatten)]
        target: Target,
    },
    /// Put a user out; they may come back after 30 seconds
    Kick {
        /// The user's name
        user: String,
        /// Why, for the user
        reason: Vec<String>,
        /// Tell nobody but the user
        #[arg(long)]
        silent: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Keep somebody out: an account, a guest, an address or a network
    Ban {
        /// A user's name, an address (192.0.2.7) or a network (192.0.2.0/24)
        subject: String,
        /// Why, for the user
        reason: Vec<String>,
        /// For how long: 30s, 10m, 2h, 7d, 4w [default: until it is ended]
        #[arg(long = "for", value_name = "TIME", value_parser = duration)]
        seconds: Option<u64>,
        /// Tell nobody but the user
        #[arg(long)]
        silent: bool,
        /// Of an address or a network, only who is not logged in
        #[arg(long = "guests")]
        guests_only: bool, // `guests` is a setting, which environment and file would set here

        /// Do it although it hits others as well
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        target: Target,
    },
    /// End a ban
    Unban {
        /// A user's name, an address, a network, or the number of the ban
        subject: String,
        #[command(flatten)]
        target: Target,
    },
}

/// The server that is meant, and how it is answered.
#[derive(Debug, Args)]
pub struct Target {
    /// Print one JSON object, for programs
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub messages: Messages,
}

/// Ten years.
const LONGEST_BAN: u64 = 10 * 366 * 24 * 60 * 60;

/// Reads `90s`, `10m`, `2h`, `7d`, `4w`, or several of them: `1h30m`.
fn duration(text: &str) -> Result<u64, String> {
    let wrong = || "is no time such as 30s, 10m, 2h, 7d or 1h30m".to_owned();
    let (mut all, mut number) = (0_u64, None::<u64>);
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            let before = number.unwrap_or_default();
            let longer = before.checked_mul(10).and_then(|ten| ten.checked_add(digit.into()));
            number = Some(longer.ok_or_else(wrong)?);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            'w' => 7 * 24 * 60 * 60,
            _ => return Err(wrong()),
        };
        let part = number.take().ok_or_else(wrong)?.checked_mul(unit).ok_or_else(wrong)?;
        all = all.checked_add(part).ok_or_else(wrong)?;
    }
    if number.is_some() {
        return Err(wrong());
    }
    if !(1..=LONGEST_BAN).contains(&all) {
        return Err("is not between 1s and 10 years".to_owned());
    }
    Ok(all)
}

impl ControlCommand {
    /// Which server is meant.
    pub const fn target(&self) -> &Target {
        match self {
            Self::Status { target }
            | Self::Announce { target, .. }
            | Self::Reload { target }
            | Self::Stop { target, .. }
            | Self::Kick { target, .. }
            | Self::Ban { target, .. }
            | Self::Unban { target, .. } => target,
        }
    }

    /// What the server is asked to do.
    pub fn act(&self) -> Act {
        match self {
            Self::Status { .. } => Act::Status,
            Self::Announce { text, .. } => Act::Announce { text: text.join(" ") },
            Self::Reload { .. } => Act::Reload,
            Self::Stop { seconds, back, .. } => Act::Stop { seconds: *seconds, back: *back },
            Self::Kick { user, reason, silent, .. } => {
                Act::Kick(Kick { user: user.clone(), reason: reason.join(" "), silent: *silent })
            }
            Self::Ban { subject, reason, seconds, silent, guests_only, yes, .. } => Act::Ban(Ban {
                subject: subject.clone(),
                seconds: *seconds,
                reason: reason.join(" "),
                silent: *silent,
                guests: *guests_only,
                sure: *yes,
            }),
            Self::Unban { subject, .. } => Act::Unban(Unban { subject: subject.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::schema::settings;

    #[test]
    fn no_flag_is_a_setting_of_the_server_beside_those_of_the_folder() {
        let program = ControlCommand::augment_subcommands(clap::Command::new("x"));
        for command in program.get_subcommands() {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                let is_setting = settings().iter().any(|setting| setting.id() == id);
                let is_of_the_folder = ["data", "state", "config"].contains(&id);
                assert!(!is_setting || is_of_the_folder, "{} {id}", command.get_name());
            }
        }
    }

    #[test]
    fn times_have_units() {
        for (text, seconds) in [
            ("30s", 30),
            ("10m", 600),
            ("2h", 7200),
            ("7d", 604_800),
            ("1w", 604_800),
            ("1h30m", 5400),
        ] {
            assert_eq!(duration(text), Ok(seconds), "{text}");
        }
        for text in
            ["", "30", "s", "2y", "-2h", "1h30", "0s", "11000000000000000000w", "600w", "2 h"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
