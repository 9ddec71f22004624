//! The ids of the norm's clauses, as `docs/protocol.md` and `docs/capabilities.md` give them.
//!
//! Only what this crate cites is here; a test holds every one against the documents.

use std::fmt;

/// The permanent id of one clause of the norm, such as `FR-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Clause(&'static str);

impl Clause {
    /// The id as the document writes it.
    pub const fn id(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! clauses {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        $($(#[$doc])* pub const $name: Clause = Clause($id);)*

        /// Every clause that this crate cites.
        pub const CITED: &[Clause] = &[$($name),*];
    };
}

clauses! {
    /// A length above the limit.
    FR_5 = "FR-5";
    /// A frame of length zero.
    FR_6 = "FR-6";
    /// The body is one JSON object.
    JS_1 = "JS-1";
    /// UTF-8 is accepted, so anything else is not.
    JS_3 = "JS-3";
    /// Deep nesting.
    JS_5 = "JS-5";
    /// A key twice.
    JS_6 = "JS-6";
    /// USERNAME is a string and comes first.
    NM_1 = "NM-1";
    /// Which names are allowed.
    NM_2 = "NM-2";
    /// A second USERNAME.
    NM_3 = "NM-3";
    /// A name in use.
    TK_1 = "TK-1";
    /// How many tries a connection has.
    TK_4 = "TK-4";
    /// USERNAME_ACCEPTED is a boolean.
    AC_1 = "AC-1";
    /// INFO is optional.
    IN_1 = "IN-1";
    /// USER_LIST is a list of strings.
    UL_1 = "UL-1";
    /// The welcome has MESSAGES.
    HI_1 = "HI-1";
    /// MESSAGES is a list.
    MM_1 = "MM-1";
    /// A message has four elements.
    T4_1 = "T4-1";
    /// The limit of a message.
    LG_3 = "LG-3";
    /// TIMESTAMP is an integer.
    TS_1 = "TS-1";
    /// Nobody by that name.
    DE_2 = "DE-2";
    /// SRC is the joined name.
    SR_1 = "SR-1";
    /// Who has not joined can't send.
    SR_3 = "SR-3";
    /// USERS_JOINED is a list of strings.
    UJ_1 = "UJ-1";
    /// Who joins is not told of it.
    UJ_3 = "UJ-3";
    /// USERS_LEFT is a list of strings.
    UX_1 = "UX-1";
    /// USERS_LEFT names only who was there.
    UX_2 = "UX-2";
    /// Invalid messages are answered.
    IV_1 = "IV-1";
    /// No known key.
    IV_4 = "IV-4";
    /// Unknown keys.
    BN_1 = "BN-1";
    /// A peer that stops reading.
    AS_3 = "AS-3";
    /// How long joining may take.
    AS_4 = "AS-4";
    /// What an offer looks like.
    CP_3 = "CP-3";
    /// When an offer is made.
    CP_4 = "CP-4";
    /// Tags beside messages.
    ID_3 = "ID-3";
    /// A page of history.
    ID_6 = "ID-6";
    /// Going on with a session.
    ID_7 = "ID-7";
    /// Asking whether the other end is there.
    PI_1 = "PI-1";
    /// Proving whose name it is.
    AN_1 = "AN-1";
    /// A private message to who is not here.
    AN_7 = "AN-7";
    /// How far somebody has read.
    MK_1 = "MK-1";
    /// A command.
    CM_2 = "CM-2";
    /// How a file is transferred.
    FI_2 = "FI-2";
    /// Which file a message announces.
    FI_3 = "FI-3";
    /// Who has blocked whom.
    BL_1 = "BL-1";
    /// A question of the server.
    CM_4 = "CM-4";
    /// What a device publishes.
    EE_1 = "EE-1";
    /// An encrypted message.
    EE_3 = "EE-3";
    /// What a device gets, and has got.
    EE_4 = "EE-4";
    /// A short welcome.
    RC_1 = "RC-1";
    /// What can't be said in a room.
    RM_15 = "RM-15";
    /// What may go with a message.
    MT_2 = "MT-2";
    /// What a reply may name.
    MT_3 = "MT-3";
    /// Whom a message may mention.
    MT_4 = "MT-4";
    /// Who may not write.
    MO_3 = "MO-3";
    /// Who has said too much.
    FL_2 = "FL-2";
    /// Where too much is said.
    FL_3 = "FL-3";
    /// What is looked at before a compressed frame is inflated.
    ZS_2 = "ZS-2";
}

#[cfg(test)]
mod tests {
    use super::CITED;

    #[test]
    fn every_cited_clause_is_in_the_norm() {
        let norm = concat!(
            include_str!("../../docs/protocol.md"),
            include_str!("../../docs/capabilities.md")
        );
        for clause in CITED {
            let row = format!("\n| {clause} | ");
            assert_eq!(
                norm.matches(&row).count(),
                1,
                "{clause} must stand once in docs/protocol.md or docs/capabilities.md"
            );
        }
    }
}
