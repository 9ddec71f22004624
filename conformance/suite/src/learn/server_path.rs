//! The stages of a server.

use super::{
    path::Path,
    stage::{Line, Stage, frame, happens},
};
use crate::case::Side;

/// The stages in the order in which a server is written.
pub static SERVER: Path = Path { side: Side::Server, stages: STAGES };

const STAGES: &[Stage] = &[
    Stage {
        id: "connect",
        title: "A client can connect, with TLS",
        asks: &[
            "Your program listens at the host and port of its command line and speaks TLS on every connection. Nothing of the chat is needed yet: a client connects, gets through the TLS handshake, and the connection stays open.",
            "For TLS a server has a private key and a certificate. One that you sign yourself will do.",
        ],
        wire: &[
            happens("ann opens a TCP connection to the host and port of the command line"),
            happens("ann and the server do the TLS handshake; from now on both can write bytes"),
        ],
        how: &[
            "Make key and certificate once:\nopenssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=localhost \\\n  -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem",
            "The port is another one each time: take host and port from the command line (in Python sys.argv or argparse), and bind what getaddrinfo makes of the host (asyncio.start_server does so).",
            "In Python, with asyncio (with threads: context.wrap_socket(connection, server_side=True)):\ncontext = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\ncontext.load_cert_chain('cert.pem', 'key.pem')\nserver = await asyncio.start_server(handle, host, port, ssl=context)\nawait server.serve_forever()",
            "Elsewhere: SSLServerSocket (Java), tls.createServer (Node), tls.Listen (Go), SSL_accept (C with OpenSSL), SslStream (C#), rustls (Rust).",
            "The program must not end, neither after its first client nor when one of them makes trouble.",
        ],
        takes: &["tls.handshake", "tls.version"],
    },
    Stage {
        id: "frame",
        title: "A frame is read, and answered with a frame",
        asks: &[
            "Everything is sent in frames: 4 bytes that say how long the body is (an unsigned number, most significant byte first), then exactly that many bytes, the body. The length does not count itself. The body is one JSON object in UTF-8.",
            "The first frame of a client carries USERNAME. Read it, and answer with a frame that says that the name is accepted; the two lists in it may stay empty for now.",
            "TCP and TLS carry bytes, not messages. A frame may arrive in pieces of any size, cut even inside its length: read until all of it is there.",
        ],
        wire: &[
            frame("ann", "server", &[r#"{"USERNAME": "ann"}"#]),
            frame(
                "server",
                "ann",
                &[
                    r#"{"USERNAME_ACCEPTED": true, "INFO": "Hello ann", "USER_LIST": [], "MESSAGES": []}"#,
                ],
            ),
            happens("the same frame in pieces is the same frame:"),
            Line::Pieces {
                from: "ann",
                to: "server",
                body: r#"{"USERNAME": "ann"}"#,
                cuts: &[2, 9],
            },
        ],
        how: &[
            "Reading, in Python with asyncio:\n(length,) = struct.unpack('>I', await reader.readexactly(4))\nframe = json.loads(await reader.readexactly(length))",
            "With plain sockets recv(n) gives what is there, up to n bytes: call it in a loop until you have all n. An empty result means that the other side has closed.",
            "Writing; the length is that of the bytes, not of the text:\nbody = json.dumps(answer).encode()\nwriter.write(struct.pack('>I', len(body)) + body)",
            "Python's True becomes true by json.dumps; the text \"true\" is something else.",
            "After the answer, keep reading: the connection stays open until the client closes it.",
        ],
        takes: &[
            "join.accept",
            "framing.split-header",
            "framing.split-body",
            "framing.bytewise",
            "inv.length",
        ],
    },
    Stage {
        id: "join",
        title: "Names: free, taken, and free again",
        asks: &[
            "Several users are there at the same time, each with a connection of its own, and none waits for another. A name that is in use is refused with false; whoever has it notices nothing. The refused client may try another name on the same connection.",
            "When a connection ends, its name is free again. Of two that ask for one free name at the same moment, exactly one gets it.",
            "Whoever speaks to the port without TLS gets no answer of the chat.",
        ],
        wire: &[
            frame("ann", "server", &[r#"{"USERNAME": "ann"}"#]),
            frame(
                "server",
                "ann",
                &[r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#],
            ),
            frame("eve", "server", &[r#"{"USERNAME": "ann"}"#]),
            frame(
                "server",
                "eve",
                &[r#"{"USERNAME_ACCEPTED": false, "INFO": "that name is taken"}"#],
            ),
            happens("ann closes her connection"),
            frame("eve", "server", &[r#"{"USERNAME": "ann"}"#]),
            frame(
                "server",
                "eve",
                &[r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#],
            ),
        ],
        how: &[
            "A task for each connection (asyncio.start_server calls your handler for each one), or a thread for each. With threads, the TLS handshake belongs into the thread too, not in front of accept.",
            "One dictionary for all connections, from the name to the connection: clients[name] = writer. Look whether the name is in it, and put it in, without letting anybody in between: under one lock, or with no await between the two.",
            "Take the name out when the connection ends, in a finally block, and only if this connection had got it.",
            "Reading from a closed connection raises (IncompleteReadError, ConnectionError) or gives no bytes: both are the end of that client and of nobody else.",
        ],
        takes: &[
            "join.second-user",
            "join.taken",
            "join.rejoin",
            "join.race",
            "tls.only",
            "inv.accepted-bool",
            "join.retry",
            "join",
        ],
    },
    Stage {
        id: "lists",
        title: "Who is here, and who comes",
        asks: &[
            "The answer that accepts a name carries USER_LIST, the names of the other users who are here now (whether the new user is among them is up to you), and MESSAGES, a list that may still be empty. Whoever has left is not in the list.",
            "Every user who was there before gets USERS_JOINED, a list with the new name.",
        ],
        wire: &[
            happens("ann is here"),
            frame("bob", "server", &[r#"{"USERNAME": "bob"}"#]),
            frame(
                "server",
                "bob",
                &[r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": []}"#],
            ),
            frame("server", "ann", &[r#"{"USERS_JOINED": ["bob"]}"#]),
        ],
        how: &[
            "USER_LIST is list(clients): a list of strings, not an object and not one text.",
            "For the notice go through all other connections. Copy first, since somebody may come or go meanwhile:\nfor other, connection in list(clients.items()):",
            "One of them may be gone already, so that writing to it raises: catch that for this one, and go on with the next.",
        ],
        takes: &[
            "join.has-user-list",
            "join.has-messages",
            "users.others-listed",
            "users.left-removed",
            "users.joined-notice",
            "inv.userlist-strings",
            "inv.joined-list",
            "users",
        ],
    },
    Stage {
        id: "to-all",
        title: "A message to all",
        asks: &[
            "A message is a list of four: who says it, to whom, when (seconds since 1970-01-01 UTC, an integer), and what. MESSAGES holds a list of messages, often one.",
            "What goes to ALL reaches every other user once, with sender, destination and text as they were. Whether the sender gets it as well is up to you. A frame with three messages is three messages.",
            "Whoever asks for a name that is taken disturbs nobody: the holder goes on, and no notice is sent.",
        ],
        wire: &[
            happens("ann, bob and cyd are here"),
            frame("ann", "server", &[r#"{"MESSAGES": [["ann", "ALL", 1700000000, "hello"]]}"#]),
            frame("server", "bob", &[r#"{"MESSAGES": [["ann", "ALL", 1700000000, "hello"]]}"#]),
            frame("server", "cyd", &[r#"{"MESSAGES": [["ann", "ALL", 1700000000, "hello"]]}"#]),
        ],
        how: &[
            "Read frames in a loop for as long as the connection lives, and look for each key that you know.",
            "For each message of the frame, and each other connection: send it. The same list comes out again; nothing in it becomes a text or gets another order.\nsend(connection, {'MESSAGES': [message]})",
            "Two threads that write to one connection at a time mix their frames: one lock for each connection, or only one thread that writes. In asyncio write() takes a whole frame at once.",
        ],
        takes: &[
            "bcast.all-others",
            "bcast.fields",
            "bcast.once",
            "bcast.multi",
            "inv.tuple",
            "inv.timestamp-int",
            "join.taken-keeps-first",
            "users.no-notice-on-reject",
            "bcast",
        ],
    },
    Stage {
        id: "stream",
        title: "Frames, however their bytes arrive",
        asks: &[
            "Several frames may arrive at once, or one and the beginning of the next: each counts once, and the rest waits for its other bytes.",
            "The body is any JSON: with blanks and line breaks between its parts, with escapes such as \\u00e9 in its strings. It may be longer than 64 KiB, and each byte of the length may have any value, also that of a brace (0x7b).",
        ],
        wire: &[
            happens("two frames in one write:"),
            frame(
                "ann",
                "server",
                &[
                    r#"{"MESSAGES": [["ann", "ALL", 1700000000, "one"]]}"#,
                    r#"{"MESSAGES": [["ann", "ALL", 1700000000, "two"]]}"#,
                ],
            ),
            happens("an escape is the character that it stands for, here e with an accent:"),
            frame("ann", "server", &[r#"{"MESSAGES": [["ann", "ALL", 1700000001, "caf\u00e9"]]}"#]),
        ],
        how: &[
            "Reading exactly 4 bytes and then exactly the body is all that it takes. If you read larger blocks, put them into one buffer for the connection, and take frames out for as long as there is a whole one.",
            "Use the length, and never search the bytes for { or }.",
            "Let a JSON library read and write the text; don't cut it apart yourself.",
            "readexactly takes bodies of any size; a fixed buffer of 64 KiB or a limit of your own does not.",
        ],
        takes: &[
            "framing.len-123",
            "framing.whitespace",
            "framing.escapes",
            "framing.coalesced",
            "framing.three-and-half",
            "framing.tls-record-span",
            "framing.over-64k",
            "framing",
            "bcast.fifo",
        ],
    },
    Stage {
        id: "history",
        title: "What was said before",
        asks: &[
            "Whoever joins finds in MESSAGES all that was said to ALL so far, from the oldest to the newest, also by users who have left since.",
        ],
        wire: &[
            happens("ann said two things to ALL, and has left"),
            frame("cyd", "server", &[r#"{"USERNAME": "cyd"}"#]),
            frame(
                "server",
                "cyd",
                &[
                    r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [["ann", "ALL", 1700000000, "hello"], ["ann", "ALL", 1700000060, "bye"]]}"#,
                ],
            ),
        ],
        how: &[
            "One list for the whole server, to which each message is appended when it arrives: history.append(message). It is in order then. Don't sort by the time in it: the clocks of clients disagree.",
            "Keep it whole for as long as the server runs; the list belongs to the server and not to a connection.",
        ],
        takes: &["history.public", "history.order", "history.after-leave", "history"],
    },
    Stage {
        id: "private",
        title: "A message to one user",
        asks: &[
            "A message whose destination is a name goes to that user only, once. Two messages of one frame may go to two users.",
            "Its recipient finds it in the history at the next joining under that name; nobody else ever does.",
            "If nobody has that name, it is up to you; an ERROR to the sender helps most.",
        ],
        wire: &[
            happens("ann, bob and cyd are here"),
            frame(
                "ann",
                "server",
                &[
                    r#"{"MESSAGES": [["ann", "bob", 1700000000, "psst"], ["ann", "ALL", 1700000000, "hi"]]}"#,
                ],
            ),
            frame(
                "server",
                "bob",
                &[
                    r#"{"MESSAGES": [["ann", "bob", 1700000000, "psst"], ["ann", "ALL", 1700000000, "hi"]]}"#,
                ],
            ),
            frame("server", "cyd", &[r#"{"MESSAGES": [["ann", "ALL", 1700000000, "hi"]]}"#]),
        ],
        how: &[
            "Decide for each message by itself, by its second element: 'ALL', or the key of your dictionary.",
            "Keep private messages in the history too, and choose from it when somebody joins:\n[message for message in history if message[1] in ('ALL', name)]",
        ],
        takes: &[
            "private.delivered",
            "private.not-others",
            "private.once",
            "private.mixed-frame",
            "history.private-own",
            "history.no-leak",
            "private",
        ],
    },
    Stage {
        id: "source",
        title: "Nobody speaks for another",
        asks: &[
            "The first element of a message has to be the name under which its connection joined. If it is not, the sender gets ERROR, and the message reaches nobody, now or in the history.",
            "This holds for each message of a frame, for private ones as well, and for a connection that has not joined: without a name nobody can say anything.",
        ],
        wire: &[
            happens("eve has joined as eve"),
            frame("eve", "server", &[r#"{"MESSAGES": [["ann", "ALL", 1700000000, "I resign"]]}"#]),
            frame("server", "eve", &[r#"{"ERROR": "you are eve, not ann"}"#]),
        ],
        how: &[
            "For each message, before anything else is done with it (before the history, too):\nif message[0] != name:\n    send(writer, {'ERROR': 'you are not ' + message[0]})\n    continue",
            "Before joining, name is None: nothing equals it, so the same line refuses that too, if it comes without a crash to this line.",
        ],
        takes: &[
            "src.spoof",
            "src.spoof-private",
            "src.spoof-second",
            "history.rejected-absent",
            "src.before-join",
            "src",
        ],
    },
    Stage {
        id: "leaving",
        title: "Who leaves",
        asks: &[
            "When the connection of a user ends, every other user gets USERS_LEFT, a list with the name. There are several ways to end: closing TLS properly, closing TCP only, a reset. All of them count.",
            "The end of a connection that never joined, or was refused its name, is told to nobody.",
        ],
        wire: &[
            happens("ann and bob are here; ann's connection ends"),
            frame("server", "bob", &[r#"{"USERS_LEFT": ["ann"]}"#]),
        ],
        how: &[
            "In the finally block of the connection: if it had got a name, take the name out, then tell the others.",
            "Python: an end without a proper close of TLS, or a reset, raises ConnectionError, ssl.SSLError or IncompleteReadError. except (OSError, EOFError) takes them all, since ssl.SSLError is an OSError and IncompleteReadError an EOFError.",
            "The name that was only asked for is not the name of the connection: set name after it was accepted.",
        ],
        takes: &[
            "leave.fin",
            "leave.all-others",
            "leave.no-close-notify",
            "leave.rst",
            "leave.unjoined",
            "leave.rejected-conn",
            "inv.left-list",
            "leave",
        ],
    },
    Stage {
        id: "errors",
        title: "Input that makes no sense",
        asks: &[
            "What is no JSON, no object, or no list of four is answered with ERROR, a text for a person. All that the server sends is an object, errors too.",
            "What one client does wrong disturbs no other; the connection of the culprit stays usable, too, since the length says where the next frame begins.",
        ],
        wire: &[
            frame("eve", "server", &["xyz"]),
            frame("server", "eve", &[r#"{"ERROR": "that is not JSON"}"#]),
            frame("eve", "server", &[r#"[1]"#]),
            frame("server", "eve", &[r#"{"ERROR": "an object, please"}"#]),
            frame("eve", "server", &[r#"{"MESSAGES": [["eve", "ALL", 1700000000]]}"#]),
            frame("server", "eve", &[r#"{"ERROR": "a message has four elements"}"#]),
            frame("eve", "server", &[r#"{"MESSAGES": [["eve", "ALL", "noon", "hi"]]}"#]),
            frame("server", "eve", &[r#"{"ERROR": "the time is an integer"}"#]),
        ],
        how: &[
            "Put a try around the handling of one frame, inside the reading loop, and not around the loop:\ntry:\n    handle(frame)\nexcept (ValueError, TypeError, LookupError, AttributeError) as error:\n    send(writer, {'ERROR': str(error)})",
            "Better than waiting for exceptions is to look: isinstance(frame, dict), isinstance(messages, list), isinstance(message, list) and len(message) == 4, and the types of the four.",
            "A name that is no string is refused or answered with ERROR. In Python True is an int as well: type(time) is int.",
        ],
        takes: &[
            "errors.not-json",
            "errors.array",
            "errors.tuple-3",
            "errors.types",
            "join.not-string",
            "errors.others-unaffected",
            "inv.error-string",
            "inv.json-object",
            "errors",
        ],
    },
    Stage {
        id: "robust",
        title: "Many at once, slow ones and rough ones",
        asks: &[
            "Many users talk at the same time, and no message is lost or doubled. A client that connects and stays silent, or stops in the middle of a frame, delays nobody else.",
        ],
        wire: &[
            happens(
                "twenty users write twenty messages each, at once; each sees all of the others",
            ),
            happens("eve sends half a frame and nothing more:"),
            Line::Pieces { from: "eve", to: "server", body: r#"{"USERNAME": "eve"}"#, cuts: &[12] },
            happens("(only the bytes before the mark); ann and bob talk on"),
        ],
        how: &[
            "Nothing that waits for one client may hold what others need: don't read from, or write to, a socket while you hold the lock of all.",
            "With threads: copy the list of connections under the lock, and write to them outside of it. What several threads change (dictionary, history) is changed under the lock only.",
            "Don't do the TLS handshake in the loop that calls accept.",
        ],
        takes: &[
            "conc.idle",
            "conc.half-frame",
            "conc.20x20",
            "conc",
            "robust",
            "tls",
            "net",
            "limits",
            "inv",
        ],
    },
    Stage {
        id: "extensions",
        title: "Room for extensions",
        asks: &[
            "Whatever you add beyond the protocol is for clients that have asked for it with extra keys beside USERNAME. Everybody else sees the protocol as it is: no frame of your own, no key of your own, no fifth element.",
            "And what others add does not disturb you: keys that you don't know are ignored. One object may hold several that you know: USERNAME and MESSAGES in one frame means join, then say it.",
        ],
        wire: &[
            frame(
                "ann",
                "server",
                &[r#"{"USERNAME": "ann", "MESSAGES": [["ann", "ALL", 1700000000, "here I am"]]}"#],
            ),
            frame(
                "server",
                "ann",
                &[r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob"], "MESSAGES": []}"#],
            ),
            frame("server", "bob", &[r#"{"USERS_JOINED": ["ann"]}"#]),
            frame("server", "bob", &[r#"{"MESSAGES": [["ann", "ALL", 1700000000, "here I am"]]}"#]),
        ],
        how: &[
            "Not elif, but twice if:\nif 'USERNAME' in frame: ...\nif 'MESSAGES' in frame: ...",
            "Look for the keys that you know and leave the others alone.",
        ],
        takes: &["ext.piggyback", "ext.silent-by-default", "ext"],
    },
];
