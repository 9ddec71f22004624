//! The lists of those who are in a room.

use super::*;

#[test]
fn a_guest_who_goes_on_stands_in_the_list_of_a_room_where_every_node_has_them() {
    let mut cluster = Cluster::new();
    let room = |who, step| Step::Room(who, step);
    for step in [
        Step::Come(4, 0),
        Step::Come(3, 0),
        room(3, RoomStep::Create(0)),
        room(4, RoomStep::Enter(0)),
        Step::Come(6, 0),
        Step::Resume(4, 0),
        room(6, RoomStep::Enter(0)),
        Step::Resume(6, 0),
    ] {
        cluster.step(&step);
    }
    for who in [3, 4, 6] {
        cluster.step(&Step::Go(who));
        cluster.step(&Step::Resume(who, who % 2));
    }
}
