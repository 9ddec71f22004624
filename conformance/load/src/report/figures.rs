//! The figures of many runs as one drawing in a file of its own: lines over how many there were, and
//! bars beside each other. They come from a file, so that it can be drawn again.

use std::fmt::Write as _;

use serde::Deserialize;

use super::{
    console::short,
    float,
    plot::{HEIGHT, LEFT, Line, Plot, Tick, WIDTH, escaped, ticks},
};

/// The version of the file; it changes when a field changes its meaning or goes away.
pub const VERSION: u32 = 1;

const STYLE: &str = concat!(include_str!("figures.css"), include_str!("plot.css"));

/// How many figures a file has at most.
const MOST_FIGURES: usize = 32;
/// How many lines a figure has at most: there are so many colours.
const MOST_LINES: usize = 4;
/// How many bars a figure has at most, and how many points a line.
const MOST_VALUES: usize = 100;

/// What the title of a figure takes above it, and its legend below.
const TITLE: f64 = 30.0;
const LEGEND: f64 = 34.0;
/// One bar with its distance to the next, and where bars begin and end.
const BAR: f64 = 24.0;
const BARS_FROM: f64 = 190.0;
const BARS_TO: f64 = 590.0;

/// Figures, as they are read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Figures {
    version: u32,
    title: String,
    figures: Vec<Figure>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Figure {
    /// What something costs, over how many there are.
    Lines {
        title: String,
        /// What is counted along the x axis.
        of: String,
        /// Whether that axis is logarithmic.
        #[serde(default)]
        log: bool,
        lines: Vec<Series>,
    },
    /// The same of several.
    Bars { title: String, bars: Vec<Bar> },
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Bar {
    name: String,
    value: f64,
    /// Whether it is what the others are compared with.
    #[serde(default)]
    own: bool,
}

impl Figures {
    /// Reads a file.
    ///
    /// # Errors
    /// When it holds no figures of this version, or more than can be drawn.
    pub fn read(text: &str) -> Result<Self, String> {
        let figures: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if figures.version != VERSION {
            let version = figures.version;
            return Err(format!("it has version {version}, this tool knows {VERSION}"));
        }
        if figures.figures.is_empty() || figures.figures.len() > MOST_FIGURES {
            return Err(format!("it has to have 1 to {MOST_FIGURES} figures"));
        }
        for figure in &figures.figures {
            let can_be_drawn = match figure {
                Figure::Lines { lines, .. } => {
                    lines.len() <= MOST_LINES
                        && lines.iter().all(|line| line.points.len() <= MOST_VALUES)
                }
                Figure::Bars { bars, .. } => bars.len() <= MOST_VALUES,
            };
            if !can_be_drawn {
                return Err(format!(
                    "a figure has at most {MOST_LINES} lines, and {MOST_VALUES} points or bars"
                ));
            }
        }
        Ok(figures)
    }

    /// Draws them below each other, as SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let height: f64 = self.figures.iter().map(Figure::height).sum();
        let title = escaped(&self.title);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n\
             <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
        );
        let mut from = 0.0;
        for figure in &self.figures {
            let _ = write!(out, r#"<g transform="translate(0 {from})">"#);
            figure.draw(&mut out);
            out.push_str("</g>\n");
            from += figure.height();
        }
        out.push_str("</svg>\n");
        out
    }
}

impl Figure {
    fn height(&self) -> f64 {
        match self {
            Self::Lines { .. } => TITLE + HEIGHT + LEGEND,
            Self::Bars { bars, .. } => TITLE + BAR * float(bars.len() as u64) + LEGEND / 2.0,
        }
    }

    fn draw(&self, out: &mut String) {
        match self {
            Self::Lines { title, of, log, lines } => {
                heading(title, out);
                let plot = plot(title, *log, lines);
                let _ = write!(out, r#"<g transform="translate(0 {TITLE})">"#);
                plot.draw(out);
                out.push_str("</g>");
                legend(of, &plot.lines, out);
            }
            Self::Bars { title, bars } => {
                heading(title, out);
                let most = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
                let mut y = TITLE;
                for bar in bars {
                    let part = if most > 0.0 { (bar.value / most).clamp(0.0, 1.0) } else { 0.0 };
                    let width = part * (BARS_TO - BARS_FROM);
                    let own = if bar.own { " own" } else { "" };
                    let _ = write!(
                        out,
                        r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{}</text><rect class="bar{own}" x="{BARS_FROM}" y="{y:.1}" width="{width:.1}" height="{:.1}"/><text x="{:.1}" y="{:.1}">{}</text>"#,
                        BARS_FROM - 8.0,
                        y + 14.0,
                        escaped(&bar.name),
                        BAR - 6.0,
                        BARS_FROM + width + 8.0,
                        y + 14.0,
                        value(bar.value),
                    );
                    y += BAR;
                }
            }
        }
    }
}

fn heading(title: &str, out: &mut String) {
    let title = escaped(title);
    let _ = write!(out, r#"<text class="title" x="12" y="20">{title}</text>"#);
}

/// What the x axis counts, and the name of each line in front of a piece of it.
fn legend(of: &str, lines: &[Line], out: &mut String) {
    let y = TITLE + HEIGHT + 12.0;
    let mut x = LEFT;
    for (number, line) in lines.iter().enumerate() {
        let name = escaped(&line.name);
        let _ = write!(
            out,
            r#"<path class="line line{number}" d="M{x:.1} {:.1}h18"/><text x="{:.1}" y="{y:.1}">{name}</text>"#,
            y - 4.0,
            x + 24.0,
        );
        x += 48.0 + 7.0 * float(line.name.chars().count() as u64);
    }
    let (x, of) = (WIDTH - 12.0, escaped(of));
    let _ = write!(out, r#"<text x="{x}" y="{y:.1}" text-anchor="end">{of}</text>"#);
}

/// A plot with a mark for every place where something was measured.
fn plot(title: &str, log: bool, lines: &[Series]) -> Plot {
    let place = |x: f64| if log { x.max(1.0).log10() } else { x };
    let mut counts: Vec<f64> =
        lines.iter().flat_map(|line| &line.points).map(|(x, _)| *x).collect();
    counts.sort_by(f64::total_cmp);
    counts.dedup();
    let most = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y).fold(0.0, f64::max);
    let lines = lines.iter().map(|line| {
        let mut points: Vec<_> = line.points.iter().map(|(x, y)| (place(*x), *y)).collect();
        points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Line { name: line.name.clone(), points }
    });
    let shown: fn(f64) -> String = if most >= 10.0 { short } else { value };
    Plot {
        title: title.to_owned(),
        x: counts.iter().map(|x| Tick { at: place(*x), text: count(*x) }).collect(),
        y: ticks(most, shown),
        lines: lines.collect(),
        shade: None,
    }
}

/// A measured number: three digits.
fn value(number: f64) -> String {
    match number {
        n if n == 0.0 || n >= 100.0 => short(n),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

/// A number of things, with a comma at each thousand.
fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && digit.is_ascii_digit() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"version": 1, "title": "Growth <of> \"it\"", "figures": [
        {"kind": "lines", "title": "CPU of a delivery, ns", "of": "receivers", "log": true, "lines": [
            {"name": "one worker", "points": [[100, 134], [20000, 98.5], [1000, 90]]},
            {"name": "two", "points": [[100, 150], [1000, 120.25]]}]},
        {"kind": "bars", "title": "M deliveries a CPU second", "bars": [
            {"name": "ours", "value": 3.1, "own": true}, {"name": "R&D", "value": 0.77}]}]}"#;

    #[test]
    fn points_and_bars_are_where_they_belong() {
        let svg = Figures::read(TEXT).unwrap().svg();
        for part in [
            r#"viewBox="0 0 720 419""#,
            // Sorted, on a logarithmic axis from 100 to 20,000, with an axis from 0 to 150 beside it.
            r#"<path class="line line0" d="M74.0 36.6L340.0 98.8L686.0 86.8"/>"#,
            ">20,000</text>",
            ">150</text>",
            ">receivers</text>",
            r#"<rect class="bar own" x="190" y="30.0" width="400.0" height="18.0"/>"#,
            r#"<rect class="bar" x="190" y="54.0" width="99.4" height="18.0"/>"#,
            ">R&amp;D</text>",
            ">0.77</text>",
        ] {
            assert!(svg.contains(part), "{part}\n{svg}");
        }
        assert!(!svg.contains("<of>"));
        // Nothing is fetched and nothing runs.
        assert!(!svg.contains("href") && !svg.contains("url(") && !svg.contains("<script"));
    }

    #[test]
    fn other_files_are_refused() {
        assert!(Figures::read("{}").is_err() && Figures::read("").is_err());
        let newer = TEXT.replace("\"version\": 1", "\"version\": 2");
        assert!(Figures::read(&newer).unwrap_err().contains("version 2"));
        let none = r#"{"version": 1, "title": "", "figures": []}"#;
        assert!(Figures::read(none).unwrap_err().contains("1 to 32"));
        let line = r#"{"name": "", "points": []}"#;
        let lines = [line; 5].join(",");
        let many = format!(
            r#"{{"version": 1, "title": "", "figures": [{{"kind": "lines", "title": "", "of": "", "lines": [{lines}]}}]}}"#
        );
        assert!(Figures::read(&many).unwrap_err().contains("at most 4 lines"));
    }

    #[test]
    fn numbers_are_short() {
        let counts = [1.0, 100.0, 1_000.0, 20_000.0, 1_234_567.0].map(count);
        assert_eq!(counts, ["1", "100", "1,000", "20,000", "1,234,567"]);
        let values = [0.0, 0.774, 3.1, 98.54, 134.0, 12_345.0].map(value);
        assert_eq!(values, ["0", "0.77", "3.10", "98.5", "134", "12.3 k"]);
    }
}
