//! `meta`: what goes with a message, judged when it is taken and told beside it (MT-1 to MT-4).

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::state::Refusal;
use crate::{
    chat::{Chat, Member},
    entry::Entry,
    faults::Faults,
    session::Session,
};

/// Who may mention everybody.
const MODERATOR: u8 = 3;

/// So long an object may be, in bytes, and so many names it may have.
const LONGEST: usize = 2 * 1024;
const MOST_NAMES: usize = 20;

impl Session {
    /// Checks META beside so many messages: what goes with each of them.
    pub(crate) fn metas(
        &self,
        count: usize,
        metas: Option<&Value>,
    ) -> Result<Vec<Value>, &'static str> {
        let f = &self.shared.faults;
        let Some(metas) = metas.filter(|_| self.agreed.has("meta")) else { return Ok(Vec::new()) };
        let wrong = "META is a list as long as MESSAGES, of null and objects";
        let list = metas.as_array().filter(|list| list.len() == count);
        match list.filter(|list| list.iter().all(|meta| is_sound(meta, f))) {
            Some(list) => Ok(list.clone()),
            None if f.acts(Fault::MetaUnchecked) => Ok(Vec::new()),
            None => Err(wrong),
        }
    }
}

/// Whether an element of META is what a client may put.
fn is_sound(meta: &Value, f: &Faults) -> bool {
    let Some(object) = meta.as_object() else { return meta.is_null() };
    let names = |value: &Value| {
        let list = value.as_array().filter(|list| list.len() <= MOST_NAMES);
        list.is_some_and(|list| list.iter().all(Value::is_string))
    };
    let sound = |(key, value): (&String, &Value)| match key.as_str() {
        "REPLY" => value.as_u64().is_some_and(|id| id > 0),
        "MENTIONS" => names(value),
        "FILE" => value.is_string() || value.is_object() && f.acts(Fault::FileMetaOfSender),
        "E2EE" => value.is_object(),
        _ => false,
    };
    let beside: Map<_, _> = object
        .iter()
        .filter(|(key, _)| *key != "E2EE")
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    json!(beside).to_string().len() <= LONGEST && object.iter().all(sound)
}

impl Chat {
    /// Puts what goes with a message to a destination beside it for its delivery, or refuses the message.
    pub(crate) fn take_meta(
        &mut self,
        connection: u64,
        dest: &str,
        parts: &[Value],
        meta: Option<&Value>,
    ) -> Result<(), Refusal> {
        let content = parts.get(3).and_then(Value::as_str).unwrap_or_default();
        let judged = self.judged(connection, (dest, content), meta);
        if judged.is_err() && self.faults.acts(Fault::MetaRefusedDelivered) {
            self.deliver(parts, dest, None);
        }
        self.meta = judged?;
        Ok(())
    }

    /// Judges what goes with a message to a destination; what is told of it.
    fn judged(
        &mut self,
        connection: u64,
        (dest, content): (&str, &str),
        meta: Option<&Value>,
    ) -> Result<Option<Value>, Refusal> {
        let f = &self.faults.clone();
        let member = self.member(connection).cloned();
        let (Some(meta), Some(member)) = (meta.and_then(Value::as_object), member.as_ref()) else {
            return Ok(None);
        };
        if meta.contains_key("FILE") && !member.agreed.has("files") {
            return Err(Refusal::new("refused", "no files here"));
        }
        let mut told = Map::new();
        if let Some(sealed) = meta.get("E2EE") {
            self.judge_sealed(member, dest, content, sealed)?;
            if meta.contains_key("FILE") {
                return Err(Refusal::new("bad-e2ee", "no file goes with an encrypted message"));
            }
            told.insert("E2EE".into(), sealed.clone());
        }
        if let Some(id) = meta.get("REPLY").and_then(Value::as_u64) {
            if !self.can_read(member, dest, id) && !f.acts(Fault::ReplyUnchecked) {
                let elsewhere = self.history.iter().any(|entry| entry.id == id);
                let differs = elsewhere && f.acts(Fault::ReplyElsewhereTold);
                let text = if differs { "not here" } else { "there is no such message here" };
                return Err(Refusal::new("no-such-message", text));
            }
            told.insert("REPLY".into(), json!(id));
        }
        let mut names: Vec<&str> = Vec::new();
        let wanted = meta.get("MENTIONS").and_then(Value::as_array).into_iter().flatten();
        for name in wanted.filter_map(Value::as_str) {
            let all = name == "ALL" || (name.starts_with('#') && name == dest);
            if all && self.level_at(member, dest) < MODERATOR && !f.acts(Fault::MentionAllByAnybody)
            {
                return Err(Refusal::new("forbidden", "that is for moderators"));
            }
            let reads = all || self.reads(name, member, dest) || f.acts(Fault::MentionsUnchecked);
            if reads && (!names.contains(&name) || f.acts(Fault::MentionsTwice)) {
                names.push(name);
            }
        }
        if !names.is_empty() {
            told.insert("MENTIONS".into(), json!(names));
        }
        if let Some(asked) = meta.get("FILE") {
            told.insert("FILE".into(), self.announce_file(connection, dest, asked)?);
        }
        Ok((!told.is_empty()).then_some(Value::Object(told)))
    }

    /// Whether a message is of the conversation with a destination, and a member can read it.
    fn can_read(&self, member: &Member, dest: &str, id: u64) -> bool {
        let own = &member.name;
        if dest.starts_with('#') {
            return self.was_said_in_room(dest, id);
        }
        let is_it = |entry: &&Entry| entry.id == id;
        self.history.iter().find(is_it).is_some_and(|entry| match dest {
            "ALL" => entry.dest() == "ALL",
            other => {
                let (src, dest) = (entry.src(), entry.dest());
                (src == own && dest == other) || (src == other && dest == own)
            }
        })
    }

    /// Whether somebody of this name can read what is said to a destination.
    fn reads(&self, name: &str, member: &Member, dest: &str) -> bool {
        if dest.starts_with('#') {
            let of = self.members.iter().find(|member| member.name == name);
            return of.is_some_and(|of| self.is_in_room(dest, of));
        }
        if dest == "ALL" { self.is_here(name) } else { name == dest || name == member.name }
    }

    /// The level of a member in a room, or of whoever keeps order in the lobby.
    fn level_at(&self, member: &Member, dest: &str) -> u8 {
        let number = self.rooms.find(dest, &self.faults);
        let in_room = number.and_then(|number| self.level_in_room(&member.party(), number));
        in_room.or_else(|| self.level_here(member.connection)).unwrap_or_default()
    }

    /// What goes with some messages, for one member; nothing where it is nothing.
    pub(crate) fn meta_of(&self, member: &Member, entries: &[&Entry]) -> Option<Value> {
        let f = &self.faults;
        let meta = self.meta_beside(member, entries)?;
        let has_file =
            |entry: &&Entry| entry.meta.as_ref().is_some_and(|meta| meta.get("FILE").is_some());
        let told = member.agreed.has("meta")
            || f.acts(Fault::MetaToEverybody)
            || entries.iter().any(has_file) && f.acts(Fault::FileToBase);
        (told && !f.acts(Fault::MetaUntold)).then_some(meta)
    }

    /// The same in a welcome, which may be that of a resumed session, or in a page.
    pub(crate) fn past_meta_of(
        &self,
        member: &Member,
        entries: &[&Entry],
        resumes: bool,
    ) -> Option<Value> {
        let f = &self.faults;
        let leaked =
            || self.meta_beside(member, entries).filter(|_| f.acts(Fault::MetaPastToEverybody));
        let meta = self.meta_of(member, entries).or_else(leaked)?;
        let hidden = f.acts(Fault::MetaLiveOnly) || (resumes && f.acts(Fault::MetaNotResumed));
        (!hidden).then_some(meta)
    }

    /// The list beside some messages; nothing where nothing goes with any of them.
    fn meta_beside(&self, member: &Member, entries: &[&Entry]) -> Option<Value> {
        let shown = |entry: &&Entry| {
            let meta = self.meta_for(member, entry)?;
            let hidden = entry.dest() != "ALL" && self.faults.acts(Fault::MetaOfLobbyOnly);
            (!hidden).then_some(meta)
        };
        let list: Vec<Option<Value>> = entries.iter().map(shown).collect();
        list.iter().any(Option::is_some).then(|| json!(list))
    }
}
