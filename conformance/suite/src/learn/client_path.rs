//! The stages of a client.

use super::{
    path::Path,
    stage::{Line, Stage, frame, happens},
};
use crate::case::Side;

/// The stages in the order in which a client is written.
pub static CLIENT: Path = Path { side: Side::Client, stages: STAGES };

const STAGES: &[Stage] = &[
    Stage {
        id: "connect",
        title: "It connects, with TLS",
        asks: &[
            "Your program connects to the host and port of its command line and does the TLS handshake. It trusts the authority whose certificate is in the file that it is given ({ca} in the command), and checks that the certificate is for this host.",
        ],
        wire: &[
            happens("the client opens a TCP connection to the host and port of the command line"),
            happens("client and server do the TLS handshake; from now on both can write bytes"),
        ],
        how: &[
            "In Python (create_connection tries every address that getaddrinfo gives):\ncontext = ssl.create_default_context(cafile=ca)\nsock = context.wrap_socket(socket.create_connection((host, port)), server_hostname=host)",
            "Elsewhere: SSLSocketFactory with a trust store (Java), tls.connect with ca (Node), tls.Dial with RootCAs (Go), SSL_CTX_load_verify_locations (C with OpenSSL).",
            "The port is another one each time: take it from the command line, as well as the host and the file.",
            "The program must not end after connecting: it waits for its user and for the server.",
        ],
        takes: &["c.tls.connect"],
    },
    Stage {
        id: "name",
        title: "It asks for a name",
        asks: &[
            "The user types a name (or gives it on the command line: {name}). The first frame of the client carries it.",
            "A frame is 4 bytes that say how long the body is (an unsigned number, most significant byte first; it does not count itself), then exactly that many bytes: one JSON object in UTF-8.",
        ],
        wire: &[
            happens("the user types: ann"),
            frame("client", "server", &[r#"{"USERNAME": "ann"}"#]),
            frame(
                "server",
                "client",
                &[
                    r#"{"USERNAME_ACCEPTED": true, "INFO": "Welcome", "USER_LIST": ["bob", "ann"], "MESSAGES": []}"#,
                ],
            ),
        ],
        how: &[
            "In Python; the length is that of the bytes, not of the text:\nbody = json.dumps({'USERNAME': name}).encode()\nsock.sendall(struct.pack('>I', len(body)) + body)",
            "A line that is read from a terminal has a line break at its end: take it off (strip()).",
            "The lines are typed as soon as your program has connected or shows something: print a prompt, and read with input() or from standard input.",
        ],
        takes: &["c.join.first", "c.inv.length", "c.inv.json-object"],
    },
    Stage {
        id: "send",
        title: "It sends what the user types",
        asks: &[
            "Once the name is accepted, each line that the user types is a message to ALL. A message is a list of four: the user's name, the destination, the time (seconds since 1970-01-01 UTC, an integer), and the text.",
            "Quotes, backslashes, accents and emoji arrive as they were typed. Two lines are two messages.",
        ],
        wire: &[
            happens("the user types: hello"),
            frame("client", "server", &[r#"{"MESSAGES": [["ann", "ALL", 1700000000, "hello"]]}"#]),
        ],
        how: &[
            "int(time.time()) is such a time in Python; milliseconds (Date.now() in JavaScript, System.currentTimeMillis() in Java) have to be divided by 1000, without a fraction.",
            "Let the JSON library write the text; it knows what has to be escaped.",
            "The answer to the name may arrive a moment after the frame: read it before you send.",
            "INFO may be missing beside USERNAME_ACCEPTED: frame.get('INFO').",
        ],
        takes: &[
            "c.send.public",
            "c.send.time",
            "c.send.two",
            "c.send.quotes",
            "c.inv.tuple",
            "c.inv.timestamp-int",
            "c.join.no-info",
            "c.join.waits",
            "c.send",
        ],
    },
    Stage {
        id: "show",
        title: "It shows what others say, at once",
        asks: &[
            "Messages are shown as they arrive, with who says them, while the client waits for its user's input and without a key being pressed. Who says it may be in no list.",
        ],
        wire: &[
            frame("server", "client", &[r#"{"MESSAGES": [["bob", "ALL", 1700000003, "hi ann"]]}"#]),
            happens("the client shows, in whatever form: bob: hi ann"),
        ],
        how: &[
            "input() blocks. A second thread that reads frames and prints them is the simplest way (or select() over both, or asyncio):\nthreading.Thread(target=receive, daemon=True).start()",
            "Reading a frame: 4 bytes, then as many as they say. recv(n) gives up to n bytes: call it in a loop until all n are there.",
            "Print with flush=True: what waits in a buffer is seen by nobody.",
        ],
        takes: &["c.recv.message", "c.async.idle", "c.recv.multi", "c.recv.unlisted", "c.async"],
    },
    Stage {
        id: "welcome",
        title: "It shows what was said before",
        asks: &[
            "The frame that accepts the name carries the earlier messages, private ones to this user as well: they are shown, oldest first. It may carry further keys, such as USERS_JOINED.",
        ],
        wire: &[
            frame(
                "server",
                "client",
                &[
                    r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob"], "MESSAGES": [["cyd", "ALL", 1699999000, "anybody?"], ["bob", "ann", 1699999500, "psst"]]}"#,
                ],
            ),
            happens("the client shows both"),
        ],
        how: &[
            "Handle the welcome by the same function as all other frames: it looks for each key that it knows, and MESSAGES means the same everywhere.",
            "Show who is here (USER_LIST), too.",
        ],
        takes: &["c.join.history", "c.recv.piggyback-accept", "c.join.users", "c.join"],
    },
    Stage {
        id: "private",
        title: "Messages between two",
        asks: &[
            "A line of a certain form is a message to one user. The assignment suggests @bob text; if yours is another, tell it with --private '/w {user} {text}'. The command itself is no part of the message.",
            "A message to this user alone is shown, too.",
        ],
        wire: &[
            happens("the user types: @bob psst"),
            frame("client", "server", &[r#"{"MESSAGES": [["ann", "bob", 1700000009, "psst"]]}"#]),
            frame("server", "client", &[r#"{"MESSAGES": [["bob", "ann", 1700000012, "what?"]]}"#]),
            happens("the client shows it"),
        ],
        how: &[
            "In Python:\nif line.startswith('@'):\n    user, _, text = line[1:].partition(' ')",
            "Whether a message is private is seen from its second element: it is ALL, or a name.",
        ],
        takes: &["c.send.private", "c.recv.private"],
    },
    Stage {
        id: "stream",
        title: "Frames, however their bytes arrive",
        asks: &[
            "TCP and TLS carry bytes, not messages: a frame may arrive in pieces of any size, cut even inside its length; several may arrive at once. One frame may carry several keys. The JSON may use escapes, and each byte of the length may have any value, also that of a brace (0x7b). A welcome with a long history has more than 64 KiB.",
        ],
        wire: &[
            happens("a frame in pieces:"),
            Line::Pieces {
                from: "server",
                to: "client",
                body: r#"{"MESSAGES": [["bob", "ALL", 1700000003, "hi"]]}"#,
                cuts: &[2, 20],
            },
            happens("two frames in one write:"),
            frame(
                "server",
                "client",
                &[
                    r#"{"USERS_JOINED": ["cyd"]}"#,
                    r#"{"MESSAGES": [["cyd", "ALL", 1700000004, "hi"]]}"#,
                ],
            ),
            happens("several keys in one frame:"),
            frame(
                "server",
                "client",
                &[r#"{"USERS_LEFT": ["bob"], "MESSAGES": [["cyd", "ALL", 1700000005, "bye"]]}"#],
            ),
        ],
        how: &[
            "A function that reads exactly n bytes, in a loop, and is called twice for each frame, is all that it takes. If you read larger blocks, keep what is behind a frame for the next one.",
            "With select(): TLS may hold bytes that select() does not see any more; read until sock.pending() is 0.",
            "Not elif, but twice if:\nif 'MESSAGES' in frame: ...\nif 'USERS_JOINED' in frame: ...",
        ],
        takes: &[
            "c.recv.split-header",
            "c.recv.bytewise",
            "c.recv.coalesced",
            "c.recv.len-123",
            "c.recv.escapes",
            "c.recv.piggyback",
            "c.join.big",
            "c.recv",
        ],
    },
    Stage {
        id: "refusals",
        title: "It tells its user what went wrong",
        asks: &[
            "A name that is refused is told to the user, with INFO or without it; so is the text of ERROR. After a refusal the user should be asked for another name.",
        ],
        wire: &[
            frame("client", "server", &[r#"{"USERNAME": "bob"}"#]),
            frame("server", "client", &[r#"{"USERNAME_ACCEPTED": false}"#]),
            happens("the client says that the name was refused, and asks for another"),
            frame("server", "client", &[r#"{"ERROR": "there is nobody called dan"}"#]),
            happens("the client shows the text"),
        ],
        how: &[
            "Look at the value: USERNAME_ACCEPTED is there in both cases.",
            "Use .get() for whatever may be missing.",
            "ERROR can come at any time, so the function that handles frames looks for it, too.",
        ],
        takes: &["c.join.rejected", "c.join.rejected-bare", "c.recv.error", "c.join.retry"],
    },
    Stage {
        id: "end",
        title: "It ends well",
        asks: &[
            "A command ends the client: /quit, /exit, quit or the end of the input, or what you tell with --quit. The connection is closed then.",
            "If the server is not there, or goes away, the user is told, and the client does not wait for ever.",
        ],
        wire: &[
            happens("the user types: /quit"),
            happens("the client closes the connection and ends"),
        ],
        how: &[
            "sock.close(), or better sock.unwrap() first; then leave the program. A thread that still reads must not keep it alive: daemon=True.",
            "No bytes from recv() mean that the server has closed: say so and end.",
        ],
        takes: &["c.quit", "c.err", "c.tls", "c.net", "c.inv"],
    },
];
