//! The reference page of commands, generated from the table.

use std::fmt::Write as _;

use chatterbox_hub::Level;

use crate::commands::registry::specs;
use crate::commands::spec::Spec;

/// `docs/reference/commands.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Commands\n\n\
         Written by `chatterbox-server commands --markdown` from the table in `chatterbox-server/src/commands/`; a test compares\n\
         them. What the frames look like is in [capabilities](../capabilities.md#commands).\n\n\
         `<x>` has to be there, `[x]` may be left out (a secret is asked for then), `x...` takes the rest of the line. Names\n\
         of commands are matched without case. The prefix is `/` unless an admin has set another. A *table* in `DATA` is\n\
         `{\"COLUMNS\": [name...], \"ROWS\": [[value...]...]}`, of at most 1,000 rows for each list.\n",
    );
    // `write!` to a String can't fail.
    for level in Level::ALL {
        let of_level: Vec<&Spec> =
            specs().iter().copied().filter(|spec| spec.level == level).collect();
        if of_level.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## From level {level}\n");
        for spec in of_level {
            let _ = write!(page, "\n### `{}`\n{}\n\n", spec.usage(), spec.help);
            let _ = writeln!(page, "- Example: `/{}`", spec.example);
            if !spec.aliases.is_empty() {
                let aliases: Vec<_> = spec.aliases.iter().map(|a| format!("`{a}`")).collect();
                let _ = writeln!(page, "- Also: {}", aliases.join(", "));
            }
            for parameter in spec.parameters {
                let optional = if parameter.optional { ", may be left out" } else { "" };
                let (name, kind, help) = (parameter.name, parameter.kind.word(), parameter.help);
                let _ = write!(page, "- `{name}`: {kind}{optional}: {help}");
                if !parameter.values.is_empty() {
                    let values: Vec<_> =
                        parameter.values.iter().map(|value| format!("`{value}`")).collect();
                    let _ = write!(page, "; one of {}", values.join(", "));
                }
                page.push('\n');
            }
            if spec.confirm {
                page.push_str("- It can't be undone.\n");
            }
            if spec.demo {
                page.push_str("- A demonstration: clients leave it out of what they list.\n");
            }
            if let Some(needs) = spec.needs {
                let _ = writeln!(page, "- Needs the capability `{}`.", needs.word());
            }
            if !spec.data.is_empty() {
                let _ = writeln!(page, "- `DATA`: {}", spec.data);
            }
        }
    }
    page
}
