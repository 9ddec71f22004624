//! A path: its stages, and which cases belong to each.

use std::collections::BTreeMap;

use super::stage::Stage;
use crate::{
    case::{Row, Side},
    cases,
    clause::Level,
};

/// The stages of one side, in their order.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// The end of the protocol that is written.
    pub side: Side,
    /// The stages.
    pub stages: &'static [Stage],
}

impl Path {
    /// The cases of the base protocol at this side.
    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        let side = self.side;
        cases::rows().filter(move |row| row.side == side && row.extension.is_none())
    }

    /// The stage that names a case, or else its group.
    #[must_use]
    pub fn declared(&self, row: &Row) -> Option<usize> {
        let names = |word: &str| self.stages.iter().position(|stage| stage.takes.contains(&word));
        names(row.id).or_else(|| names(row.group()))
    }

    /// The stage of every case.
    ///
    /// It is the one that names the case or its group, or a later one if that is where something
    /// stands that the case needs, or that may excuse it: nobody is asked for what rests on a stage that comes later.
    #[must_use]
    pub fn places(&self) -> BTreeMap<&'static str, usize> {
        let mut places: BTreeMap<&'static str, usize> =
            self.rows().filter_map(|row| Some((row.id, self.declared(row)?))).collect();
        // A place only ever rises, up to the last stage: this ends.
        loop {
            let mut moved = false;
            for row in self.rows() {
                let rests_on = row.needs.iter().chain(row.excuses);
                let needs = rests_on.filter_map(|need| places.get(need)).max().copied();
                if let (Some(need), Some(place)) = (needs, places.get_mut(row.id))
                    && need > *place
                {
                    *place = need;
                    moved = true;
                }
            }
            if !moved {
                return places;
            }
        }
    }

    /// The cases of a stage that count, in the order in which they are best solved.
    #[must_use]
    pub fn cases(&self, stage: usize, strict: bool) -> Vec<&'static Row> {
        self.of(stage, |row| counts(row) || (strict && is_extra(row)))
    }

    /// The cases of a stage that are good to have.
    #[must_use]
    pub fn extras(&self, stage: usize) -> Vec<&'static Row> {
        self.of(stage, is_extra)
    }

    fn of(&self, stage: usize, wanted: impl Fn(&Row) -> bool) -> Vec<&'static Row> {
        let places = self.places();
        let here = |row: &&Row| places.get(row.id) == Some(&stage) && wanted(row);
        let mut rows: Vec<_> = self.rows().filter(here).collect();
        let takes = self.stages.get(stage).map_or(&[][..], |stage| stage.takes);
        rows.sort_by_key(|row| {
            // What a stage names comes in the order of the naming, the rest of a group behind it; what is
            // good to have is the last thing to see to.
            (is_extra(row), takes.iter().position(|word| *word == row.id).unwrap_or(takes.len()))
        });
        rows
    }
}

/// Where the assignment can be read in two ways, a literal reading counts like a SHOULD.
fn counts(row: &Row) -> bool {
    row.level == Level::Must && !row.literal
}

fn is_extra(row: &Row) -> bool {
    row.level == Level::Should || (row.level == Level::Must && row.literal)
}
