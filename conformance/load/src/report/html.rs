//! One page for a browser, in one file without scripts or foreign resources.

use conformance_kit::{
    escape::{visible, visible_lines},
    page::STYLE,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    LoadReport, Sample, Verdict,
    console::{self, short, time},
    float,
    plot::{Line, Plot, Tick, decades, ticks},
};
use crate::latency::Figures;

const OWN_STYLE: &str = include_str!("plot.css");

/// Renders a report.
#[must_use]
pub fn render(report: &LoadReport) -> String {
    let title = format!("{} at {}", report.setting.workload, visible(&report.target));
    page(
        &title,
        &html! {
            header {
                h1 { (title) }
                p.verdict.(tone(report.verdict)) { (sentence(report)) }
                @for reason in &report.reasons { p.meta { (visible(reason)) } }
            }
            main {
                section { h2 { "Figures" } div.scroll { pre { (console::render(report)) } } }
                (latency(report))
                (over_time(report))
            }
        },
    )
}

/// Renders why there is nothing to show.
#[must_use]
pub fn trouble(title: &str, what: &str) -> String {
    page(
        title,
        &html! {
            header { h1 { (title) } p.verdict.open { "The run did not come to its end." } }
            main { pre { (visible_lines(what)) } }
        },
    )
}

fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(OWN_STYLE)) }
            }
            body { (body) }
        }
    }
    .into_string()
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Right => "pass",
        Verdict::Wrong => "fail",
        Verdict::Inconclusive => "open",
    }
}

fn sentence(report: &LoadReport) -> String {
    let checked = report.checks.deliveries;
    match report.verdict {
        Verdict::Right => format!("Every one of {checked} deliveries was right."),
        Verdict::Wrong => "Something was wrong.".to_owned(),
        Verdict::Inconclusive => "The run did not become what it was to be.".to_owned(),
    }
}

fn latency(report: &LoadReport) -> Markup {
    let Some(traffic) = &report.traffic else { return html! {} };
    let first = if report.setting.rate.is_some() { "from the scheduled time" } else { "as sent" };
    let mut curves = vec![(first.to_owned(), traffic.latency.as_ref())];
    curves.push(("corrected for stalls".to_owned(), traffic.corrected.as_ref()));
    curves.push(("of those who flood".to_owned(), traffic.flood.as_ref()));
    let limit = report.limits.iter().find(|limit| limit.mode == "coalesced");
    curves.push((
        "of the limit".to_owned(),
        limit.and_then(|l| l.traffic.as_ref()?.latency.as_ref()),
    ));
    let lines: Vec<Line> = curves
        .into_iter()
        .filter_map(|(name, figures)| Some(Line { name, points: curve(figures?) }))
        .collect();
    let values = lines.iter().flat_map(|line| &line.points).map(|(_, y)| 10_f64.powf(*y));
    let (least, most) = values.fold((f64::MAX, 1.0_f64), |(a, b), n| (a.min(n), b.max(n)));
    if lines.is_empty() {
        return html! {};
    }
    let plot = Plot {
        title: "Latency by percentile".to_owned(),
        x: PERCENTILES
            .iter()
            .map(|(quantile, text)| Tick { at: nines(*quantile), text: (*text).to_owned() })
            .collect(),
        y: decades(least, most, micros),
        lines,
        shade: None,
    };
    html! { section { h2 { "Latency by percentile" } (plot.render()) } }
}

const PERCENTILES: &[(f64, &str)] = &[
    (0.0, "0 %"),
    (0.5, "50 %"),
    (0.9, "90 %"),
    (0.99, "99 %"),
    (0.999, "99.9 %"),
    (0.9999, "99.99 %"),
];

/// How many nines a quantile has: 0.99 has two.
fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile.min(0.9999)).log10()
}

fn curve(figures: &Figures) -> Vec<(f64, f64)> {
    let upto = figures.curve.iter().filter(|(quantile, _)| *quantile <= 0.9999);
    upto.map(|(quantile, micros)| (nines(*quantile), float((*micros).max(1)).log10())).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shown rounded")]
fn micros(number: f64) -> String {
    time(number as u64)
}

/// A title, and what it counts.
type Curve = (&'static str, fn(&Sample) -> Option<f64>);

fn over_time(report: &LoadReport) -> Markup {
    let samples = &report.timeline;
    let end = samples.last().map_or(1.0, |sample| sample.at);
    let x = ticks(end, |at| format!("{at} s"));
    let measured = samples.iter().filter(|sample| sample.measured).map(|sample| sample.at);
    let shade = measured.clone().reduce(f64::min).zip(measured.reduce(f64::max));
    let figures: [Curve; 3] = [
        ("Deliveries a second", |sample| Some(float(sample.deliveries))),
        ("Users joining a second", |sample| Some(float(sample.joined))),
        ("Server CPU, processors", |sample| sample.cpu),
    ];
    html! {
        @for (title, value) in figures {
            @let points = rates(samples, value);
            @let most = points.iter().map(|(_, y)| *y).fold(0.0, f64::max);
            @if points.len() > 1 && most > 0.0 {
                section {
                    h2 { (title) }
                    (Plot {
                        title: format!("{title} over time"),
                        x: x.clone(),
                        y: ticks(most, |at| if most < 10.0 { format!("{at:.1}") } else { short(at) }),
                        lines: vec![Line { name: title.to_owned(), points }],
                        shade,
                    }.render())
                }
            }
        }
    }
}

/// The shortest time over which a rate is told: the system counts CPU time in hundredths of seconds.
const SPAN: f64 = 0.25;

/// The counters as rates.
fn rates(samples: &[Sample], value: impl Fn(&Sample) -> Option<f64>) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    let mut before: Option<(f64, f64)> = None;
    for sample in samples {
        let Some(count) = value(sample) else { continue };
        match before {
            Some((at, last)) if sample.at - at >= SPAN => {
                points.push((sample.at, (count - last) / (sample.at - at)));
                before = Some((sample.at, count));
            }
            Some(_) => {}
            None => before = Some((sample.at, count)),
        }
    }
    points
}
