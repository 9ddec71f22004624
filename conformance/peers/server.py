"""A chat server written from docs/protocol.md alone, for Python 3.11.

    python3 server.py HOST -p PORT --cert FILE --key FILE [--exit-on-eof]
    python3 server.py HOST -p PORT --plaintext [--exit-on-eof]

An empty HOST is every address. When it is ready it prints one line, "listening
on ADDR PORT". It ends on SIGTERM, on SIGINT, and with --exit-on-eof when its
standard input ends.

Where a clause is OPEN, this server decides as follows:

FR-2  big-endian
FR-7  length and body are two writes; no byte of the length is avoided
LG-3  frames of 8 MiB, before joining too
JS-4  compact raw UTF-8 (lone surrogates are escaped)
JS-6  of a key that occurs twice the last one counts
AS-4  60 s for the handshake, 300 s for the name
NM-2  1 to 64 printable characters, spaces inside allowed; no normalisation
NM-3  a second USERNAME gets false; the session goes on
NM-4  names are case-sensitive
TK-4  any number of tries
UL-5  USER_LIST is without the user who joins, the newest user first
HI-5  history holds the private messages sent under this name
HI-6  the newest 10,000 messages or 8 MiB
TS-2  the server sets the time, which never runs backwards
DE-2  no ERROR; kept for whoever joins under that name
DE-3  "ALL" is refused, "all" is a name like any other
RT-3  no echo of a message to ALL
RT-7  the sender of a private message gets a copy
UJ-3  the user who joins gets the notice too
PB-2  one kind of event per frame
IV-4  objects without a known key are ignored, but five elements are an ERROR
IV-5  good messages are delivered; one ERROR per bad one, at most 20 a frame

Also: INFO is never sent (IN-1); JSON may nest as deep as Python's parser goes
(JS-5); a peer with 16 MiB unread is cut off without a word (AS-3).
In the welcome USERNAME_ACCEPTED comes last. Shutdown closes without a notice.
"""

import argparse
import asyncio
import collections
import errno
import json
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time

MAX_FRAME = 8 * 1024 * 1024
MAX_QUEUE = 16 * 1024 * 1024
MAX_HISTORY_BYTES, MAX_HISTORY_COUNT = 8 * 1024 * 1024, 10_000
MAX_NAME = 64
MAX_ERRORS = 20
HANDSHAKE_SECONDS, JOIN_SECONDS = 60, 300
LINGER_SECONDS = 0.5
UNAVAILABLE = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
STOP_SECONDS = 1.0


def encode(value):
    """Return compact JSON as UTF-8; lone surrogates stay escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def decode(body):
    """Return the object of a frame body; ValueError says what is wrong."""
    def refuse(constant):
        raise ValueError(f"{constant} is not JSON")

    try:
        value = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def allowed_name(name):
    """Tell whether a user may have this name."""
    return (0 < len(name) <= MAX_NAME and name != "ALL"
            and name.isprintable() and name == name.strip())


class Chat:
    """The users and the history. All of it runs in one thread."""

    def __init__(self):
        self.connections = set()
        self.users = {}
        self.history = collections.deque()
        self.history_bytes = 0
        self.clock = 0

    def announce(self, key, name):
        """Tell every joined user who has joined or left."""
        for connection in self.users.values():
            connection.send_body(encode({key: [name]}))

    def join(self, connection, name):
        """Give a free name to a connection: welcome it, tell everybody."""
        users = list(reversed(self.users))
        earlier = [entry for source, target, entry in self.history
                   if target == "ALL" or name in (source, target)]
        self.users[name] = connection
        connection.send_body(
            b'{"MESSAGES":[' + b",".join(earlier) + b'],"USER_LIST":'
            + encode(users) + b',"USERNAME_ACCEPTED":true}')
        self.announce("USERS_JOINED", name)

    def leave(self, connection, name):
        """Free the name of a connection that is gone, tell the others."""
        if self.users.get(name) is connection:
            del self.users[name]
            self.announce("USERS_LEFT", name)

    def deliver(self, sender, messages):
        """Send checked messages to those they are for, in their order."""
        outbox = {}
        for source, target, _, content in messages:
            self.clock = max(self.clock, int(time.time()))
            entry = encode([source, target, self.clock, content])
            self.history.append((source, target, entry))
            self.history_bytes += len(entry)
            if target == "ALL":
                readers = set(self.users.values()) - {sender}
            else:
                readers = {sender, self.users.get(target, sender)}
            for reader in readers:
                outbox.setdefault(reader, []).append(entry)
        while (len(self.history) > MAX_HISTORY_COUNT
               or self.history_bytes > MAX_HISTORY_BYTES):
            self.history_bytes -= len(self.history.popleft()[2])
        for reader, entries in outbox.items():
            reader.send_body(b'{"MESSAGES":[' + b",".join(entries) + b"]}")


class Connection(asyncio.Protocol):
    """One client: cuts the bytes into frames and obeys them."""

    def __init__(self, chat):
        self.chat = chat
        self.buffer = bytearray()
        self.name = None
        self.closing = False
        self.transport = self.join_timer = None

    def connection_made(self, transport):
        """Begin; inside TLS this is after the handshake."""
        self.transport = transport
        self.chat.connections.add(self)
        self.join_timer = asyncio.get_running_loop().call_later(
            JOIN_SECONDS, self.fail, "no name was given in time")

    def connection_lost(self, exc):
        """Leave, whichever way the connection was closed."""
        self.closing = True
        self.join_timer.cancel()
        self.chat.connections.discard(self)
        self.chat.leave(self, self.name)

    def data_received(self, data):
        """Take any number of bytes, handle the frames that are complete."""
        if not self.closing:
            self.buffer += data
        while len(self.buffer) >= 4 and not self.closing:
            length, = struct.unpack_from(">I", self.buffer)
            if length > MAX_FRAME:
                self.fail(f"a frame of {length} bytes is too long")
            elif len(self.buffer) < 4 + length:
                return
            else:
                body = self.buffer[4:4 + length]
                del self.buffer[:4 + length]
                self.frame_received(body)

    def frame_received(self, body):
        """Handle the body of one frame."""
        try:
            frame = decode(body)
        except ValueError as error:
            self.send_error(f"invalid frame: {error}")
            return
        # The name comes first, whatever the order of the keys.
        if "USERNAME" in frame:
            self.username_received(frame["USERNAME"])
        if "MESSAGES" in frame:
            self.messages_received(frame["MESSAGES"])

    def username_received(self, name):
        """Answer a request for a name."""
        if not isinstance(name, str):
            self.send_error("USERNAME must be a string")
        elif (self.name is not None or name in self.chat.users
              or not allowed_name(name)):
            self.send_body(b'{"USERNAME_ACCEPTED":false}')
        else:
            self.name = name
            self.join_timer.cancel()
            self.chat.join(self, name)

    def messages_received(self, messages):
        """Deliver the good messages, answer each of the bad ones."""
        if self.name is None or not isinstance(messages, list):
            self.send_error("MESSAGES must be a list, of a user who joined")
            return
        problems = [self.find_problem(message) for message in messages]
        self.chat.deliver(self, [message for message, problem
                                 in zip(messages, problems) if not problem])
        errors = [f"message {index} was refused: {problem}"
                  for index, problem in enumerate(problems) if problem]
        if len(errors) > MAX_ERRORS:
            errors[MAX_ERRORS - 1:] = ["more messages were refused"]
        for error in errors:
            self.send_error(error)

    def find_problem(self, message):
        """Return what is wrong with one message, or None."""
        if not isinstance(message, list) or len(message) != 4:
            return "not a list of four elements"
        source, target, timestamp, content = message
        if not all(isinstance(x, str) for x in (source, target, content)):
            return "SRC, DEST and CONTENT must be strings"
        if type(timestamp) is not int:  # bool is a kind of int
            return "TIMESTAMP must be an integer"
        if source != self.name:
            return "SRC is not your name"
        if target != "ALL" and not allowed_name(target):
            return "nobody can have the name in DEST"
        return None

    def send_error(self, text):
        """Send an ERROR."""
        self.send_body(encode({"ERROR": text}))

    def send_body(self, body):
        """Send a frame, unless the peer has stopped reading."""
        if self.closing:
            return
        if self.transport.get_write_buffer_size() > MAX_QUEUE:
            self.closing = True
            self.transport.abort()  # connection_lost is called later
        else:
            self.transport.write(struct.pack(">I", len(body)))
            self.transport.write(body)

    def fail(self, text):
        """Send an ERROR, then close; what still arrives is thrown away."""
        self.send_error(text)
        self.closing = True
        self.chat.leave(self, self.name)
        # Closing with unread input would be a reset and destroy the ERROR.
        loop = asyncio.get_running_loop()
        loop.call_later(LINGER_SECONDS, self.transport.close)
        loop.call_later(LINGER_SECONDS + STOP_SECONDS, self.transport.abort)


def bind_all(host, port):
    """Bind everything that getaddrinfo returns for the host, on one port."""
    found = dict.fromkeys(socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE))
    for tries_left in range(20, -1, -1):
        sockets, same_port = [], port
        for family, _, _, _, address in found:
            try:
                sockets.append(socket.create_server(
                    (address[0], same_port, *address[2:]), family=family))
                same_port = sockets[-1].getsockname()[1]
            except OSError as error:
                failure = error
                if error.errno not in UNAVAILABLE:
                    break
                print(f"{address[0]} is left out: {error}", file=sys.stderr)
        else:
            if sockets:
                return sockets
        for sock in sockets:
            sock.close()
        # A port that is free on one address may be taken on the next one.
        if port or failure.errno != errno.EADDRINUSE or not tries_left:
            raise failure


def read_to_end(loop, stop):
    """Read standard input to its end; runs in a thread of its own."""
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


async def serve(arguments):
    """Run the server until it is told to stop."""
    loop = asyncio.get_running_loop()
    tls = {}
    if not arguments.plaintext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(arguments.cert, arguments.key)
        tls = {"ssl": context, "ssl_handshake_timeout": HANDSHAKE_SECONDS,
               "ssl_shutdown_timeout": STOP_SECONDS}
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if arguments.exit_on_eof:
        threading.Thread(target=read_to_end, args=(loop, stop),
                         daemon=True).start()
    chat = Chat()
    sockets = bind_all(arguments.host, arguments.port)
    servers = [await loop.create_server(lambda: Connection(chat),
                                        sock=sock, **tls) for sock in sockets]
    print("listening on", *sockets[0].getsockname()[:2], flush=True)
    await stop.wait()
    chat.users.clear()
    for server in servers:
        server.close()
    for connection in chat.connections:
        connection.transport.close()
    deadline = loop.time() + STOP_SECONDS
    while chat.connections and loop.time() < deadline:
        await asyncio.sleep(0.02)
    for connection in chat.connections:
        connection.transport.abort()


def main():
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description="A small chat server.")
    parser.add_argument("host", metavar="HOST")
    parser.add_argument("-p", dest="port", type=int, required=True)
    parser.add_argument("--cert", metavar="FILE")
    parser.add_argument("--key", metavar="FILE")
    parser.add_argument("--plaintext", action="store_true")
    parser.add_argument("--exit-on-eof", action="store_true")
    arguments = parser.parse_args()
    if not arguments.plaintext and not (arguments.cert and arguments.key):
        parser.error("--cert and --key, or --plaintext, are needed")
    try:
        asyncio.run(serve(arguments))
    except OSError as error:
        sys.exit(f"server: {error}")


if __name__ == "__main__":
    main()
