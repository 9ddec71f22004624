//! Authentication and requests in a chat with accounts and commands.

use std::sync::{Arc, Weak};

use chatterbox_hub::{Event, Happened, Identity, MemberId, ReadMark};
use chatterbox_proto::capability::accounts::{Account, Secret};
use chatterbox_proto::capability::commands::{CommandRequest, Outcome};
use chatterbox_proto::{Capabilities, Capability, Code, Faults, Refusal, Username};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::access::{
    Attachment, Authenticator, CommandInput, Grant, House, LoginRequest, RequestHandler, Served,
    Standing, WaitingInput,
};
use crate::accounts::{AccountWish, DirectoryError, MarksWritten, Observer, WishDone};
use crate::chat::handle::Handle;
use crate::chat::shared::Chat;
use crate::chat::waiting_mail::Mailbox;
use crate::commands::caller::Caller;
use crate::commands::executor::{self, CallQueue, QueuedCall, executor};
use crate::commands::legacy;
use crate::commands::member_port::{MemberPort, Pongs};
use crate::commands::moderating::HostModerator;
use crate::commands::reply::Rejection;
use crate::commands::state::CommandState;
use crate::config::Live;
use crate::keys::KeyDesk;
use crate::moderation::Moderator;

/// The [`Authenticator`] and [`RequestHandler`] of a chat with accounts.
#[derive(Debug)]
pub struct Service {
    state: Arc<CommandState>,
    config: Live,
}

impl Service {
    /// A service whose commands share this state.
    pub fn new(state: Arc<CommandState>, config: Live) -> Self {
        Self { state, config }
    }

    async fn decide(&self, request: LoginRequest<'_>) -> Result<Grant, Refusal> {
        let accounts = &self.state.accounts;
        let resumed = match (request.proof, request.resumes) {
            (None, Some(Some(account))) => accounts.resume(account).await?,
            _ => None,
        };
        let login = match resumed {
            Some(login) => login,
            None => {
                let guests = self.state.guests();
                accounts.authenticate(request.name, request.proof, request.peer, guests).await?
            }
        };
        let account = Account {
            level: login.level.number(),
            token: login.token.as_ref().map(|token| Secret::new(token.as_str())),
        };
        Ok(Grant { account, login })
    }
}

impl Authenticator for Service {
    fn speaks(&self) -> Capabilities {
        let speaks = [
            Capability::Accounts,
            Capability::Commands,
            Capability::Devices,
            Capability::E2ee,
            Capability::Marks,
            Capability::Rooms,
        ];
        speaks.into_iter().collect()
    }

    fn authenticate<'a>(
        &'a self,
        request: LoginRequest<'a>,
    ) -> BoxFuture<'a, Result<Grant, Refusal>> {
        self.decide(request).boxed()
    }

    fn account_of<'a>(&'a self, name: &'a Username) -> BoxFuture<'a, Option<i64>> {
        async {
            let account = self.state.accounts.account(name).await;
            let failed = |error| tracing::error!(%error, "an account could not be looked up");
            account.map_err(failed).ok().flatten().map(|account| account.account_key.id)
        }
        .boxed()
    }

    fn mailbox<'a>(
        &'a self,
        sender: MemberId,
        who: &'a Identity,
        name: Username,
    ) -> BoxFuture<'a, Result<Option<Mailbox>, Code>> {
        async move { self.state.mailbox(sender, who, &name).await }.boxed()
    }

    fn keys(&self) -> Option<&KeyDesk> {
        Some(&self.state.keys)
    }

    fn happened(&self, happened: &Happened) {
        self.state.note_visit(happened);
    }

    fn share_among(&self, nodes: usize) {
        self.state.accounts.share_among(nodes);
    }

    fn set_marks(&self, marks: Vec<ReadMark>) -> BoxFuture<'_, MarksWritten> {
        self.state.accounts.set_marks(marks).boxed()
    }

    fn keep_visits(&self) -> BoxFuture<'_, ()> {
        self.state.keep_visits().boxed()
    }

    fn standing<'a>(
        &'a self,
        name: &'a Username,
    ) -> BoxFuture<'a, Result<Option<Standing>, DirectoryError>> {
        async {
            let account = self.state.accounts.account(name).await?;
            Ok(account
                .map(|account| Standing { account_key: account.account_key, level: account.level }))
        }
        .boxed()
    }

    fn watch(&self, observer: Observer) -> BoxFuture<'_, ()> {
        self.state.accounts.watch(observer).boxed()
    }

    fn accepted<'a>(&'a self, grant: &'a Grant) -> BoxFuture<'a, ()> {
        async {
            if let Err(error) = self.state.accounts.store_token(&grant.login).await {
                tracing::warn!(%error, "a token could not be kept, it is worth nothing");
            }
        }
        .boxed()
    }
}

impl RequestHandler for Service {
    fn legacy_prefix(&self) -> Option<String> {
        self.config.current().legacy_commands.then(|| self.state.prefix())
    }

    fn permissions_changed(&self, member: MemberId) {
        self.state.online.permissions_changed(member);
    }

    fn grant(&self, wish: AccountWish) -> BoxFuture<'_, Option<Result<WishDone, DirectoryError>>> {
        async move { Some(self.state.accounts.grant(wish).await) }.boxed()
    }

    fn read_settings(&self) -> BoxFuture<'_, ()> {
        async {
            if let Err(error) = self.state.read_settings().await {
                tracing::warn!(%error, "what admins have set on another node could not be read");
            }
        }
        .boxed()
    }

    fn moves_in(&self, house: Weak<dyn House>) {
        self.state.moves_in(house);
    }

    fn moderator(&self, chat: &Arc<Chat>) -> Option<Arc<dyn Moderator>> {
        Some(Arc::new(HostModerator::new(Arc::clone(&self.state), Arc::clone(chat))))
    }

    fn serve(&self, attachment: Attachment) -> BoxFuture<'static, Served> {
        serve(Arc::clone(&self.state), attachment)
    }
}

/// Serves one member for as long as it is here.
fn serve(state: Arc<CommandState>, attachment: Attachment) -> BoxFuture<'static, Served> {
    // What is only needed to begin is gone before the future is made, which is there for as long as the member.
    let Attachment { member, renamer, grant, agreed, pages, mut requests } = attachment;
    // It may have been too slow already.
    let Some(identity) = member.identity() else { return ready(Served::Unserved).boxed() };
    let pongs = Arc::new(Pongs::default());
    let (own, shared, told) = (member.clone(), Arc::clone(&state), Arc::clone(&pongs));
    let port = MemberPort::new(own, pages, shared, renamer, agreed, told);
    let caller = Arc::new(Caller::new(Box::new(port), identity, grant.login.token_hash));
    let online = state.online.enter(&caller);
    let (queue, mut executor) = executor(Arc::clone(&state), caller);
    async move {
        // A copy would have a place of its own in the future.
        let _online = &online;
        let handing_in = async {
            while let Some(request) = requests.recv().await {
                Box::pin(hand_in(&state, &queue, &member, &pongs, request)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            executor::Ended = executor.run() => Served::Done,
            () = handing_in => Served::Unserved,
        }
    }
    .boxed()
}

async fn hand_in(
    state: &CommandState,
    queue: &CallQueue,
    member: &Handle,
    pongs: &Pongs,
    request: WaitingInput,
) {
    let WaitingInput { input, room } = request;
    let room = Some(room);
    match input {
        CommandInput::Request(CommandRequest::Call(call)) => {
            if let Err(Rejection { code, text, wait, until }) =
                state.count(member).map_err(Rejection::flood)
            {
                let refused = Outcome { wait, until, ..Outcome::new(&call.id, code, text) };
                member.tell_when_read(Event::own(refused.to_object())).await;
            } else if let Err(busy) = queue.call(QueuedCall { call, room, from_base: false }) {
                member.tell_when_read(Event::own(busy.to_object())).await;
            }
        }
        CommandInput::Request(CommandRequest::Answer(answer)) => {
            if let Err(code) = queue.answer(answer) {
                member.tell_when_read(Event::error(&Faults::from(code).text())).await;
            }
        }
        CommandInput::Typed(text) => {
            // The prefix was taken off already.
            let Some(call) = legacy::call(&text, "") else { return };
            if let Err(rejection) = state.count(member).map_err(Rejection::flood) {
                member.tell_when_read(Event::error(&rejection.text)).await;
            } else if let Err(busy) = queue.call(QueuedCall { call, room, from_base: true }) {
                member.tell_when_read(Event::error(busy.text.as_wire())).await;
            }
        }
        CommandInput::Pong(number) => {
            pongs.heard(number);
        }
    }
}
