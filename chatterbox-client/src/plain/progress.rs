//! How far files are, in one line above the prompt that is drawn again; the terminal's scrollback has nothing of it.

use chatterbox_app::TransferTold;

/// The line.
#[derive(Debug, Default)]
pub(super) struct Progress(String);

impl Progress {
    /// What stands in it; empty where no file is on its way. It is safe to show.
    pub(super) fn words(&self) -> &str {
        &self.0
    }

    /// Takes how far the transfers are. Says whether the line is another one by that.
    pub(super) fn follow(&mut self, transfers: &[TransferTold]) -> bool {
        let bars: Vec<_> = transfers.iter().take(2).map(TransferTold::bar).collect();
        let mut words = bars.join("; ");
        if let more @ 1.. = transfers.len().saturating_sub(bars.len()) {
            words.push_str(&format!("; {more} more wait"));
        }
        let is_new = self.0 != words;
        self.0 = words;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_app::TransferState;
    use chatterbox_proto::ScreenText;

    use super::*;

    #[test]
    fn the_line_is_drawn_again_only_if_it_says_something_else() {
        let told = |done| TransferTold {
            id: 1,
            name: ScreenText::new("a.txt"),
            sends: false,
            size: Some(1000),
            done,
            state: TransferState::Moving { rate: None },
        };
        let mut progress = Progress::default();
        assert!(!progress.follow(&[]));
        assert!(progress.follow(&[told(100)]));
        assert_eq!(progress.words(), "fetching a.txt [#.........] 10 % of 1000 bytes");
        assert!(!progress.follow(&[told(101)]));
        assert!(progress.follow(&[told(101), told(0), told(0)]));
        assert!(progress.words().ends_with("; 1 more wait"), "{}", progress.words());
        assert!(progress.follow(&[]));
        assert_eq!(progress.words(), "");
    }
}
