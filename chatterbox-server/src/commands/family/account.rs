//! The caller's account: `register`, `passwd`, `logout`, `elevate`.

use chatterbox_hub::{Amendment, Level, LoggedIn, Login};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::{Value, json};

use crate::accounts::Token;
use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::moderating::{Acts, Author};
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::moderation::Act;

/// The `DATA` of a login: clients log in with the token next time.
fn login_data(token: &Token, level: Level) -> Value {
    json!({"LEVEL": level.number(), "TOKEN": token.as_str()})
}

pub(in crate::commands) const REGISTER: Command = Command {
    spec: Spec {
        name: "register",
        aliases: &["p"],
        parameters: &[
            Parameter::required("password", ArgumentType::Secret).help("at least 8 characters")
        ],
        help: "Makes your name yours: nobody else gets it from now on.",
        example: "register",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"LEVEL", "TOKEN"}`: the token does what the password does, for 30 days."#,
    },
    run: |context, arguments| Box::pin(register(context, arguments)),
};

async fn register(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let who = context.who();
    if let Some(account) = who.account() {
        let text = format!("You are registered already, as {account}.");
        return Err(Rejection::new(OutcomeCode::Registered, text));
    }
    let given = arguments.secret(0);
    let secret = context.chosen_secret(given, "Choose a password (at least 8 characters):").await?;
    // Asking for the password took a while. A name that is banned does not come back as an account (MO-4).
    if let Some(refusal) = context.caller.port.excluded_as(&who.name) {
        return Err(refusal.into());
    }
    let accounts = &context.state.accounts;
    let (token, account_key) =
        accounts.register(&who.name, secret, context.caller.port.blocked(), context.peer()).await?;
    context.caller.set_token(token.hash());
    let login = LoggedIn { account: who.name.clone(), account_key };
    let amendment = Amendment { level: Some(Level::USER), ..Amendment::logged_in(login.clone()) };
    context.amend(amendment).await;
    let port = context.caller.port.moderation();
    let acts = Acts { state: context.state, port, author: Author::operator() };
    if let Err(rejection) = acts.store_followed(&login).await {
        tracing::error!(name = %who.name, reason = %rejection.text, "what was imposed on a guest is stored by name only");
    }
    let mut info = format!("{} is your name now; join with your password next time.", who.name);
    if !context.caller.agreed.has(Capability::Accounts) {
        info.push_str(" This client can't give one: you need another client then.");
    }
    Ok(Done::new(info).with_data(login_data(&token, Level::USER)))
}

pub(in crate::commands) const PASSWD: Command = Command {
    spec: Spec {
        name: "passwd",
        aliases: &["password"],
        parameters: &[
            Parameter::required("old", ArgumentType::Secret).help("the password that you have"),
            Parameter::required("new", ArgumentType::Secret)
                .help("the one that you want, at least 8 characters"),
        ],
        help: "Changes your password, and logs your other devices out.",
        example: "passwd",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"LEVEL", "TOKEN"}`, as for `register`."#,
    },
    run: |context, arguments| Box::pin(passwd(context, arguments)),
};

async fn passwd(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let login = context.login()?;
    let old = context.secret(arguments.secret(0), "Your password now:").await?;
    let new = context.chosen_secret(arguments.secret(1), "Choose a new password:").await?;
    let accounts = &context.state.accounts;
    let by = Some(context.caller.port.id());
    let (token, account_key) =
        accounts.change_password(&login, by, old, new, context.peer()).await?;
    context.caller.set_token(token.hash());
    let level = context.who().level;
    let account = login.account;
    context.amend(Amendment::logged_in(LoggedIn { account, account_key })).await;
    let info = "You have another password. Your other devices are logged out.";
    Ok(Done::new(info).with_data(login_data(&token, level)))
}

pub(in crate::commands) const LOGOUT: Command = Command {
    spec: Spec {
        name: "logout",
        aliases: &[],
        parameters: &[Parameter::optional("everywhere", ArgumentType::Text)
            .help("ends the logins of other devices, too")
            .values(&["everywhere"])],
        help: "Ends this login and the connection; with `everywhere`, the logins of other devices too.",
        example: "logout",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: "",
    },
    run: |context, arguments| Box::pin(logout(context, arguments)),
};

async fn logout(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let login = context.login()?;
    let everywhere = match arguments.text(0).as_deref() {
        None => false,
        Some("everywhere" | "--everywhere") => true,
        Some(_) => {
            return Err(context.misused());
        }
    };
    let (by, token) = (Some(context.caller.port.id()), context.caller.token());
    context.state.accounts.log_out(&login, by, token, everywhere).await?;
    // The session can't be resumed with this login any more.
    context.amend(Amendment { login: Some(Login::Out), elevated: Some(false), level: None }).await;
    Ok(Done { closes: true, ..Done::new("You are logged out, good bye.") })
}

pub(in crate::commands) const ELEVATE: Command = Command {
    spec: Spec {
        name: "elevate",
        aliases: &[],
        parameters: &[Parameter::required("admin-password", ArgumentType::Secret)
            .help("what whoever runs the server has set")],
        help: "Makes you an admin for this session, with the admin password.",
        example: "elevate",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"LEVEL"}`."#,
    },
    run: |context, arguments| Box::pin(elevate(context, arguments)),
};

async fn elevate(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let account = context.login()?.account;
    let secret = context.secret(arguments.secret(0), "The admin password:").await?;
    context.state.accounts.elevate(&account, secret, context.peer()).await?;
    context.audit(Act::Elevate, Some(&account), None, "").await?;
    context.amend(Amendment { elevated: Some(true), ..Amendment::default() }).await;
    let level = Level::ADMIN;
    Ok(Done::new(format!("You have level {level} until you leave."))
        .with_data(json!({"LEVEL": level.number()})))
}
