//! Plots as inline SVG: lines over a grid, coloured by the page, so that they follow light and dark.

use std::fmt::Write as _;

use conformance_kit::escape::visible;
use maud::{Markup, PreEscaped};

/// How wide a plot is, in units of the drawing.
pub(super) const WIDTH: f64 = 720.0;
/// How high it is.
pub(super) const HEIGHT: f64 = 260.0;
/// Where its x axis begins.
pub(super) const LEFT: f64 = 74.0;
const BOTTOM: f64 = 34.0;
const TOP: f64 = 14.0;
const RIGHT: f64 = 34.0;

/// One line of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its output.
    pub name: String,
    /// Its points, sorted by x.
    pub points: Vec<(f64, f64)>,
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub at: f64,
    /// What it says.
    pub text: String,
}

/// A plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// A description for screen readers.
    pub title: String,
    /// Marks of the x axis; the first and the last are its ends.
    pub x: Vec<Tick>,
    /// Marks of the y axis; the first and the last are its ends.
    pub y: Vec<Tick>,
    /// The lines, at most four.
    pub lines: Vec<Line>,
    /// A stretch of the x axis that stands out.
    pub shade: Option<(f64, f64)>,
}

impl Plot {
    fn place_x(&self, x: f64) -> f64 {
        LEFT + part(&self.x, x) * (WIDTH - LEFT - RIGHT)
    }

    fn place_y(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - part(&self.y, y) * (HEIGHT - TOP - BOTTOM)
    }

    /// Draws it for a page, with its legend.
    #[must_use]
    pub fn render(&self) -> Markup {
        let mut out = String::new();
        let title = escaped(&self.title);
        let _ =
            write!(out, r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">"#);
        self.draw(&mut out);
        out.push_str("</svg>");
        if self.lines.len() > 1 {
            out.push_str(r#"<p class="legend">"#);
            for (number, line) in self.lines.iter().enumerate() {
                let name = escaped(&line.name);
                let _ = write!(out, r#"<span class="key{number}">{name}</span> "#);
            }
            out.push_str("</p>");
        }
        PreEscaped(out)
    }

    /// Draws axes and lines, from 0 to [`WIDTH`] and [`HEIGHT`].
    pub(super) fn draw(&self, out: &mut String) {
        if let Some((from, to)) = self.shade {
            let (from, to) = (self.place_x(from), self.place_x(to));
            let height = HEIGHT - TOP - BOTTOM;
            let _ = write!(
                out,
                r#"<rect class="shade" x="{from:.1}" y="{TOP}" width="{:.1}" height="{height}"/>"#,
                (to - from).max(0.0)
            );
        }
        for tick in &self.y {
            let y = self.place_y(tick.at);
            let (end, text) = (WIDTH - RIGHT, escaped(&tick.text));
            let _ = write!(
                out,
                r#"<path class="grid" d="M{LEFT} {y:.1}H{end}"/><text x="{:.1}" y="{:.1}" text-anchor="end">{text}</text>"#,
                LEFT - 8.0,
                y + 4.0
            );
        }
        for tick in &self.x {
            let x = self.place_x(tick.at);
            let (end, text) = (HEIGHT - BOTTOM, escaped(&tick.text));
            let _ = write!(
                out,
                r#"<path class="grid" d="M{x:.1} {TOP}V{end}"/><text x="{x:.1}" y="{:.1}" text-anchor="middle">{text}</text>"#,
                HEIGHT - BOTTOM + 18.0
            );
        }
        for (number, line) in self.lines.iter().enumerate() {
            let mut path = String::new();
            for (n, (x, y)) in line.points.iter().enumerate() {
                let letter = if n == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{letter}{:.1} {:.1}", self.place_x(*x), self.place_y(*y));
            }
            let _ = write!(out, r#"<path class="line line{number}" d="{path}"/>"#);
        }
    }
}

/// How far along an axis something lies, from 0 to 1.
fn part(axis: &[Tick], at: f64) -> f64 {
    let (Some(first), Some(last)) = (axis.first(), axis.last()) else { return 0.0 };
    let span = last.at - first.at;
    if span > 0.0 { ((at - first.at) / span).clamp(0.0, 1.0) } else { 0.0 }
}

/// Round numbers from 0 to `most` or a little more, at most seven.
#[must_use]
pub fn ticks(most: f64, shown: impl Fn(f64) -> String) -> Vec<Tick> {
    let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
    let rough = most / 5.0;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .iter()
        .map(|factor| factor * magnitude)
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let mut ticks = Vec::new();
    let mut at = 0.0;
    loop {
        ticks.push(Tick { at, text: shown(at) });
        if at >= most || ticks.len() > 7 {
            return ticks;
        }
        at += step;
    }
}

/// Powers of ten around two numbers, as logarithms.
#[must_use]
pub fn decades(least: f64, most: f64, shown: impl Fn(f64) -> String) -> Vec<Tick> {
    let from = least.max(1.0).log10().floor();
    let to = most.max(10.0).log10().ceil().max(from + 1.0);
    let mut ticks = Vec::new();
    let mut at = from;
    while at <= to {
        ticks.push(Tick { at, text: shown(10_f64.powf(at)) });
        at += 1.0;
    }
    ticks
}

/// A text as it may stand in a drawing.
pub(super) fn escaped(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_far_enough() {
        for (most, last) in [(0.0, 1.0), (7.0, 8.0), (9.1, 10.0), (1234.0, 1500.0), (48.0, 50.0)] {
            let ticks = ticks(most, |at| format!("{at}"));
            assert!((2..=8).contains(&ticks.len()), "{most}: {ticks:?}");
            assert!((ticks.last().unwrap().at - last).abs() < 1e-9, "{most}: {ticks:?}");
        }
        let decades = decades(150.0, 20_000.0, |at| format!("{at}"));
        let texts: Vec<_> = decades.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(texts, ["100", "1000", "10000", "100000"]);
    }

    #[test]
    fn names_do_not_break_out() {
        let plot = Plot {
            title: "<b>\"".to_owned(),
            x: ticks(1.0, |_| "<x>".to_owned()),
            y: Vec::new(),
            lines: vec![Line { name: "&<".to_owned(), points: vec![(0.0, f64::NAN)] }; 2],
            shade: None,
        };
        let text = plot.render().into_string();
        assert!(!text.contains("<b>") && !text.contains("<x>") && text.contains("&amp;&lt;"));
    }
}
