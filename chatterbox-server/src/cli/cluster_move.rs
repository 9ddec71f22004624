//! `cluster move-in` and `cluster move-out`: a database becomes the beginning of a cluster, and one of a node starts alone again.

#![allow(
    clippy::disallowed_methods,
    reason = "the edge: waits for the engine, and shows how far it is"
)]

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use chatterbox_server::order::Place;
use chatterbox_server::order::jetstream::{
    EngineError, EngineSettings, JetStream, MonitorUrl, check_monitors,
};
use chatterbox_server::store::Followed;
use chatterbox_server::store::sqlite::{Load, OpenError, Stopped};
use chatterbox_server::{Behind, BehindError, MoveError, MoveIn, Moved, Moving, look_behind};
use time::OffsetDateTime;

use crate::cli::cluster_command::{MoveIn as MoveInCommand, MoveOut};
use crate::cli::cluster_settings::ClusterSettings;
use crate::cli::data_folder;
use crate::cli::exit::{self, Failure};

/// An engine that can't be reached for so long is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// For move-out, which can do without, it is much less.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);

/// The time between two attempts to reach the engine.
const REST: Duration = Duration::from_secs(1);

/// How often it is shown how far it is.
const SHOWN: Duration = Duration::from_secs(1);

/// What a message takes in the log beside its JSON, at most: names, and under whom it is filed.
const OVERHEAD: u64 = 256;

/// Runs `cluster move-in`.
///
/// # Errors
/// Everything that keeps the database from moving in. The inner error is one of stdout.
pub fn move_in(command: &MoveInCommand, stdout: &mut dyn Write) -> Result<io::Result<()>, Failure> {
    let folder = data_folder::existing(&command.messages)?;
    let engine = engine(&command.settings)?;
    let monitors = command.settings.monitors()?;
    let database = open(&folder)?;
    let cluster = engine.cluster.to_string();
    let moving = MoveIn::of(database, &cluster).map_err(|error| refused(&error, &folder))?;
    let engine = EngineSettings { begins_behind: moving.place(), ..engine };
    let began = Instant::now();
    let moved = runtime()?.block_on(async {
        let opened = connect(&engine, &monitors, PATIENCE).await?;
        has_room(&opened, &engine, moving.load()).await?;
        let mut shown = began;
        let told = |moving: Moving| {
            if shown.elapsed() >= SHOWN {
                shown = Instant::now();
                eprintln!("{}", progress(&moving, began.elapsed()));
            }
        };
        let moved = moving.run(&opened, &opened, told).await;
        moved.map_err(|error| refused(&error, &folder))
    })?;
    Ok(print_moved(&moved, &cluster, &folder, began.elapsed(), stdout))
}

fn print_moved(
    moved: &Moved,
    cluster: &str,
    folder: &Path,
    took: Duration,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Moved { place, load: Load { messages, bytes }, before } = moved;
    let took = took.as_secs_f64();
    let when = if *before { "before".to_owned() } else { format!("in {took:.1} s") };
    writeln!(
        out,
        "moved  {messages} messages ({bytes} bytes) into cluster {cluster}, behind place {place}, {when}"
    )?;
    writeln!(
        out,
        "kept   rooms, accounts, settings, sanctions, audit log and reports, as the snapshot of place {place}"
    )?;
    writeln!(
        out,
        "next   start the nodes with --cluster, with empty data folders; one of them may have this one"
    )?;
    writeln!(
        out,
        "undo   chatterbox-server cluster move-out --data {}: it starts alone again, without what the nodes did since",
        folder.display()
    )?;
    out.flush()
}

fn progress(moving: &Moving, took: Duration) -> String {
    let Moving { written, load } = moving;
    let rate = rate(written.messages, took);
    format!("{} messages of {} are written, {rate} a second", written.messages, load.messages)
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is shown only"
)]
fn rate(messages: u64, took: Duration) -> u64 {
    (messages as f64 / took.as_secs_f64().max(0.001)) as u64
}

/// Runs `cluster move-out`.
///
/// # Errors
/// Everything that keeps the database from moving out. The inner error is one of stdout.
pub fn move_out(command: &MoveOut, stdout: &mut dyn Write) -> Result<io::Result<()>, Failure> {
    let folder = data_folder::existing(&command.messages)?;
    let mut database = open(&folder)?;
    let Some((cluster, followed)) = database.cluster()? else {
        return Ok(writeln!(
            stdout,
            "{} belongs to no cluster: it starts alone as it is",
            folder.display()
        ));
    };
    let newest = database.newest()?;
    // Numbers go on above those that other nodes have given, as far as the engine says so.
    let mut last = 0;
    if command.settings.cluster.is_some() {
        let engine = engine(&command.settings)?;
        if engine.cluster.to_string() == cluster {
            last = compare(&engine, followed, newest, command.behind)?;
        } else {
            eprintln!(
                "chatterbox-server: note: it belongs to cluster {cluster}, and not to {}: nobody was asked",
                engine.cluster
            );
        }
    }
    let moment = database.moment()?;
    database.leave(last)?;
    let newest = if moment == 0 {
        "it has no messages".to_owned()
    } else {
        format!("its newest message is of {}", date(moment))
    };
    let Followed { place, .. } = followed;
    Ok(writeln!(
        stdout,
        "{} starts alone from now on: it has followed cluster {cluster} up to place {place}; {newest}",
        folder.display()
    ))
}

fn date(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map_or_else(
        |_| "?".to_owned(),
        |at| format!("{} {:02}:{:02}:{:02} UTC", at.date(), at.hour(), at.minute(), at.second()),
    )
}

/// Asks the engine what the database would be without.
fn compare(
    engine: &EngineSettings,
    followed: Followed,
    newest: u64,
    anyway: bool,
) -> Result<Place, Failure> {
    let looked = runtime()?.block_on(async {
        let opened = tokio::time::timeout(SHORT_PATIENCE, JetStream::look(engine)).await;
        match opened {
            Err(_) => Err(BehindError::Unanswered("it takes too long".to_owned())),
            Ok(Err(EngineError::Refused(why))) => Err(BehindError::Refused(why)),
            Ok(Err(error)) => Err(BehindError::Unanswered(error.to_string())),
            Ok(Ok(None)) => Ok(Behind::default()),
            Ok(Ok(Some((opened, _)))) => look_behind(&opened, followed, newest).await,
        }
    });
    let behind = |last: Place, message: String| {
        if anyway {
            eprintln!("chatterbox-server: note: {message}");
            return Ok(last);
        }
        Err(Failure {
            message,
            hint: Some("start the node until it has read everything, and stop all of them; or --behind, if it may be lost".into()),
            code: exit::MESSAGES,
        })
    };
    match looked {
        Ok(found) if found.is_nothing() => Ok(found.last),
        Ok(Behind { last, messages, changes }) => behind(
            last,
            format!(
                "the cluster is ahead: up to place {last} there are {messages} messages and {changes} other changes that this database has not"
            ),
        ),
        Err(BehindError::Unanswered(why)) => {
            eprintln!(
                "chatterbox-server: note: the engine does not say whether there is more: {why}"
            );
            Ok(0)
        }
        Err(error) => {
            let last = if let BehindError::Ahead { last, .. } = error { last } else { 0 };
            behind(last, error.to_string())
        }
    }
}

fn open(folder: &Path) -> Result<Stopped, Failure> {
    Stopped::open(folder).map_err(|error| {
        let is_in_use = matches!(error, OpenError::InUse(_));
        let failure = Failure::from(error);
        let hint = if is_in_use { Some("stop the server first".into()) } else { failure.hint };
        Failure { hint, ..failure }
    })
}

fn engine(settings: &ClusterSettings) -> Result<EngineSettings, Failure> {
    settings.engine()?.ok_or_else(|| Failure {
        message: "where is the engine?".to_owned(),
        hint: Some("--cluster nats://HOST:4222, or a configuration file that says it".into()),
        code: exit::USAGE,
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // The database is read between two answers of the engine, whose client goes on beside that.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::system("can't start threads", &error))
}

async fn connect(
    engine: &EngineSettings,
    monitors: &[MonitorUrl],
    patience: Duration,
) -> Result<JetStream, Failure> {
    let began = Instant::now();
    loop {
        let attempt = async {
            check_monitors(monitors).await?;
            JetStream::connect(engine).await
        };
        match attempt.await {
            Ok(opened) => return Ok(opened),
            Err(EngineError::Refused(message)) => {
                let hint = "`chatterbox-server cluster check` looks at all of the engine";
                return Err(Failure {
                    message,
                    hint: Some(hint.into()),
                    code: exit::CONFIGURATION,
                });
            }
            Err(error) if began.elapsed() >= patience => {
                let message = error.to_string();
                return Err(Failure { message, hint: None, code: exit::UNAVAILABLE });
            }
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
}

/// Whether the log keeps all of it: otherwise the oldest would be gone before a node has read it.
async fn has_room(opened: &JetStream, engine: &EngineSettings, load: Load) -> Result<(), Failure> {
    let kept = opened.log_bytes().await.map_err(|error| Failure {
        message: error.to_string(),
        hint: None,
        code: exit::UNAVAILABLE,
    })?;
    let needed = load.bytes.saturating_add(load.messages.saturating_mul(OVERHEAD));
    match kept {
        Some(kept) if needed > kept => {
            let stream = engine.cluster.log_stream();
            Err(Failure {
                message: format!(
                    "the messages may take {needed} bytes in the log, of which the engine keeps {kept}"
                ),
                hint: Some(
                    format!("nats stream edit {stream} --max-bytes {}", needed.saturating_mul(2))
                        .into(),
                ),
                code: exit::CONFIGURATION,
            })
        }
        _ => Ok(()),
    }
}

fn refused(error: &MoveError, folder: &Path) -> Failure {
    let hint = match error {
        MoveError::Unanswered(_) => "run it again: it goes on where it was".to_owned(),
        MoveError::OfAnother(name) => format!(
            "give --cluster-name {name} to go on; or make it one that starts alone first: chatterbox-server cluster move-out --data {}",
            folder.display()
        ),
        MoveError::OfNode(_) => format!(
            "the other nodes have what it has; to begin another cluster with it: chatterbox-server cluster move-out --data {}",
            folder.display()
        ),
        MoveError::Begins { .. } | MoveError::Foreign(_) => {
            "choose another --cluster-name; or, if nothing in it is needed, remove the two streams of this one from the engine (nats stream rm) and run it again"
                .to_owned()
        }
        _ => String::new(),
    };
    let code = match error {
        MoveError::Unanswered(_) => exit::UNAVAILABLE,
        MoveError::Database(_) => exit::MESSAGES,
        MoveError::Overtaken => exit::REFUSED,
        _ => exit::CONFIGURATION,
    };
    let hint = Some(hint).filter(|hint| !hint.is_empty()).map(Into::into);
    Failure { message: error.to_string(), hint, code }
}
