//! The word that somebody may have meant.

/// The known word with the smallest edit distance to an unknown one, if it is near.
pub(crate) fn nearest<'w>(typed: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if !(2..=64).contains(&typed.chars().count()) {
        return None;
    }
    let typed = typed.to_lowercase();
    known
        .map(|word| (strsim::damerau_levenshtein(&typed, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1))
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested_if_it_is_near() {
        let known = || ["register", "users", "quit"].into_iter();
        assert_eq!(nearest("regsiter", known()), Some("register"));
        assert_eq!(nearest("USRES", known()), Some("users"));
        assert_eq!(nearest("frobnicate", known()), None);
        assert_eq!(nearest(&"x".repeat(100), known()), None);
    }
}
