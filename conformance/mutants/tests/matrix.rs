//! The matrix finds who is to blame, on the mutants.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use conformance_suite::{
    case::Side,
    matrix::{self, Blame, Grid, Outcome, Peers, render},
};

fn server(name: &str, faults: &str) -> String {
    let binary = env!("CARGO_BIN_EXE_mutant");
    format!(
        "[[server]]\nname = '{name}'\n\
         command = '{binary} 127.0.0.1:{{port}} --cert {{cert}} --key {{key}} {faults}'\n"
    )
}

fn client(name: &str, faults: &[&str]) -> String {
    let faults: String = faults.iter().map(|fault| format!(", '--fault', '{fault}'")).collect();
    let binary = env!("CARGO_BIN_EXE_mutant-client");
    format!(
        "[[client]]\nname = '{name}'\nmeans = 'pipe'\n\
         command = ['{binary}', '{{host}}', '-p', '{{port}}', '--ca', '{{ca}}'{faults}]\n"
    )
}

async fn run(text: &str) -> Grid {
    let peers = Peers::parse(text).unwrap();
    matrix::run(&peers, 1, 0.5, &mut |_| {}).await.unwrap()
}

/// Most of what fails here fails by waiting for what never comes.
async fn run_hurried(text: &str) -> Grid {
    let peers = Peers::parse(text).unwrap();
    matrix::run(&peers, 1, 0.25, &mut |_| {}).await.unwrap()
}

fn blames(grid: &Grid, client: &str, server: &str) -> Vec<(Side, &'static str)> {
    let cell = grid.cell(client, server).unwrap();
    let steps = cell.steps.iter().filter_map(|step| match step {
        Outcome::Fails(Blame { side, clause, .. }) => Some((*side, *clause)),
        _ => None,
    });
    steps.chain(cell.broken.iter().map(|blame| (blame.side, blame.clause))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_red_cell_names_the_side_and_the_clause() {
    let text = [
        server("good", ""),
        server("silent", "--fault NoLeftNotice --fault ErrorObject"),
        client("good", &[]),
        client("shy", &["PrivateHidden", "QuitKeepsConnection"]),
        client("odd", &["FiveElements"]),
    ];
    let grid = run(&text.concat()).await;
    let page = render::console(&grid);
    assert!(grid.cell("good", "good").unwrap().is_green() && !grid.is_green(), "{page}");
    assert_eq!(blames(&grid, "good", "silent"), [(Side::Server, "UX-1")], "{page}");
    let shy = [(Side::Client, "MD-1"), (Side::Client, "QT-1")];
    assert_eq!(blames(&grid, "shy", "good"), shy, "{page}");
    let odd = blames(&grid, "odd", "good");
    assert!(
        odd.contains(&(Side::Client, "T4-1")) && odd.iter().all(|b| b.0 == Side::Client),
        "{page}"
    );
    let html = render::page(&grid);
    assert!(html.contains("the client breaks MD-1") && html.contains("everything works"));
    assert!(serde_json::to_string(&grid).unwrap().contains("\"clause\":\"UX-1\""));
}

/// A pair, how many of its first steps work, and all that is wrong.
type Outline = (String, usize, Vec<(Side, &'static str)>);

fn outline(grid: &Grid) -> Vec<Outline> {
    let cells = grid.cells.iter().map(|cell| {
        let works = cell.steps.iter().take_while(|step| **step == Outcome::Works).count();
        let pair = format!("{} at {}", cell.client, cell.server);
        (pair, works, blames(grid, &cell.client, &cell.server))
    });
    cells.collect()
}

/// Three runs of four clients at four servers give the same cells, and those that direct contact gives: a
/// client that takes one read for one frame works at a server that writes one frame at a time, whatever
/// is written shortly before or after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_runs_give_the_same_cells() {
    let text = [
        server("good", ""),
        server("chopped", "--fault SeparateFrames"),
        server("bare", "--fault NoInfo"),
        server("quiet", "--fault NoEcho --fault PrivateCopyToSender"),
        client("good", &[]),
        client("naive", &["OneReadOneBody"]),
        client("forgetful", &["SecondFrameDropped"]),
        client("fragile", &["BareWelcomeRaises"]),
    ]
    .concat();
    let first = run(&text).await;
    let page = render::console(&first);
    for name in ["good", "naive", "forgetful"] {
        for at in ["good", "bare", "quiet"] {
            assert!(first.cell(name, at).unwrap().is_green(), "{name} at {at}\n{page}");
        }
    }
    // It dies of a welcome that servers may send, and everything behind that is not tried.
    let bare = first.cell("fragile", "bare").unwrap();
    assert_eq!(blames(&first, "fragile", "bare"), [(Side::Client, "IN-1")], "{page}");
    assert!(bare.steps.iter().skip(2).all(|step| *step == Outcome::NotTried), "{page}");
    for _ in 0..2 {
        let again = run(&text).await;
        assert_eq!(outline(&again), outline(&first), "{page}\n{}", render::console(&again));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_wrongly_is_charged_to_who_sends_it() {
    let strict = [
        server("strict", "--fault ClosesAfterError"),
        client("odd", &["FiveElements"]),
        client("plain", &["Plaintext"]),
        client("little", &["LittleEndian"]),
    ];
    let grid = run_hurried(&strict.concat()).await;
    let page = render::console(&grid);
    // The server ends the session, and the client has earned it.
    let odd = blames(&grid, "odd", "strict");
    assert!(odd.contains(&(Side::Client, "T4-1")), "{page}");
    assert!(odd.iter().all(|blame| blame.0 == Side::Client), "{page}");
    assert_eq!(blames(&grid, "plain", "strict"), [(Side::Client, "TL-1")], "{page}");
    assert_eq!(blames(&grid, "little", "strict"), [(Side::Client, "FR-2")], "{page}");
    let plain = [server("plain", "--fault Plaintext"), client("plain", &["Plaintext"])];
    let grid = run_hurried(&plain.concat()).await;
    let both = [(Side::Client, "TL-1"), (Side::Server, "TL-1")];
    assert_eq!(blames(&grid, "plain", "plain"), both, "{}", render::console(&grid));
    // The client takes the word "true" for a refusal, and the next line for another name.
    let wordy = [server("wordy", "--fault AcceptedAsString"), client("good", &[])];
    let grid = run_hurried(&wordy.concat()).await;
    let wordy = blames(&grid, "good", "wordy");
    assert!(wordy.len() > 1, "{}", render::console(&grid));
    assert!(
        wordy.iter().all(|blame| *blame == (Side::Server, "AC-1")),
        "{}",
        render::console(&grid)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_started_is_a_red_cell() {
    let text = [
        "[[server]]\nname = 'gone'\ncommand = 'false {port}'\n".to_owned(),
        server("good", ""),
        "[[client]]\nname = 'gone'\ncommand = ['/no/such/client', '{port}']\n".to_owned(),
    ];
    let grid = run(&text.concat()).await;
    assert_eq!(blames(&grid, "gone", "gone"), [(Side::Server, "AC-1")]);
    assert_eq!(blames(&grid, "gone", "good"), [(Side::Client, "NM-1")]);
}

#[test]
fn peers_that_make_no_sense_are_refused() {
    for text in [
        "",
        "[[server]]\nname = 'a'\ntarget = 'x:1'\n[[server]]\nname = 'a'\ntarget = 'x:2'\n[[client]]\nname = 'b'\ncommand = []\n",
        "[[server]]\nname = 'a'\n[[client]]\nname = 'b'\ncommand = []\n",
        "[[server]]\nname = 'a'\ntarget = 'x:'\n[[client]]\nname = 'b'\ncommand = []\n",
        "[[server]]\nname = 'a'\ntarget = 'x:1'\n[[client]]\nname = 'b'\ncommand = []\nprofile = {quit = []}\n",
    ] {
        assert!(Peers::parse(text).is_err(), "{text}");
    }
}
