//! Tables: the data of a command's result, laid out for people.

use chatterbox_proto::ScreenText;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

/// A table of one-line cells, safe to show and bounded in rows, columns and width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// How many rows were left out.
    more: usize,
}

/// Bounds for people; programs get the whole data.
const ROWS: usize = 500;
const COLUMNS: usize = 16;

/// Longer cells are cut.
const CELL: usize = 60;

/// So much of a list is looked at.
const LIST: usize = 50;

impl Table {
    /// Reads `{"COLUMNS": [...], "ROWS": [[...]]}` or a list of objects; anything else is no table.
    pub fn read(data: &Value) -> Option<Self> {
        let (columns, rows) = match data {
            Value::Object(table) => {
                let columns = table.get("COLUMNS")?.as_array()?;
                let rows = table.get("ROWS")?.as_array()?;
                let columns: Vec<_> =
                    columns.iter().take(COLUMNS).map(Value::as_str).collect::<Option<_>>()?;
                let cells = rows.iter().take(ROWS).map(|row| {
                    let row = row.as_array()?.iter().zip(&columns);
                    Some(row.map(|(value, column)| cell_of(column, value)).collect())
                });
                let cells: Vec<Vec<_>> = cells.collect::<Option<_>>()?;
                (columns, Cells { cells, of: rows.len() })
            }
            Value::Array(rows) => {
                let objects: Vec<_> =
                    rows.iter().take(ROWS).map(Value::as_object).collect::<Option<_>>()?;
                let mut columns: Vec<&str> = Vec::new();
                for key in objects.iter().flat_map(|object| object.keys()) {
                    if columns.len() < COLUMNS && !columns.contains(&key.as_str()) {
                        columns.push(key);
                    }
                }
                let row = |object: &&serde_json::Map<String, Value>| {
                    columns.iter().map(|key| object.get(*key).map_or(String::new(), cell)).collect()
                };
                let cells = objects.iter().map(row).collect();
                (columns, Cells { cells, of: rows.len() })
            }
            _ => return None,
        };
        // The words beside it say that there is nothing, or the one thing that there is.
        if columns.is_empty() || rows.of == 0 || (columns.len() == 1 && rows.of == 1) {
            return None;
        }
        let more = rows.of.saturating_sub(rows.cells.len());
        let columns = columns.iter().map(|name| shown(name)).collect();
        Some(Self { columns, rows: rows.cells, more })
    }

    /// The lines, each column as wide as it has to be.
    pub fn lines(&self) -> Vec<String> {
        let mut widths: Vec<_> = self.columns.iter().map(|name| name.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let line = |cells: &[String]| {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
            }
            line.truncate(line.trim_end().len());
            line
        };
        let mut lines = vec![line(&self.columns)];
        lines.extend(self.rows.iter().map(|row| line(row)));
        if self.more > 0 {
            lines.push(format!("... and {} more", self.more));
        }
        lines
    }
}

struct Cells {
    cells: Vec<Vec<String>>,
    of: usize,
}

fn shown(text: &str) -> String {
    ScreenText::shortened(text, CELL).to_string()
}

/// The columns whose numbers are seconds since 1970 UTC.
const TIMES: [&str; 3] = ["AT", "SINCE", "UNTIL"];

fn cell_of(column: &str, value: &Value) -> String {
    let seconds = value.as_i64().filter(|_| TIMES.contains(&column));
    let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let shown = time.map(|time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    shown.unwrap_or_else(|| cell(value))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => shown(text),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            let words: Vec<_> = list.iter().take(LIST).filter_map(Value::as_str).collect();
            shown(&words.join(", "))
        }
        other => shown(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_have_to_be() {
        let data = json!({"COLUMNS": ["NAME", "ONLINE", "LEVEL"], "ROWS": [
            ["ann", true, 5], ["世界", false, null], ["a\u{1b}[31m", true, 0]
        ]});
        let lines = Table::read(&data).unwrap().lines().join("\n");
        insta::assert_snapshot!(lines, @r"
        NAME         ONLINE  LEVEL
        ann          yes     5
        世界         no      -
        a\u{1b}[31m  yes     0
        ");
    }

    #[test]
    fn a_list_of_objects_is_a_table() {
        let data = json!([{"A": 1, "B": "x"}, {"B": [1, "\n"], "C": {}}]);
        let lines = Table::read(&data).unwrap().lines().join("\n");
        insta::assert_snapshot!(lines, @r#"
        A  B         C
        1  x
           [1,"\n"]  {}
        "#);
    }

    #[test]
    fn a_list_of_words_is_shown_as_words() {
        let data = json!({"COLUMNS": ["A", "FLAGS"], "ROWS": [[1, []], [2, ["hidden", "x\u{1b}"]], [3, [4]]]});
        let lines = Table::read(&data).unwrap().lines();
        assert_eq!(lines, ["A  FLAGS", "1", "2  hidden, x\\u{1b}", "3  [4]"]);
    }

    #[test]
    fn what_is_no_table_is_none() {
        for data in [
            json!(null),
            json!({"NAME": "ann"}),
            json!([1, 2]),
            json!([]),
            json!({"COLUMNS": [], "ROWS": []}),
            json!({"COLUMNS": ["A"], "ROWS": [5]}),
            json!({"COLUMNS": [5], "ROWS": []}),
        ] {
            assert_eq!(Table::read(&data), None, "{data}");
        }
    }

    #[test]
    fn a_long_table_and_long_cells_are_cut() {
        let rows: Vec<_> = (0..600).map(|n| json!([format!("{n}{}", "x".repeat(100))])).collect();
        let lines = Table::read(&json!({"COLUMNS": ["A"], "ROWS": rows})).unwrap().lines();
        assert_eq!(lines.len(), 502);
        assert_eq!(lines.last().map(String::as_str), Some("... and 100 more"));
        assert!(lines.iter().all(|line| line.chars().count() <= CELL + 1));
    }
}
