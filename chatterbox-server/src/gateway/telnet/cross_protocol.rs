//! Cross-protocol requests: a page that somebody opens in a browser can make it send bytes of its choice to any port, as the body
//! of a request. Whoever begins as an HTTP client is not a person at a terminal.

/// What the first line of a request begins with.
const METHODS: [&[u8]; 10] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"OPTIONS ",
    b"DELETE ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PRI ",
];

/// And what a header does that a browser always sends.
const HEADER: &[u8] = b"host:";

/// The first bytes of the longest of them.
const MOST: usize = 8;

/// Looks at the first bytes of each of the first lines.
#[derive(Debug)]
pub(crate) struct CrossProtocol {
    /// The beginning of the line.
    line: Vec<u8>,
    /// How many lines are still looked at.
    lines: u8,
}

impl Default for CrossProtocol {
    fn default() -> Self {
        Self { line: Vec::new(), lines: 32 }
    }
}

impl CrossProtocol {
    /// Takes the next byte; says whether this is no person.
    pub(crate) fn is_found(&mut self, byte: u8) -> bool {
        if self.lines == 0 {
            return false;
        }
        if byte == b'\n' {
            self.line.clear();
            self.lines -= 1;
            return false;
        }
        if self.line.len() > MOST {
            return false;
        }
        self.line.push(byte);
        // A TLS client has come to the wrong port.
        let is_tls = self.line == [0x16, 3];
        METHODS.contains(&self.line.as_slice()) || self.line.eq_ignore_ascii_case(HEADER) || is_tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> bool {
        let mut looked = CrossProtocol::default();
        bytes.iter().any(|byte| looked.is_found(*byte))
    }

    #[test]
    fn requests_are_known_by_their_beginning() {
        for request in [
            "GET / HTTP/1.1\r\n",
            "POST /chat HTTP/1.1\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "CONNECT x",
            "FOO / HTTP/1.1\r\nhOsT: localhost:2323\r\n",
            "\u{16}\u{3}\u{1}",
        ] {
            assert!(found(request.as_bytes()), "{request}");
        }
        for typed in ["ann\n:join games\n", "GETTING up\n", "the host: me\n", "hostess\n", "get \n"]
        {
            assert!(!found(typed.as_bytes()), "{typed}");
        }
        // A person may say it, later.
        assert!(!found(format!("{}GET /", "x\n".repeat(32)).as_bytes()));
    }
}
