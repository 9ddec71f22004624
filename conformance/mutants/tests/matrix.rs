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
        "[[server]]\nname = 'a'\n[[client]]\nname = 'b'\ncommand = []\n",
        "[[server]]\nname = 'a'\ntarget = 'x:'\n[[client]]\nname = 'b'\ncommand = []\n",
        "[[server]]\nname = 'a'\ntarget = 'x:1'\n[[client]]\nname = 'b'\ncommand = []\nprofile = {quit = []}\n",
    ] {
        assert!(Peers::parse(text).is_err(), "{text}");
    }
}
