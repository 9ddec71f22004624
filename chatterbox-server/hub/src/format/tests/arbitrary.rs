//! Groups of any proposals.

use core::net::IpAddr;
use std::sync::Arc;

use chatterbox_proto::session::Destination;
use chatterbox_proto::{Capabilities, Capability, RoomName, Username};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::block_lists::BlockLists;
use crate::filing::{Filing, Party, Sender};
use crate::identity::{AccountKey, Identity, LoggedIn};
use crate::ids::{MemberId, RoomNumber, SessionId, SessionProof, Verifier};
use crate::level::Level;
use crate::mark::{Marked, ReadMark};
use crate::record::{Record, RoomRef, To};
use crate::record_meta::RecordMeta;
use crate::replica::ended_logins::{AccountChange, AccountChangeKind};
use crate::replica::moderation_act::{Moderation, ModerationAct, Whom};
use crate::replica::proposal::{
    Amendment, Group, Incarnation, Join, Login, Old, Proposal, Rename, Resume, Say, Tick, Up,
};
use crate::replica::rooms::definition::{AccountRef, RoomKeep, RoomMember, RoomShow};
use crate::replica::rooms::wish::{ConfiguredRoom, RoomActor, RoomChange, RoomSetting, RoomWish};
use crate::replica::store_command::StoreCommand;
use crate::replica::tell::{Audience, Tell};
use crate::sanction::{Network, Sanction, SanctionId, SanctionKind, SanctionSubject};

pub(super) fn group() -> impl Strategy<Value = Group> {
    (any::<u64>(), any::<u64>(), vec(proposal(), 0..4))
        .prop_map(|(from, number, proposals)| Group { from: Incarnation(from), number, proposals })
}

fn proposal() -> impl Strategy<Value = Proposal> {
    prop_oneof![
        (any::<u64>(), ".{0,8}", any::<u16>()).prop_map(|(read_to, name, speaks)| Proposal::Up(
            Up { read_to, name: name.into(), speaks }
        )),
        (any::<u64>(), any::<u64>(), of(any::<(u64, u64)>()), of(any::<(u64, u64)>())).prop_map(
            |(place, read, state, stores)| Proposal::Tick(Tick { place, read, state, stores })
        ),
        any::<u64>().prop_map(|node| Proposal::Down(Incarnation(node))),
        join().prop_map(|join| Proposal::Join(Box::new(join))),
        member().prop_map(Proposal::Leave),
        (member(), rename()).prop_map(|(member, rename)| Proposal::Rename(member, rename)),
        (member(), of(text()), record()).prop_map(|(member, tag, record)| Proposal::Say(Say {
            member,
            number: 0,
            tag,
            record
        })),
        (actor(), change(), any::<i64>()).prop_map(|(by, change, now)| {
            Proposal::Room(Box::new(RoomWish { by, change, now }), 0)
        }),
        (member(), vec(name(), 0..4))
            .prop_map(|(member, names)| Proposal::SetBlocked(member, names)),
        (member(), amendment()).prop_map(|(member, amendment)| Proposal::Amend(member, amendment)),
        (member(), of(text())).prop_map(|(member, words)| Proposal::SetAway(member, words)),
        account_change().prop_map(Proposal::EndLogins),
        moderation().prop_map(|act| Proposal::Moderate(Box::new(act))),
        any::<u16>().prop_map(Proposal::Speak),
        vec(any::<u8>(), 0..40).prop_map(|bytes| Proposal::Store(StoreCommand(bytes.into()))),
        vec((member(), any::<bool>()), 0..4).prop_map(Proposal::Crowded),
        tell().prop_map(|tell| Proposal::Tell(Box::new(tell))),
        member().prop_map(Proposal::Pardon),
        vec(read_mark(), 0..4).prop_map(Proposal::Read),
        (any::<u64>(), record()).prop_map(|(number, record)| Proposal::Old(Old {
            number,
            below: 0,
            record
        })),
    ]
}

fn read_mark() -> impl Strategy<Value = ReadMark> {
    let with = prop_oneof![
        name().prop_map(Marked::User),
        any::<u64>().prop_map(|number| Marked::Room(RoomNumber(number))),
    ];
    (account(), member(), with, any::<u64>()).prop_map(|(account, by, with, upto)| ReadMark {
        account,
        by,
        with,
        upto,
    })
}

fn name() -> impl Strategy<Value = Username> {
    "[a-zA-Z0-9]{0,9}|[\u{410}-\u{44f}]{1,5}|[\\PC]{0,6}".prop_map(|text| Username::stored(&text))
}

fn room_name() -> impl Strategy<Value = RoomName> {
    name().prop_map(|name| RoomName::stored(&format!("#{name}")))
}

fn text() -> impl Strategy<Value = Arc<str>> {
    ".{0,12}".prop_map(Arc::from)
}

fn member() -> impl Strategy<Value = MemberId> {
    // Many are of somebody who may be here.
    prop_oneof![0..6_u64, any::<u64>()].prop_map(MemberId)
}

fn room() -> impl Strategy<Value = RoomNumber> {
    // A room has the number of the first or second proposal of an early group, or is the lobby.
    let early = (0..20_u64, 0..2_u64).prop_map(|(place, index)| 1024 * place + index);
    prop_oneof![early, any::<u64>()].prop_map(RoomNumber)
}

fn level() -> impl Strategy<Value = Level> {
    select(&Level::ALL[..])
}

fn login() -> impl Strategy<Value = LoggedIn> {
    (name(), any::<(i64, i64)>()).prop_map(|(account, (id, epoch))| LoggedIn {
        account,
        account_key: AccountKey { id, epoch },
    })
}

fn account() -> impl Strategy<Value = AccountRef> {
    (any::<i64>(), name()).prop_map(|(id, name)| AccountRef { id, name })
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    vec(select(Capability::EVERY), 0..9).prop_map(|all| all.into_iter().collect())
}

fn identity() -> impl Strategy<Value = Identity> {
    (
        name(),
        of(login()),
        level(),
        any::<bool>(),
        of(any::<IpAddr>()),
        any::<i64>(),
        of(text()),
        of(capabilities()),
    )
        .prop_map(|(name, login, level, elevated, address, since, away, agreed)| Identity {
            name,
            login,
            level,
            elevated,
            address,
            since,
            away,
            agreed,
        })
}

fn blockers() -> impl Strategy<Value = Vec<(i64, Username)>> {
    vec((any::<i64>(), name()), 0..4)
}

fn join() -> impl Strategy<Value = Join> {
    // One name at most: of more, Debug shows the order in memory.
    let lists = (vec(name(), 0..2), blockers()).prop_map(|(all, by)| BlockLists::new(all, by));
    let key = any::<(u64, u128)>()
        .prop_map(|(id, secret)| SessionProof { id: SessionId(id), verifier: Verifier(secret) });
    let resume = (of(key), any::<bool>()).prop_map(|(key, only)| Resume { key, only });
    (identity(), lists, of(resume), any::<u128>(), any::<u64>()).prop_map(
        |(identity, lists, resume, verifier, hold)| Join {
            identity,
            lists: Arc::new(lists),
            resume,
            verifier: Verifier(verifier),
            hold,
        },
    )
}

fn rename() -> impl Strategy<Value = Rename> {
    (name(), any::<bool>(), blockers(), any::<i64>())
        .prop_map(|(name, owns, blocked_by, now)| Rename { name, owns, blocked_by, now })
}

fn party() -> impl Strategy<Value = Party> {
    prop_oneof![any::<i64>().prop_map(Party::Account), name().prop_map(Party::Guest)]
}

fn record() -> impl Strategy<Value = Record> {
    let room = (room(), room_name()).prop_map(|(number, name)| RoomRef { number, name });
    let destination = prop_oneof![
        Just(To::All),
        room.prop_map(Destination::Room),
        name().prop_map(Destination::User),
    ];
    let sender = any::<(i64, Option<i64>)>().prop_map(|(number, origin)| Sender { number, origin });
    let filing = (sender, of(party()), of(party())).prop_map(|(sender, from, to)| Filing {
        sender,
        from,
        to,
    });
    let bytes = || vec(any::<u8>(), 0..60);
    (name(), destination, bytes(), any::<i64>(), filing, meta()).prop_map(
        |(source, destination, json, arrived, filing, meta)| Record {
            source,
            destination,
            json: json.into(),
            arrived,
            filing,
            meta,
        },
    )
}

fn meta() -> impl Strategy<Value = Option<Arc<RecordMeta>>> {
    let bytes = || vec(any::<u8>(), 0..20);
    of((bytes(), bytes())).prop_map(|meta| {
        let (json, sealed) = meta?;
        let meta = RecordMeta { json: json.into(), sealed: sealed.into() };
        (meta.size() > 0).then(|| Arc::new(meta))
    })
}

fn amendment() -> impl Strategy<Value = Amendment> {
    let login = prop_oneof![login().prop_map(Login::In), Just(Login::Out)];
    (of(login), of(level()), of(any::<bool>())).prop_map(|(login, level, elevated)| Amendment {
        login,
        level,
        elevated,
    })
}

fn account_change() -> impl Strategy<Value = AccountChange> {
    let kind = prop_oneof![
        Just(AccountChangeKind::Removed),
        (any::<i64>(), of(member()))
            .prop_map(|(epoch, spared)| AccountChangeKind::LoginsEnded { epoch, spared }),
    ];
    (any::<i64>(), name(), kind).prop_map(|(account, name, kind)| AccountChange {
        account,
        name,
        kind,
    })
}

fn moderation() -> impl Strategy<Value = Moderation> {
    let whom = prop_oneof![
        account().prop_map(Whom::Account),
        (name(), of(member())).prop_map(|(name, member)| Whom::Guest(name, member)),
    ];
    let act = prop_oneof![
        (whom, text()).prop_map(|(whom, reason)| ModerationAct::Kick { whom, reason }),
        vec(sanction(), 0..3).prop_map(ModerationAct::Impose),
        vec(any::<i64>().prop_map(SanctionId), 0..4).prop_map(ModerationAct::Lift),
    ];
    let written = of(vec(any::<u8>(), 0..9).prop_map(|bytes| StoreCommand(bytes.into())));
    (text(), of(level()), any::<i64>(), any::<bool>(), written, act).prop_map(
        |(by, level, now, silent, written, act)| Moderation {
            by,
            level,
            now,
            silent,
            written,
            act,
        },
    )
}

fn tell() -> impl Strategy<Value = Tell> {
    let room = || any::<u64>().prop_map(RoomNumber);
    let whom = prop_oneof![
        Just(Audience::All),
        room().prop_map(Audience::Room),
        (of(room()), level()).prop_map(|(room, level)| Audience::Staff(room, level)),
        (of(room()), name()).prop_map(|(room, about)| Audience::Report(room, about)),
        member().prop_map(Audience::Member),
    ];
    let bytes = || vec(any::<u8>(), 0..20).prop_map(bytes::Bytes::from);
    (whom, bytes(), bytes()).prop_map(|(whom, plain, notice)| Tell { whom, plain, notice })
}

fn sanction() -> impl Strategy<Value = Sanction> {
    let network = (any::<IpAddr>(), 0..=32_u8)
        .prop_map(|(address, prefix)| Network::new(address, Some(prefix)).unwrap());
    let subject = prop_oneof![
        account().prop_map(SanctionSubject::Account),
        name().prop_map(SanctionSubject::Name),
        (name(), of(any::<u64>().prop_map(SessionId)), of(member()))
            .prop_map(|(name, session, member)| SanctionSubject::Guest { name, session, member }),
        (network, any::<bool>())
            .prop_map(|(network, guests_only)| SanctionSubject::Network { network, guests_only }),
    ];
    let kind = select(&[SanctionKind::Ban, SanctionKind::Mute][..]);
    (any::<i64>(), kind, subject, text(), of(room()), text(), text(), any::<(i64, Option<i64>)>())
        .prop_map(|(id, kind, subject, about, room, by, reason, (since, until))| Sanction {
            id: SanctionId(id),
            kind,
            subject,
            about,
            room,
            by,
            reason,
            since,
            until,
        })
}

fn actor() -> impl Strategy<Value = RoomActor> {
    prop_oneof![member().prop_map(RoomActor::Member), Just(RoomActor::Operator)]
}

fn room_member() -> impl Strategy<Value = RoomMember> {
    prop_oneof![account().prop_map(RoomMember::Account), member().prop_map(RoomMember::Guest)]
}

fn setting() -> impl Strategy<Value = RoomSetting> {
    let keep = prop_oneof![
        Just(RoomKeep::Off),
        any::<u32>().prop_map(RoomKeep::Newest),
        Just(RoomKeep::All)
    ];
    prop_oneof![
        text().prop_map(RoomSetting::Topic),
        text().prop_map(RoomSetting::Description),
        any::<u32>().prop_map(RoomSetting::Limit),
        of(text()).prop_map(RoomSetting::Password),
        any::<bool>().prop_map(RoomSetting::Hidden),
        any::<bool>().prop_map(RoomSetting::Closed),
        level().prop_map(RoomSetting::Talk),
        any::<u32>().prop_map(RoomSetting::Slow),
        any::<u32>().prop_map(RoomSetting::Length),
        keep.prop_map(RoomSetting::Keep),
        select(&[RoomShow::All, RoomShow::Joined][..]).prop_map(RoomSetting::Show),
        any::<bool>().prop_map(RoomSetting::Roster),
    ]
}

fn change() -> impl Strategy<Value = RoomChange> {
    let configured = (room_name(), vec(setting(), 0..4), of(account()), any::<bool>()).prop_map(
        |(name, settings, owner, auto)| {
            let configured = ConfiguredRoom { name, settings, owner, auto };
            RoomChange::Configure(Box::new(configured))
        },
    );
    let removed = (room(), room_member(), ".{0,9}", any::<bool>(), of(text())).prop_map(
        |(room, who, reason, banned, by)| RoomChange::Remove { room, who, reason, banned, by },
    );
    prop_oneof![
        (room_name(), of(text()))
            .prop_map(|(name, password)| RoomChange::Create { name, password }),
        (room(), of(text())).prop_map(|(room, shown)| RoomChange::Enter { room, shown }),
        room().prop_map(RoomChange::Leave),
        room().prop_map(RoomChange::Delete),
        (room(), setting()).prop_map(|(room, setting)| RoomChange::Set(room, setting)),
        (room(), room_member()).prop_map(|(room, who)| RoomChange::Invite(room, who)),
        (room(), room_member()).prop_map(|(room, who)| RoomChange::Uninvite(room, who)),
        room().prop_map(RoomChange::Clear),
        (room(), account(), level())
            .prop_map(|(room, account, level)| RoomChange::SetLevel(room, account, level)),
        of(room()).prop_map(RoomChange::SetDefault),
        removed,
        configured,
        room().prop_map(RoomChange::Release),
        Just(RoomChange::Adopt),
        account().prop_map(RoomChange::EnterAuto),
    ]
}
