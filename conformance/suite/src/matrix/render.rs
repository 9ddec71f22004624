//! The grid, for a terminal, a browser and programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use conformance_kit::escape::visible;
use maud::{DOCTYPE, html};

use super::{
    blame::{Blame, Outcome},
    cell::{Cell, STEPS},
    grid::Grid,
};
use crate::case::Side;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// One letter for each step: what was tried and works, what does not, what was not tried.
fn letters(cell: &Cell) -> String {
    let steps = STEPS.iter().zip(&cell.steps).map(|((id, _), step)| match step {
        Outcome::Works => letter(id).to_ascii_uppercase(),
        Outcome::Fails(_) => '!',
        Outcome::NotTried => '.',
    });
    let mut text: String = steps.collect();
    if !cell.broken.is_empty() {
        text.push('*');
    }
    text
}

/// The letter of a step; capital in the grid.
fn letter(id: &str) -> char {
    match id {
        "join" => 'j',
        "all-out" => 's',
        "all-in" => 'r',
        "private-out" => 'p',
        "private-in" => 'q',
        _ => 'l',
    }
}

/// The grid with ANSI styles, and whose fault every red cell is.
#[must_use]
pub fn console(grid: &Grid) -> String {
    let mut out = String::new();
    let names = grid.clients.iter().chain(&grid.servers);
    let width = names.map(String::len).chain([10]).max().unwrap_or(10) + 2;
    // Writing to a String can't fail.
    let _ = write!(out, "{:width$}", "");
    for client in &grid.clients {
        let _ = write!(out, "{:width$}", visible(client));
    }
    let _ = writeln!(out);
    for server in &grid.servers {
        let _ = write!(out, "{:width$}", visible(server));
        for client in &grid.clients {
            let Some(cell) = grid.cell(client, server) else { continue };
            let style = if cell.is_green() { GOOD } else { BAD };
            let _ = write!(out, "{style}{:width$}{style:#}", letters(cell));
        }
        let _ = writeln!(out);
    }
    let legend: Vec<String> = STEPS
        .iter()
        .map(|(id, title)| format!("{} {title}", letter(id).to_ascii_uppercase()))
        .collect();
    let _ = writeln!(
        out,
        "\n{QUIET}{}; ! fails, . not tried, * an invariant is broken{QUIET:#}",
        legend.join(", ")
    );
    for cell in grid.cells.iter().filter(|cell| !cell.is_green()) {
        let (client, server) = (visible(&cell.client), visible(&cell.server));
        let _ = writeln!(out, "\n{BAD}{client} at {server}{BAD:#}");
        for (what, blame) in faults(cell) {
            let _ = writeln!(out, "  {what:16} {}", sentence(blame));
        }
    }
    out
}

/// Everything that is wrong in a cell.
fn faults(cell: &Cell) -> Vec<(&'static str, &Blame)> {
    let steps = STEPS.iter().zip(&cell.steps).filter_map(|((_, title), step)| match step {
        Outcome::Fails(blame) => Some((*title, blame)),
        _ => None,
    });
    steps.chain(cell.broken.iter().map(|blame| ("invariant", blame))).collect()
}

fn sentence(blame: &Blame) -> String {
    let side = match blame.side {
        Side::Client => "the client",
        Side::Server => "the server",
    };
    format!("{side} breaks {}: {}", blame.clause, visible(&blame.what))
}

/// One page.
#[must_use]
pub fn page(grid: &Grid) -> String {
    const CSS: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#222;background:#fff}
table{border-collapse:collapse}th,td{border:1px solid #bbb;padding:.4rem .8rem;text-align:left;vertical-align:top}
.good{background:#e3f4e3}.bad{background:#fbe0e0}ul{margin:.3rem 0;padding-left:1.2rem}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}.good{background:#173a17}.bad{background:#4a1717}}";
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Clients and servers" }
                style { (CSS) }
            }
            body {
                h1 { "Clients and servers" }
                table {
                    tr {
                        th scope="col" { "server \\ client" }
                        @for client in &grid.clients { th scope="col" { (visible(client)) } }
                    }
                    @for server in &grid.servers {
                        tr {
                            th scope="row" { (visible(server)) }
                            @for client in &grid.clients {
                                @if let Some(cell) = grid.cell(client, server) {
                                    td class=(if cell.is_green() { "good" } else { "bad" }) {
                                        @if cell.is_green() { "everything works" }
                                        ul {
                                            @for (what, blame) in faults(cell) {
                                                li { (what) ": " (sentence(blame)) }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                p {
                    "Tried: "
                    (STEPS.map(|(_, title)| title).join(", "))
                    "."
                }
            }
        }
    }
    .into_string()
}
