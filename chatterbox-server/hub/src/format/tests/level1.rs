//! The bytes of level 1, as they stand in the logs of running clusters.

use std::fmt::Write as _;
use std::sync::Arc;

use chatterbox_proto::session::Destination;
use chatterbox_proto::{Capabilities, Capability, RoomName, Username};

use super::group;
use crate::block_lists::BlockLists;
use crate::filing::{Filing, Party, Sender};
use crate::format::encode;
use crate::identity::{AccountKey, Identity, LoggedIn};
use crate::ids::{MemberId, RoomNumber, SessionId, SessionProof, Verifier};
use crate::level::Level;
use crate::record::{Record, RoomRef};
use crate::replica::ended_logins::{AccountChange, AccountChangeKind};
use crate::replica::moderation_act::{Moderation, ModerationAct, Whom};
use crate::replica::proposal::{
    Amendment, Incarnation, Join, Login, Old, Proposal, Rename, Resume, Say, Tick, Up,
};
use crate::replica::rooms::definition::{AccountRef, RoomKeep, RoomMember, RoomShow};
use crate::replica::rooms::wish::{ConfiguredRoom, RoomActor, RoomChange, RoomSetting, RoomWish};
use crate::replica::store_command::StoreCommand;
use crate::replica::tell::{Audience, Tell};
use crate::sanction::{Network, Sanction, SanctionId, SanctionKind, SanctionSubject};

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

pub(super) fn account() -> AccountRef {
    AccountRef { id: 5, name: name("Ann") }
}

fn login() -> LoggedIn {
    LoggedIn { account: name("Ann"), account_key: AccountKey { id: 5, epoch: -2 } }
}

/// A message to everybody.
pub(super) fn say() -> Say {
    let filing = Filing {
        sender: Sender { number: -9, origin: Some(3) },
        from: Some(Party::Account(5)),
        to: Some(Party::Guest(name("Жора"))),
    };
    let record = Record {
        source: name("Ann"),
        destination: Destination::All,
        json: "[1]".into(),
        arrived: 1_700_000_000,
        filing,
        meta: None,
    };
    Say { member: MemberId(300), number: 0, tag: Some("t".into()), record }
}

fn say_to(destination: crate::record::To) -> Proposal {
    let Say { record, .. } = say();
    Proposal::Say(Say { tag: None, record: Record { destination, ..record }, ..say() })
}

/// What there was to agree to when these bytes were written.
fn agreed() -> Capabilities {
    let all =
        "accounts/1 commands/1 ids/1 notices/1 ping/1 presence/1 recent/1 rename/1 rooms/1 utf8/1";
    Capabilities::parse_offer(all).unwrap()
}

fn join() -> Proposal {
    let identity = Identity {
        name: name("Жора"),
        login: Some(login()),
        level: Level::MODERATOR,
        elevated: true,
        address: Some("192.0.2.1".parse().unwrap()),
        since: 1_700_000_000,
        away: Some("tea".into()),
        agreed: Some(agreed()),
    };
    let lists = BlockLists::new(vec![name("Bob")], [(7, name("Жора"))]);
    let key = SessionProof { id: SessionId(1), verifier: Verifier(u128::MAX) };
    let resume = Some(Resume { key: Some(key), only: true });
    Proposal::Join(Box::new(Join {
        identity,
        lists: Arc::new(lists),
        resume,
        verifier: Verifier(1),
        hold: 300,
    }))
}

fn guest_joins() -> Proposal {
    let identity = Identity {
        address: Some("2001:db8::1".parse().unwrap()),
        agreed: Some(Capabilities::NONE.with(Capability::Ids)),
        ..Identity::guest(name("Bob"))
    };
    let lists = Arc::default();
    Proposal::Join(Box::new(Join {
        identity,
        lists,
        resume: None,
        verifier: Verifier(1 << 100),
        hold: 0,
    }))
}

fn sanction(subject: SanctionSubject) -> Sanction {
    Sanction {
        id: SanctionId(1),
        kind: SanctionKind::Mute,
        subject,
        about: "a".into(),
        room: Some(RoomNumber(9)),
        by: "b".into(),
        reason: "r".into(),
        since: 1,
        until: Some(2),
    }
}

fn moderate(act: ModerationAct) -> Proposal {
    let level = Some(Level::ADMIN);
    let written = Some(StoreCommand("w".into()));
    let by = "b".into();
    Proposal::Moderate(Box::new(Moderation { by, level, now: 1, silent: true, written, act }))
}

fn room(change: RoomChange) -> Proposal {
    Proposal::Room(Box::new(RoomWish { by: RoomActor::Member(MemberId(1)), change, now: 1 }), 0)
}

fn tell(whom: Audience) -> Proposal {
    let (plain, notice) = ("[]".into(), "{}".into());
    Proposal::Tell(Box::new(Tell { whom, plain, notice }))
}

fn settings() -> Vec<RoomSetting> {
    vec![
        RoomSetting::Topic("t".into()),
        RoomSetting::Description("d".into()),
        RoomSetting::Limit(1),
        RoomSetting::Password(Some("h".into())),
        RoomSetting::Hidden(true),
        RoomSetting::Closed(true),
        RoomSetting::Talk(Level::USER),
        RoomSetting::Slow(2),
        RoomSetting::Length(3),
        RoomSetting::Keep(RoomKeep::Off),
        RoomSetting::Keep(RoomKeep::Newest(4)),
        RoomSetting::Keep(RoomKeep::All),
        RoomSetting::Show(RoomShow::All),
        RoomSetting::Show(RoomShow::Joined),
        RoomSetting::Roster(true),
    ]
}

fn proposals() -> Vec<(&'static str, Proposal)> {
    let member = MemberId(1);
    let number = RoomNumber(9);
    let amendment = Amendment {
        login: Some(Login::In(login())),
        level: Some(Level::HELPER),
        elevated: Some(false),
    };
    let logged_out = Amendment { login: Some(Login::Out), ..Amendment::default() };
    let ended = |kind| Proposal::EndLogins(AccountChange { account: 5, name: name("Ann"), kind });
    let rename =
        Rename { name: name("Жора"), owns: true, blocked_by: vec![(7, name("Bob"))], now: 1 };
    let room_name = || RoomName::parse("#Гараж").unwrap();
    let guest = || RoomMember::Guest(member);
    let of_account = || RoomMember::Account(account());
    let configured = ConfiguredRoom {
        name: room_name(),
        settings: settings(),
        owner: Some(account()),
        auto: true,
    };
    let sanctions = vec![
        sanction(SanctionSubject::Account(account())),
        sanction(SanctionSubject::Name(name("Жора"))),
        sanction(SanctionSubject::Guest {
            name: name("Bob"),
            session: Some(SessionId(1)),
            member: Some(member),
        }),
        sanction(SanctionSubject::Network {
            network: Network::parse("192.0.2.0/24").unwrap(),
            guests_only: true,
        }),
        Sanction {
            kind: SanctionKind::Ban,
            room: None,
            until: None,
            ..sanction(SanctionSubject::Account(account()))
        },
    ];
    vec![
        ("up", Proposal::Up(Up { read_to: 300, name: "n1".into(), speaks: 1 })),
        ("tick", Proposal::Tick(Tick { place: 300, read: u64::MAX, ..Tick::default() })),
        (
            "tick with digests",
            Proposal::Tick(Tick { place: 3, read: 4, state: Some((5, 6)), stores: Some((7, 8)) }),
        ),
        ("down", Proposal::Down(Incarnation(1 << 63))),
        ("join", join()),
        ("guest joins", guest_joins()),
        ("leave", Proposal::Leave(member)),
        ("rename", Proposal::Rename(member, rename)),
        ("say", Proposal::Say(say())),
        ("say to a user", say_to(Destination::User(name("Жора")))),
        ("say in a room", say_to(Destination::Room(RoomRef { number, name: room_name() }))),
        ("create", room(RoomChange::Create { name: room_name(), password: Some("h".into()) })),
        ("enter", room(RoomChange::Enter { room: number, shown: Some("h".into()) })),
        ("leave room", room(RoomChange::Leave(number))),
        ("delete", room(RoomChange::Delete(number))),
        ("set", room(RoomChange::Set(number, RoomSetting::Limit(1)))),
        ("invite", room(RoomChange::Invite(number, of_account()))),
        ("uninvite", room(RoomChange::Uninvite(number, guest()))),
        ("clear", room(RoomChange::Clear(number))),
        ("set level", room(RoomChange::SetLevel(number, account(), Level::OPERATOR))),
        ("set default", room(RoomChange::SetDefault(Some(number)))),
        (
            "remove",
            room(RoomChange::Remove {
                room: number,
                who: guest(),
                reason: "r".into(),
                banned: true,
                by: Some("b".into()),
            }),
        ),
        ("configure", room(RoomChange::Configure(Box::new(configured)))),
        ("release", room(RoomChange::Release(number))),
        (
            "adopt",
            Proposal::Room(
                Box::new(RoomWish { by: RoomActor::Operator, change: RoomChange::Adopt, now: 1 }),
                0,
            ),
        ),
        ("enter auto", room(RoomChange::EnterAuto(account()))),
        ("set blocked", Proposal::SetBlocked(member, vec![name("Bob"), name("Жора")])),
        ("amend", Proposal::Amend(member, amendment)),
        ("amend, logged out", Proposal::Amend(member, logged_out)),
        ("set away", Proposal::SetAway(member, Some("tea".into()))),
        ("account removed", ended(AccountChangeKind::Removed)),
        ("logins ended", ended(AccountChangeKind::LoginsEnded { epoch: 3, spared: Some(member) })),
        (
            "kick",
            moderate(ModerationAct::Kick { whom: Whom::Account(account()), reason: "r".into() }),
        ),
        (
            "kick a guest",
            moderate(ModerationAct::Kick {
                whom: Whom::Guest(name("Bob"), Some(member)),
                reason: "r".into(),
            }),
        ),
        ("impose", moderate(ModerationAct::Impose(sanctions))),
        ("lift", moderate(ModerationAct::Lift(vec![SanctionId(1), SanctionId(-1)]))),
        ("store", Proposal::Store(StoreCommand("abc".into()))),
        ("crowded", Proposal::Crowded(vec![(MemberId(300), true), (MemberId(1), false)])),
        ("tell all", tell(Audience::All)),
        ("tell a room", tell(Audience::Room(RoomNumber(300)))),
        ("tell staff", tell(Audience::Staff(Some(RoomNumber(2)), Level::HELPER))),
        ("tell of a report", tell(Audience::Report(None, name("eve")))),
        ("tell one", tell(Audience::Member(MemberId(3)))),
        ("pardon", Proposal::Pardon(MemberId(3))),
        ("speak", Proposal::Speak(300)),
        ("old", Proposal::Old(Old { number: 300, below: 7, record: say().record })),
    ]
}

#[test]
fn every_proposal_has_the_bytes_that_are_written_down() {
    let mut all = String::new();
    for (what, proposal) in proposals() {
        let written = encode(&group(proposal)).unwrap();
        let hex = written.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        writeln!(all, "{what}: {hex}").unwrap();
    }
    assert!(
        all == include_str!("level1.txt"),
        "The format has changed, which is a new level (docs/decisions/0033). It is now:\n{all}"
    );
}
