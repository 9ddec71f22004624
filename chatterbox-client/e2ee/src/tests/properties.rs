//! Whatever happens: nobody reads what is not theirs, nothing is shown twice or changed, and no machine panics.

use proptest::prelude::*;

use super::world::{Stored, World};

#[derive(Debug, Clone)]
enum Step {
    Say {
        by: usize,
        text: u16,
    },
    Leave(usize),
    Come(usize),
    Restart(usize),
    /// The server brings an old message again, under its id or a new one.
    Replay {
        to: usize,
        message: usize,
        new_id: bool,
    },
    /// No one-time keys are left.
    Drain(usize),
    Hours(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..4_usize;
    prop_oneof![
        6 => (client.clone(), any::<u16>()).prop_map(|(by, text)| Step::Say { by, text }),
        1 => client.clone().prop_map(Step::Leave),
        2 => client.clone().prop_map(Step::Come),
        1 => client.clone().prop_map(Step::Restart),
        1 => (client.clone(), any::<usize>(), any::<bool>())
            .prop_map(|(to, message, new_id)| Step::Replay { to, message, new_id }),
        1 => client.prop_map(Step::Drain),
        1 => any::<u8>().prop_map(Step::Hours),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn everybody_reads_everything_once_in_order(steps in prop::collection::vec(step(), 1..40)) {
        let (mut world, clients) = World::pair();
        let names = ["ann", "ann", "bob", "bob"];
        let mut said = Vec::new();
        let mut replays = [0; 4];
        for step in steps {
            match step {
                Step::Say { by, text } if world.clients[clients[by]].online => {
                    let text = format!("{text}/{}", said.len());
                    let to = if names[by] == "ann" { "bob" } else { "ann" };
                    world.say(clients[by], to, &text);
                    said.push(text);
                }
                Step::Say { .. } => {}
                Step::Leave(client) => world.disconnect(clients[client]),
                Step::Come(client) if !world.clients[clients[client]].online => {
                    world.connect(clients[client]);
                }
                Step::Come(_) => {}
                Step::Restart(client) => world.clients[clients[client]].restart(),
                Step::Replay { to, message, new_id } => {
                    let place = clients[to];
                    let count = world.server.messages.len();
                    if count == 0 || !world.clients[place].online {
                        continue;
                    }
                    let message = world.server.messages[message % count].clone();
                    let own = world.clients[place].machine.device().cloned();
                    if own.as_ref() == Some(&message.sealed.from) {
                        continue;
                    }
                    let shown = world.clients[place].shown.len();
                    if new_id {
                        world.server.last += 1;
                        let id = world.server.last;
                        world.bring(place, &Stored { id, ..message });
                        replays[to] += 1;
                        prop_assert!(world.clients[place].shown.last().unwrap().2.is_err());
                    } else {
                        world.bring(place, &message);
                        prop_assert!(world.clients[place].shown.pop().unwrap().2.is_ok());
                        prop_assert_eq!(world.clients[place].shown.len(), shown);
                    }
                }
                Step::Drain(client) => {
                    let device = world.clients[clients[client]].machine.device().unwrap();
                    let device = device.as_str().to_owned();
                    world.server.stock.get_mut(&device).unwrap().one_time.clear();
                }
                Step::Hours(hours) => world.now += i64::from(hours) * 3600,
            }
        }
        for client in clients {
            if !world.clients[client].online {
                world.connect(client);
            }
        }
        for (client, replays) in clients.into_iter().zip(replays) {
            let client = &world.clients[client];
            prop_assert!(client.not_sent.is_empty(), "{:?}", client.not_sent);
            let read: Vec<_> = client.shown.iter().filter_map(|(_, _, text)| text.as_ref().ok()).collect();
            prop_assert_eq!(read, said.iter().collect::<Vec<_>>());
            prop_assert_eq!(client.shown.len(), said.len() + replays);
        }
    }
}
