//! Cross-protocol requests: a page that somebody opens in a browser can make it send bytes of its choice to any port, as the body
//! of a request. Whoever begins as an HTTP client is not a person at a terminal.
//!
//! A page has no say in what its browser sends first: the request line, which ends with the version of HTTP, whatever the method; or
//! the head of a TLS record. So the first line alone tells, and whatever a person types later is theirs.

/// What a request line begins with. A browser sends no other methods before it has asked for them with OPTIONS.
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

/// And what is before the version at its end.
const VERSION: &[u8] = b" HTTP/";

/// What a TLS client begins with.
const HANDSHAKE: &[u8] = &[0x16, 3];

/// The first bytes of the longest of those that begin the line.
const MOST: usize = 8;

/// Looks at the first line.
#[derive(Debug, Default)]
pub(crate) struct CrossProtocol {
    /// The beginning of the line.
    line: Vec<u8>,
    /// How many of the last bytes are the beginning of [`VERSION`].
    version: usize,
    /// Whether the line is over.
    is_over: bool,
}

impl CrossProtocol {
    /// Takes the next byte; says whether this is no person.
    pub(crate) fn is_found(&mut self, byte: u8) -> bool {
        if self.is_over {
            return false;
        }
        if matches!(byte, b'\n' | b'\r') {
            self.is_over = true;
            self.line = Vec::new();
            return false;
        }
        if VERSION.get(self.version) == Some(&byte) {
            self.version += 1;
        } else {
            // Only its first byte can begin it anew: there is no other blank in it.
            self.version = usize::from(VERSION.first() == Some(&byte));
        }
        if self.version == VERSION.len() {
            return true;
        }
        if self.line.len() > MOST {
            return false;
        }
        self.line.push(byte);
        METHODS.contains(&self.line.as_slice()) || self.line == HANDSHAKE
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
    fn requests_are_known_by_their_first_line() {
        for request in [
            "GET / HTTP/1.1\r\n",
            "POST /chat HTTP/1.1\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "CONNECT x",
            "FOO / HTTP/1.1\r\nhOsT: localhost:2323\r\n",
            "FOO / HT HTT  HTTP/1.1\r\n",
            "\u{16}\u{3}\u{1}",
        ] {
            assert!(found(request.as_bytes()), "{request}");
        }
        let long = format!("FOO /{} HTTP/1.1\r\n", "x".repeat(10_000));
        assert!(found(long.as_bytes()));
        for typed in ["ann\n:join games\n", "GETTING up\n", "host: me\n", "get \n", "HTTP/1.1 x\n"]
        {
            assert!(!found(typed.as_bytes()), "{typed}");
        }
    }

    /// Red when later lines are looked at: who talks about HTTP is thrown out.
    #[test]
    fn who_has_typed_a_line_may_type_everything() {
        for end in ["\n", "\r\n", "\r\0"] {
            let typed =
                ["ann", ":chat", "Host: who is it?", "POST it", "GET / HTTP/1.1", "\x16\x03"];
            assert!(!found(typed.join(end).as_bytes()), "{end:?}");
        }
    }
}
