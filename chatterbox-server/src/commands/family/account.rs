//! The caller's account: `register`, `passwd`, `logout`, `elevate`.

use chatterbox_hub::Level;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::{Value, json};

use crate::accounts::Token;
use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

/// The `DATA` of a login: clients log in with the token next time.
fn login(token: &Token, level: Level) -> Value {
    json!({"LEVEL": level.number(), "TOKEN": token.as_str()})
}

pub(in crate::commands) const REGISTER: Command = Command {
    spec: Spec {
        name: "register",
        aliases: &["p"],
        parameters: &[Parameter::required("password", ArgumentType::Secret)],
        help: "Makes your name yours: nobody else gets it from now on.",
        example: "register",
        level: Level::GUEST,
        needs: None,
        stays_on: false,
        data: r#"`{"LEVEL", "TOKEN"}`: the token does what the password does, for 30 days."#,
    },
    run: |context, arguments| Box::pin(register(context, arguments)),
};

async fn register(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let who = context.who();
    if let Some(account) = who.account {
        let text = format!("You are registered already, as {account}.");
        return Err(Rejection::new(OutcomeCode::Registered, text));
    }
    let given = arguments.secret(0);
    let secret = context.chosen_secret(given, "Choose a password (at least 8 characters):").await?;
    let accounts = &context.desk.accounts;
    let (token, account_key) =
        accounts.register(&who.name, secret, who.blocked, context.session.peer).await?;
    let (name, hash) = (who.name.clone(), token.hash());
    context.desk.change(context.session, |who| {
        who.account = Some(name);
        who.account_key = account_key;
        who.level = Level::USER;
        who.token = Some(hash);
    });
    let mut info = format!("{} is your name now; join with your password next time.", who.name);
    if !context.session.agreed.has(Capability::Accounts) {
        info.push_str(" This client can't give one: you need another client then.");
    }
    Ok(Done::new(info).with_data(login(&token, Level::USER)))
}

pub(in crate::commands) const PASSWD: Command = Command {
    spec: Spec {
        name: "passwd",
        aliases: &["password"],
        parameters: &[
            Parameter::required("old", ArgumentType::Secret),
            Parameter::required("new", ArgumentType::Secret),
        ],
        help: "Changes your password; other devices have to log in again when they come back.",
        example: "passwd",
        level: Level::USER,
        needs: None,
        stays_on: false,
        data: r#"`{"LEVEL", "TOKEN"}`, as for `register`."#,
    },
    run: |context, arguments| Box::pin(passwd(context, arguments)),
};

async fn passwd(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let who = context.who();
    let account = who.account.ok_or_else(no_account)?;
    let old = context.secret(arguments.secret(0), "Your password now:").await?;
    let new = context.chosen_secret(arguments.secret(1), "Choose a new password:").await?;
    let accounts = &context.desk.accounts;
    let (token, account_key) =
        accounts.change_password(&account, old, new, context.session.peer).await?;
    let hash = token.hash();
    context.desk.change(context.session, |who| {
        who.account_key = account_key;
        who.token = Some(hash);
    });
    let info = "You have another password. Other devices have to log in again when they come back; who is connected stays so.";
    Ok(Done::new(info).with_data(login(&token, who.level)))
}

pub(in crate::commands) const LOGOUT: Command = Command {
    spec: Spec {
        name: "logout",
        aliases: &[],
        parameters: &[Parameter::optional("everywhere", ArgumentType::Text)],
        help: "Ends this login and the connection; with `everywhere`, the logins of other devices too.",
        example: "logout",
        level: Level::USER,
        needs: None,
        stays_on: false,
        data: "",
    },
    run: |context, arguments| Box::pin(logout(context, arguments)),
};

async fn logout(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let who = context.who();
    let login = who.logged_in().ok_or_else(no_account)?;
    let token = match arguments.text(0).as_deref() {
        None => who.token,
        Some("everywhere" | "--everywhere") => None,
        Some(_) => {
            return Err(context.misused());
        }
    };
    context.desk.accounts.log_out(&login, token).await?;
    // The session can't be resumed with this login any more.
    context.desk.change(context.session, |who| {
        who.account = None;
        who.elevated = false;
    });
    Ok(Done { closes: true, ..Done::new("You are logged out, good bye.") })
}

pub(in crate::commands) const ELEVATE: Command = Command {
    spec: Spec {
        name: "elevate",
        aliases: &[],
        parameters: &[Parameter::required("admin-password", ArgumentType::Secret)],
        help: "Makes you an admin for this session, with the admin password.",
        example: "elevate",
        level: Level::USER,
        needs: None,
        stays_on: false,
        data: r#"`{"LEVEL"}`."#,
    },
    run: |context, arguments| Box::pin(elevate(context, arguments)),
};

async fn elevate(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let account = context.who().account.ok_or_else(no_account)?;
    let secret = context.secret(arguments.secret(0), "The admin password:").await?;
    context.desk.accounts.elevate(&account, secret, context.session.peer).await?;
    context.desk.change(context.session, |who| who.elevated = true);
    let level = Level::ADMIN;
    Ok(Done::new(format!("You have level {level} until you leave."))
        .with_data(json!({"LEVEL": level.number()})))
}

fn no_account() -> Rejection {
    Rejection::new(OutcomeCode::Forbidden, "You are not logged in.")
}
