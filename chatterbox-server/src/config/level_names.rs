//! What the levels are called (MO-1).

use chatterbox_proto::ScreenText;

/// Six names, the lowest level first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelNames([String; 6]);

/// The longest name, in characters.
const LONGEST: usize = 32;

impl LevelNames {
    /// The names.
    pub fn names(&self) -> [String; 6] {
        self.0.clone()
    }
}

/// Reads six names with commas between them.
pub(super) fn level_names(text: &str) -> Result<LevelNames, String> {
    let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
    for name in &names {
        if !(1..=LONGEST).contains(&name.chars().count()) || ScreenText::new(name).as_str() != name
        {
            return Err(format!(
                "each has 1 to {LONGEST} characters, none of them a control character"
            ));
        }
    }
    let names: [String; 6] =
        names.try_into().map_err(|_| "there are six levels, so it takes six names".to_owned())?;
    let is_twice = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    if names.iter().any(is_twice) {
        return Err("two levels can't have the same name".to_owned());
    }
    Ok(LevelNames(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_six() {
        let read = level_names("guest, student,tutor,assistant,lecturer,professor").unwrap();
        assert_eq!(read.names()[1], "student");
        for bad in
            ["", "a,b,c,d,e", "a,b,c,d,e,f,g", "a,b,c,d,e,", "a,b,c,d,e,a", "a,b,c,d,e,\u{1b}"]
        {
            assert!(level_names(bad).is_err(), "{bad:?}");
        }
    }
}
