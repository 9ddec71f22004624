//! `accounts`: names that belong to somebody.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{
    agreed::Agreed,
    state::{Account, Resumption, Standing},
};
use crate::chat::Chat;

/// After so many failed logins under a name there are no more for a while.
const MOST_FAILURES: usize = 5;

/// The skeleton of a name: names with the same skeleton are confusable.
pub(super) fn skeleton(name: &str) -> String {
    let alike = |c: char| match c {
        '1' | 'i' | 'I' | '|' => 'l',
        '0' => 'o',
        '\u{430}' => 'a',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(alike).collect()
}

impl Chat {
    /// Authenticates a login under this name with these keys; an error is a word and a text.
    pub(crate) fn standing(
        &mut self,
        name: &str,
        agreed: &Agreed,
        beside: &Map<String, Value>,
    ) -> Result<Standing, (&'static str, &'static str)> {
        let f = self.faults.clone();
        let proof = |key: &str| beside.get(key).filter(|_| agreed.has("accounts"));
        let proof = |key: &str| proof(key).and_then(Value::as_str);
        if let Some(password) = proof("PASSWORD") {
            return self.by_password(name, password);
        }
        if let Some(token) = proof("TOKEN") {
            let account = self.accounts.all.get(&skeleton(name));
            let known = account.is_some_and(|account| account.tokens.iter().any(|t| t == token));
            return match known && !f.acts(Fault::TokenUseless) {
                true => Ok(self.logged_in(name)),
                false if f.acts(Fault::AnyTokenLogsIn) => Ok(self.logged_in(name)),
                false => Err(("wrong-token", "that token is not good")),
            };
        }
        self.may_take(name)?;
        Ok(Standing::default())
    }

    fn by_password(
        &mut self,
        name: &str,
        password: &str,
    ) -> Result<Standing, (&'static str, &'static str)> {
        let f = self.faults.clone();
        let key = skeleton(name);
        let failures = self.accounts.failures.entry(key.clone()).or_default();
        if *failures >= MOST_FAILURES && !f.acts(Fault::NeverThrottled) {
            return Err(("throttled", "try again later"));
        }
        let account = self.accounts.all.get_mut(&key);
        if account.is_none() && f.acts(Fault::UnknownAccountTold) {
            return Err(("bad-name", "there is no such account"));
        }
        let right = account.filter(|a| a.password == password || f.acts(Fault::AnyPasswordLogsIn));
        let Some(account) = right else {
            *failures += 1;
            if f.acts(Fault::FailedLoginRegisters) {
                self.accounts.all.entry(key).or_default();
            }
            return Err(("wrong-password", "that is not the password"));
        };
        let token = format!("{:032x}", rand::random::<u128>());
        account.tokens.push(token.clone());
        if f.acts(Fault::PasswordIgnored) {
            return Ok(Standing { token: Some(token), ..Standing::default() });
        }
        let token = (!f.acts(Fault::NoLoginToken)).then_some(token);
        Ok(Standing { token, ..self.logged_in(name) })
    }

    /// The standing of the owner of a name.
    fn logged_in(&self, name: &str) -> Standing {
        let account = self.account_of(name).unwrap_or(name);
        let level = self.level_of(Some(account));
        Standing { account: Some(account.to_owned()), level, token: None }
    }

    /// The account with this name, as it was registered.
    pub(crate) fn account_of(&self, name: &str) -> Option<&str> {
        self.accounts.all.get(&skeleton(name)).map(|account| account.name.as_str())
    }

    /// The standing of a session that goes on: its user is logged in as before.
    pub(crate) fn standing_of(&self, resumption: &Resumption) -> Standing {
        let account = self.sessions.get(&resumption.token).and_then(|old| old.account.clone());
        Standing { level: self.level_of(account.as_deref()), account, token: None }
    }

    /// Whether a guest may have this name.
    pub(crate) fn may_take(&self, name: &str) -> Result<(), (&'static str, &'static str)> {
        let f = &self.faults;
        let Some((_, exact)) = self.accounts.all.iter().find_map(|(key, _)| {
            (*key == skeleton(name)).then(|| (key, key.eq_ignore_ascii_case(name)))
        }) else {
            return Ok(());
        };
        if exact {
            if f.acts(Fault::RegisteredTaken) {
                Ok(())
            } else {
                Err(("registered", "it belongs to somebody"))
            }
        } else if f.acts(Fault::LookalikeTaken) {
            Ok(())
        } else {
            Err(("looks-taken", "it looks like somebody's"))
        }
    }

    /// Whether an account can be made for this name, and makes it.
    pub(crate) fn register(&mut self, name: &str, password: &str) -> bool {
        if self.accounts.all.contains_key(&skeleton(name)) {
            return false;
        }
        let (own, password) = (name.to_owned(), password.to_owned());
        let account = Account { name: own, password, tokens: Vec::new() };
        self.accounts.all.insert(skeleton(name), account);
        true
    }

    /// Whether this is the password of an account.
    pub(super) fn is_password(&self, account: &str, password: &str) -> bool {
        self.accounts.all.get(&skeleton(account)).is_some_and(|one| one.password == password)
    }

    /// Makes the tokens of an account worthless.
    pub(crate) fn log_out(&mut self, name: &str) {
        if self.faults.acts(Fault::TokenSurvivesLogout) {
            return;
        }
        if let Some(account) = self.accounts.all.get_mut(&skeleton(name)) {
            account.tokens.clear();
        }
    }

    /// The keys of the welcome about the account.
    pub(crate) fn tell_account(
        &self,
        agreed: &Agreed,
        standing: &Standing,
        welcome: &mut Map<String, Value>,
    ) {
        if !agreed.has("accounts") || self.faults.acts(Fault::NoAccount) {
            return;
        }
        let mut account = Map::from_iter([("LEVEL".to_owned(), json!(standing.level))]);
        if let Some(token) = &standing.token {
            account.insert("TOKEN".into(), json!(token));
        }
        welcome.insert("ACCOUNT".into(), Value::Object(account));
    }

    /// A refusal, with the word for who agreed on accounts.
    pub(crate) fn refusal(&self, agreed: &Agreed, code: &str, text: &str) -> Map<String, Value> {
        let f = &self.faults;
        let mut refusal = Map::new();
        let belongs = code == "registered" || code == "looks-taken";
        let told = agreed.offered() || (belongs && !f.acts(Fault::RegisteredUntold));
        if told {
            refusal.insert("INFO".into(), json!(text));
        }
        let agreed = agreed.has("accounts") && !f.acts(Fault::RefusedWithoutCode);
        if agreed || f.acts(Fault::CodeToEverybody) {
            refusal.insert("CODE".into(), json!(code));
        }
        refusal
    }
}
