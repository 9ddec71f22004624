//! Changes of a room's settings: who may make them, and within which bounds.

use chatterbox_proto::limits;

use crate::ids::RoomNumber;
use crate::level::Level;
use crate::replica::rooms::definition::RoomDefinition;
use crate::replica::rooms::judge::{Judged, Wisher, judged, of_lobby};
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::wish::{RoomRefusal, RoomSetting};
use crate::replica::state::Replica;

impl RoomSetting {
    /// The lowest level in the room that may change it.
    const fn level(&self) -> Level {
        match self {
            Self::Topic(_) => Level::HELPER,
            Self::Slow(_) => Level::MODERATOR,
            _ => Level::OPERATOR,
        }
    }

    /// The bit that stands for it.
    pub(super) const fn bit(&self) -> u16 {
        let place = match self {
            Self::Topic(_) => 0,
            Self::Description(_) => 1,
            Self::Limit(_) => 2,
            Self::Password(_) => 3,
            Self::Hidden(_) => 4,
            Self::Closed(_) => 5,
            Self::Talk(_) => 6,
            Self::Slow(_) => 7,
            Self::Length(_) => 8,
            Self::Keep(_) => 9,
            Self::Show(_) => 10,
            Self::Roster(_) => 11,
        };
        1 << place
    }

    /// Whether the value is within its bounds.
    fn is_bounded(&self) -> Result<(), RoomRefusal> {
        let bounded = |fits: bool, refusal| if fits { Ok(()) } else { Err(refusal) };
        match self {
            Self::Topic(text) | Self::Description(text) => {
                bounded(text.chars().count() <= limits::TOPIC_CHARS, RoomRefusal::TooLong)
            }
            Self::Talk(level) => bounded(*level <= Level::OPERATOR, RoomRefusal::BadArguments),
            Self::Slow(seconds) => {
                bounded(*seconds <= limits::SLOW_SECONDS, RoomRefusal::BadArguments)
            }
            Self::Length(length) => {
                let most = u32::try_from(limits::ROOM_CONTENT_CHARS).unwrap_or(u32::MAX);
                bounded((1..=most).contains(length), RoomRefusal::BadArguments)
            }
            _ => Ok(()),
        }
    }
}

impl Replica {
    pub(super) fn set(
        &self,
        by: &Wisher,
        room: RoomNumber,
        setting: &RoomSetting,
    ) -> Result<Judged, RoomRefusal> {
        let may = |level: Level| {
            if level >= setting.level() { Ok(()) } else { Err(RoomRefusal::Forbidden) }
        };
        if room == RoomNumber::LOBBY {
            if !matches!(
                setting,
                RoomSetting::Topic(_) | RoomSetting::Talk(_) | RoomSetting::Slow(_)
            ) {
                return Err(RoomRefusal::BadArguments);
            }
            // Who moderates slows a lobby down; what it is about is for those who keep rooms.
            let needed = match setting {
                RoomSetting::Slow(_) => Level::MODERATOR,
                _ => Level::OPERATOR,
            };
            if by.level() < needed {
                return Err(RoomRefusal::Forbidden);
            }
            setting.is_bounded()?;
            let mut definition: RoomDefinition = (**self.rooms.lobby()).clone();
            setting.clone().apply(&mut definition.settings);
            return Ok(of_lobby(definition));
        }
        let room = self.room(room)?;
        may(by.level_in(room))?;
        setting.is_bounded()?;
        if let RoomSetting::Talk(level) = setting
            && *level > by.level_in(room)
        {
            return Err(RoomRefusal::Forbidden);
        }
        if room.fixed & setting.bit() != 0 {
            return Err(RoomRefusal::Configured);
        }
        let mut definition = (*room.definition).clone();
        setting.clone().apply(&mut definition.settings);
        let records = if definition == *room.definition {
            Vec::new()
        } else {
            vec![RoomRecord::Defined(Box::new(definition))]
        };
        Ok(judged(room, records))
    }
}
