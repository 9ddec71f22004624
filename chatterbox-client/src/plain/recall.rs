//! The search in the lines that were sent (Ctrl-R): each key narrows it, and the chat goes on above it.

/// A search that is under way.
#[derive(Debug, Default)]
pub(super) struct Recall {
    query: String,
    /// So many lines that match are passed over, from the newest on.
    skipped: usize,
}

impl Recall {
    /// The words in front of the line that was found.
    pub(super) fn prompt(&self, found: bool) -> String {
        let query = chatterbox_proto::ScreenText::new(&self.query);
        let none = if found || self.query.is_empty() { "" } else { "no " };
        format!("({none}earlier line with \"{query}\") ")
    }

    /// The line that is found among the earlier ones, which come from the newest on.
    pub(super) fn found<'l>(&self, mut earlier: impl Iterator<Item = &'l str>) -> Option<&'l str> {
        let query = self.query.to_lowercase();
        let mut matching = earlier
            .by_ref()
            .filter(|line| !query.is_empty() && line.to_lowercase().contains(&query));
        matching.nth(self.skipped)
    }

    /// Takes another character of what is searched for.
    pub(super) fn push(&mut self, character: char) {
        self.query.push(character);
        self.skipped = 0;
    }

    /// Takes the last character back.
    pub(super) fn pop(&mut self) {
        self.query.pop();
        self.skipped = 0;
    }

    /// Looks for an older line.
    pub(super) fn older<'l>(&mut self, earlier: impl Iterator<Item = &'l str>) {
        self.skipped += 1;
        if self.found(earlier).is_none() {
            self.skipped -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_the_newest_line_and_then_older_ones() {
        let lines = || ["see you", "Hello bob", "hello", "ok"].into_iter();
        let mut recall = Recall::default();
        assert_eq!(recall.found(lines()), None);
        "hel".chars().for_each(|c| recall.push(c));
        assert_eq!(recall.found(lines()), Some("Hello bob"));
        recall.older(lines());
        assert_eq!(recall.found(lines()), Some("hello"));
        recall.older(lines());
        assert_eq!(recall.found(lines()), Some("hello"), "there is no older one");
        recall.push('x');
        assert_eq!(recall.found(lines()), None);
        recall.pop();
        assert_eq!(recall.found(lines()), Some("Hello bob"));
    }
}
