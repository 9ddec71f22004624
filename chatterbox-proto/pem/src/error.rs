//! The reasons why a file can't be used, each with a sentence and a hint. The sentences are for behind the file's name.

/// The reason why a file is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// There is nothing in the file.
    #[error("it is empty: there is no certificate in it, and no key")]
    Empty,
    /// The text is in UTF-16, as Windows programs write it.
    #[error("its text is in UTF-16, and PEM is in ASCII")]
    Utf16,
    /// It is binary.
    #[error("it is binary ({}), and not PEM", .0.name())]
    Der(Der),
    /// It is text, and no block is in it.
    #[error("there is no PEM block in it")]
    NoBlock,
    /// A line resembles the beginning or the end of a block, and is none.
    #[error("line {line} looks like {}, but is not written like one", if *.begins { "-----BEGIN ...-----" } else { "-----END ...-----" })]
    Marker {
        /// The line, counted from 1.
        line: usize,
        /// Whether it resembles a beginning.
        begins: bool,
    },
    /// A block begins, and does not end.
    #[error("the block {label} that begins in line {line} has no end")]
    NoEnd {
        /// The line, counted from 1.
        line: usize,
        /// The block's label.
        label: String,
    },
    /// A block ends that has not begun.
    #[error("line {line} ends a block {label} that has not begun")]
    NoBegin {
        /// The line, counted from 1.
        line: usize,
        /// The label of the end.
        label: String,
    },
    /// A block is not base64.
    #[error("line {line} is in a block {label}, and is not base64")]
    Base64 {
        /// The line, counted from 1; the first one of the block if the block as a whole is not.
        line: usize,
        /// The block's label.
        label: String,
    },
    /// A block has header lines that can't be understood.
    #[error("line {line} is a header in a block {label}, which has none here")]
    Header {
        /// The line, counted from 1.
        line: usize,
        /// The block's label.
        label: String,
    },
    /// A block has a label that may matter and is not understood.
    #[error("the block {label} in line {line} can't be read here")]
    Label {
        /// The line, counted from 1.
        line: usize,
        /// The block's label.
        label: String,
    },
    /// A block CERTIFICATE does not hold one.
    #[error("what is in the block CERTIFICATE in line {line} is no certificate")]
    NotACertificate {
        /// The line, counted from 1.
        line: usize,
    },
    /// There are blocks, but no certificate among them.
    #[error("there is no certificate in it, only {found}")]
    NoCertificate {
        /// What there is, in words.
        found: &'static str,
    },
}

impl PemError {
    /// What helps; `file` is the file's name as a shell takes it.
    pub fn hint(&self, file: &str) -> String {
        const CUT: &str =
            "the file may have been cut off, or changed by an editor: get it once more";
        match self {
            Self::Empty | Self::NoBlock => {
                "a certificate in PEM begins with -----BEGIN CERTIFICATE-----".to_owned()
            }
            Self::Utf16 => format!("convert it: iconv -f UTF-16 -t UTF-8 {file} > new.pem"),
            Self::Der(Der::Certificate) => {
                format!("convert it: openssl x509 -inform der -in {file} -out new.pem")
            }
            Self::Der(Der::Key) => {
                format!("convert it: openssl pkey -inform der -in {file} -out new.key")
            }
            Self::Der(Der::Store) => {
                format!("take certificate and key out: openssl pkcs12 -in {file} -nodes -out new.pem")
            }
            Self::Der(Der::Other) => "give the file in PEM, which is text".to_owned(),
            Self::Label { label, .. } if label == "PKCS7" || label == "CMS" => {
                format!("convert it: openssl pkcs7 -print_certs -in {file} -out new.pem")
            }
            Self::Label { label, .. } if label == "TRUSTED CERTIFICATE" => {
                format!("convert it: openssl x509 -in {file} -out new.pem")
            }
            Self::Label { label, .. } if label == "OPENSSH PRIVATE KEY" => {
                "a key of ssh is none for TLS: make a certificate with a key of its own".to_owned()
            }
            Self::Label { .. } => {
                "leave only certificates (-----BEGIN CERTIFICATE-----) and the key in the file".to_owned()
            }
            Self::NoCertificate { found } if found.contains("request") => {
                "a request is what an authority is asked with: use the certificate that it gave back".to_owned()
            }
            Self::NoCertificate { .. } => {
                "the certificate is another file; it begins with -----BEGIN CERTIFICATE-----".to_owned()
            }
            Self::Marker { .. }
            | Self::NoEnd { .. }
            | Self::NoBegin { .. }
            | Self::Base64 { .. }
            | Self::Header { .. }
            | Self::NotACertificate { .. } => CUT.to_owned(),
        }
    }
}

/// The name of a file as a shell takes it, for hints that can be copied.
pub fn shell_word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    // A name that begins with a dash would be taken for an option.
    let dash = if name.starts_with('-') { "./" } else { "" };
    format!("'{dash}{}'", name.replace('\'', r"'\''"))
}

/// What a binary file seems to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Der {
    /// A certificate.
    Certificate,
    /// A private key.
    Key,
    /// A PKCS#12 store (`.p12`, `.pfx`).
    Store,
    /// Something else.
    Other,
}

impl Der {
    const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate in DER",
            Self::Key => "a key in DER",
            Self::Store => "a PKCS#12 store",
            Self::Other => "not text",
        }
    }
}

/// The reason why there is no usable private key in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// There is none.
    #[error("no private key in it")]
    Missing,
    /// It needs a passphrase.
    #[error(
        "the private key in line {line} is encrypted, and a server that starts by itself has nobody to ask for the passphrase"
    )]
    Encrypted {
        /// The line of its block, counted from 1.
        line: usize,
    },
    /// There are several.
    #[error("there are {count} private keys in it, and one is needed")]
    Several {
        /// How many.
        count: usize,
    },
}

impl KeyProblem {
    /// What helps; `file` is the file's name as a shell takes it.
    pub fn hint(self, file: &str) -> String {
        match self {
            Self::Missing => "give the file that holds the key with --key".to_owned(),
            Self::Encrypted { .. } => {
                format!(
                    "decrypt it into a file that only the server can read: (umask 077; openssl pkey -in {file} -out new.key)"
                )
            }
            Self::Several { .. } => "leave the one that belongs to the certificate".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_hint_can_be_copied() {
        for (name, word) in [
            ("/etc/tls/own.pem", "/etc/tls/own.pem"),
            ("my key.pem", "'my key.pem'"),
            ("it's.pem", r"'it'\''s.pem'"),
            ("-x.pem", "'./-x.pem'"),
            ("$(id).pem", "'$(id).pem'"),
        ] {
            assert_eq!(shell_word(name), word);
        }
    }
}
