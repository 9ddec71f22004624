//! The keys of the caller's account for encrypted messages: `e2ee-reset`, `e2ee-remove`.

use chatterbox_hub::Level;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::capability::meta::DeviceId;
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

const PASSWORD: Parameter =
    Parameter::required("password", ArgumentType::Secret).help("that of your account");

/// What is asked for where the password was not given.
const QUESTION: &str = "Your password:";

pub(in crate::commands) const E2EE_RESET: Command = Command {
    spec: Spec {
        name: "e2ee-reset",
        aliases: &[],
        parameters: &[PASSWORD],
        help: "Removes your identity key and all your devices for encrypted messages; another identity is told loudly to everybody.",
        example: "e2ee-reset",
        level: Level::USER,
        needs: None,
        confirm: true,
        demo: false,
        stays_on: false,
        data: "",
    },
    run: |context, arguments| Box::pin(reset(context, arguments)),
};

async fn reset(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let login = context.login()?;
    let secret = context.secret(arguments.secret(0), QUESTION).await?;
    let accounts = &context.state.accounts;
    accounts.prove(&login, secret, context.peer()).await?;
    let account = login.account_key.id;
    if !accounts.reset_keys(account).await? {
        let text = "Nothing is published for your account.";
        return Err(Rejection::new(OutcomeCode::Already, text));
    }
    tracing::info!(name = %login.account, "the keys of an account were removed");
    let info = "Your identity and your devices are removed. Begin another identity at a client of yours (\"/recovery new\" at ours): everybody is warned of it, and what was encrypted before can't be read by it.";
    Ok(Done::new(info))
}

pub(in crate::commands) const E2EE_REMOVE: Command = Command {
    spec: Spec {
        name: "e2ee-remove",
        aliases: &[],
        parameters: &[
            Parameter::required("device", ArgumentType::Text)
                .help("its name, as your client lists it"),
            PASSWORD,
        ],
        help: "Removes one of your devices for encrypted messages: nothing is encrypted for it any more.",
        example: "e2ee-remove d7",
        level: Level::USER,
        needs: None,
        confirm: true,
        demo: false,
        stays_on: false,
        data: r#"`{"DEVICE"}`."#,
    },
    run: |context, arguments| Box::pin(remove(context, arguments)),
};

async fn remove(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let login = context.login()?;
    let given = arguments.text(0).unwrap_or_default();
    let secret = context.secret(arguments.secret(1), QUESTION).await?;
    let accounts = &context.state.accounts;
    accounts.prove(&login, secret, context.peer()).await?;
    let unknown = || Rejection::new(OutcomeCode::Failed, "You have no such device.");
    let device = DeviceId::parse(&given).ok_or_else(unknown)?;
    if !accounts.remove_device(login.account_key.id, device.clone()).await? {
        return Err(unknown());
    }
    tracing::info!(name = %login.account, device = device.as_str(), "a device was removed");
    let info = format!("{} is no device of yours any more.", device.as_str());
    Ok(Done::new(info).with_data(json!({"DEVICE": device.as_str()})))
}
