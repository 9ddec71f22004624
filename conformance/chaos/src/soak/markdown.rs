//! The report as Markdown, with its laps and the memory of the server minute by minute.

use std::fmt::Write as _;

use conformance_kit::escape::visible;

use super::{
    memory::MemoryVerdict,
    report::{SoakReport, mib},
    rows,
};

/// So many rows the table of memory has at most, about.
const POINTS: usize = 40;

/// Renders a report.
#[must_use]
pub fn markdown(report: &SoakReport) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{text}");
    };
    line("# Soak");
    line("");
    line(&format!("**{}** (version {})", cell(&report.verdict()), report.version));
    line("");
    line("| | |");
    line("|---|---|");
    for (title, text) in report.facts() {
        line(&format!("| {title} | {} |", cell(&text)));
    }
    for skipped in &report.skipped {
        line(&format!("| skipped | {} |", cell(skipped)));
    }
    line("");
    line("| wrong | times | what it counts |");
    line("|---|--:|---|");
    for kind in rows::ROWS {
        let (title, what) = rows::row(kind);
        line(&format!("| {title} | {} | {what} |", report.count(kind)));
    }
    line("");
    for (title, finding) in &report.findings {
        for example in &finding.examples {
            line(&format!("- {title}: {}", cell(example)));
        }
    }
    for trouble in &report.troubles {
        line(&format!("- trouble: {}", cell(trouble)));
    }
    line("## Disturbances");
    line("");
    line("| word | times | what was done |");
    line("|---|--:|---|");
    for one in rows::DISTURBANCES {
        if let Some(count) = report.disturbances.get(one.word) {
            line(&format!("| {} | {count} | {} |", one.word, one.what));
        }
    }
    if let MemoryVerdict::Holds(growth) | MemoryVerdict::Grows(growth) = &report.memory {
        line("");
        line("## Memory");
        line("");
        line("| minute | at least MiB |");
        line("|--:|--:|");
        let step = growth.stretches.len().div_ceil(POINTS).max(1);
        for (at, bytes) in growth.stretches.iter().step_by(step) {
            line(&format!("| {:.0} | {:.1} |", at / 60.0, mib(*bytes)));
        }
    }
    line("");
    line("## Laps");
    line("");
    line(
        "| lap | minute | disturbances | acknowledged | deliveries | p50 ms | p99 ms | MiB | wrong |",
    );
    line("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for lap in &report.laps {
        let memory = lap.memory.map_or_else(String::new, |bytes| format!("{:.1}", mib(bytes)));
        line(&format!(
            "| {} | {} | {} | {} | {} | {:.1} | {:.0} | {memory} | {} |",
            lap.number,
            lap.from / 60,
            lap.disturbances,
            lap.acknowledged,
            lap.deliveries,
            lap.p50,
            lap.p99,
            lap.wrong
        ));
    }
    out
}

/// A text of others in a cell.
fn cell(text: &str) -> String {
    visible(text).replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use conformance_kit::net::dial::Transport;

    use super::*;
    use crate::{evidence::Fault, judge::Kind, soak::Soak};

    #[test]
    fn everything_is_in_it_and_nothing_of_others_acts() {
        let mut report = SoakReport::new(&Soak::usual(Transport::PLAIN));
        report.skipped.push("a|b\u{1b}[2J<script>".to_owned());
        let text = markdown(&report);
        for kind in Kind::ALL {
            assert!(text.contains(&format!("| {} | 0 |", rows::row(kind).0)), "{text}");
        }
        for one in rows::DISTURBANCES {
            assert!(text.contains(&format!("| {} | 0 | {} |", one.word, one.what)), "{text}");
            assert_eq!(one.word, one.fault.word_alone(), "the word while it runs");
        }
        // What has a count of 0 is named at once, and what was left out on purpose is not.
        let mut soak = Soak::usual(Transport::PLAIN);
        soak.setting.faults = vec![Fault::NodeKilled, Fault::UsersLeave];
        let mut report = SoakReport::new(&soak);
        let verdict = "everything holds; not tried: killed, leaves; memory";
        assert!(report.verdict().starts_with(verdict), "{}", report.verdict());
        report.disturbances.values_mut().for_each(|count| *count = 1);
        assert!(!report.verdict().contains("not tried"), "{}", report.verdict());
        assert!(text.contains("a\\|b") && !text.contains('\u{1b}') && !text.contains("<script"));
    }
}
