//! Members of this node are told what is no message and is not kept ([`Tell`]).

use chatterbox_proto::Capability;

use crate::event::Event;
use crate::hub::Hub;
use crate::ids::MemberId;
use crate::replica::tell::{Audience, Tell};
use crate::wake::Wake;

impl Hub {
    /// Tells those of this node whom it is for. One that has no room for it is told nothing: it does not read.
    pub fn tell_those(&mut self, tell: Tell, wakes: &mut Vec<Wake>) {
        let Tell { whom, plain, notice } = tell;
        let told = match whom {
            Audience::All => {
                wakes.push(self.announce(Event::announcement(plain, notice)));
                return;
            }
            Audience::Room(room) => {
                wakes.push(self.announce_to(room, Event::announcement(plain, notice)));
                return;
            }
            Audience::Staff(room, level) => self.staff(room, level),
            Audience::Report(room, about) => self.told_of_report(room, &about),
            Audience::Member(member) => {
                wakes.extend(self.tell_one(member, Event::told(notice), Event::raw_error(plain)));
                return;
            }
        };
        let event = Event::told(notice);
        for member in told {
            wakes.extend(self.tell_one(member, event.clone(), event.clone()));
        }
    }

    /// Tells a member of this node something in the form that it agreed to.
    fn tell_one(&mut self, member: MemberId, notice: Event, plain: Event) -> Option<Wake> {
        let agreed = self.identity(member)?.agreed.unwrap_or_default();
        let event = if agreed.has(Capability::Notices) { notice } else { plain };
        self.has_room(member, event.size()).then(|| self.tell(member, event))
    }
}
