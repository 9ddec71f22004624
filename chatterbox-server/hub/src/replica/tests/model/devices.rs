//! Several members that are one user.

use super::*;

impl Model {
    /// The places of all devices of the user of one.
    pub(super) fn devices(&self, place: usize) -> Vec<usize> {
        let name = self.members[place].name;
        (0..self.members.len()).filter(|other| self.members[*other].name == name).collect()
    }

    /// Whether those who have a name are devices of whoever has logged in like this.
    pub(super) fn are_fellows(&self, wanted: usize, login: Option<(i64, i64)>) -> bool {
        let mut here = self.members.iter().filter(|member| member.name == wanted);
        here.next().is_some_and(|one| {
            one.has_devices && login.is_some_and(|(id, _)| one.login.is_some_and(|own| own.0 == id))
        })
    }

    /// Who gets a private message beside the one that it is to.
    pub(super) fn copies(&self, by: u64, to: Option<u64>) -> Vec<u64> {
        let name_of = |id: u64| {
            let found = self.members.iter().find(|member| member.id == id);
            found.map(|member| member.name)
        };
        let names = [name_of(by), to.and_then(name_of)];
        let others = self.members.iter().filter(|one| one.id != by && Some(one.id) != to);
        others.filter(|one| names.contains(&Some(one.name))).map(|one| one.id).collect()
    }
}
