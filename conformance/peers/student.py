"""A server as a student writes it, stage after stage: LEVEL says how many stages of `conformance learn` are done.

A test writes other numbers here, and looks which stage is shown.
"""
LEVEL = 13

import json
import socket
import ssl
import struct
import sys
import threading

host, port = sys.argv[1], int(sys.argv[sys.argv.index("-p") + 1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
lock = threading.Lock()
clients = {}
history = []


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.writing = threading.Lock()
        self.kept = b""
        self.name = None

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def block(self):
        """Stages up to 5: takes one frame from what has come, and forgets the rest."""
        while len(self.kept) < 4 or len(self.kept) < 4 + struct.unpack(">I", self.kept[:4])[0]:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError
            self.kept += more
        (length,) = struct.unpack(">I", self.kept[:4])
        body, self.kept = self.kept[4:4 + length], b""
        return body

    def frame(self):
        if LEVEL < 6:
            return json.loads(self.block())
        (length,) = struct.unpack(">I", self.exactly(4))
        if LEVEL < 12:
            with lock:  # whoever stops in the middle of a body stops everybody
                return json.loads(self.exactly(length))
        return json.loads(self.exactly(length))

    def send(self, answer):
        body = json.dumps(answer).encode()
        try:
            with self.writing:
                self.sock.sendall(struct.pack(">I", len(body)) + body)
        except OSError:
            pass  # its own thread notices

    def join(self, name):
        if LEVEL >= 11 and not isinstance(name, str):
            return self.send({"ERROR": "a name is a string"})
        with lock:
            if LEVEL >= 3 and name in clients:
                return self.send({"USERNAME_ACCEPTED": False, "INFO": "taken"})
            others = list(clients.values())
            past = [m for m in history if LEVEL < 8 or m[1] in ("ALL", name)]
            self.send({
                "USERNAME_ACCEPTED": True,
                "USER_LIST": list(clients) if LEVEL >= 4 else [],
                "MESSAGES": past if LEVEL >= 7 else [],
            })
            clients[name] = self
            self.name = name
        if LEVEL == 12:
            self.send({"VERSION": "1.0"})  # nobody asked for that
        if LEVEL >= 4:
            tell(others, {"USERS_JOINED": [name]})

    def take(self, frame):
        if LEVEL >= 11 and not isinstance(frame, dict):
            return self.send({"ERROR": "an object, please"})
        if "USERNAME" in frame:
            self.join(frame["USERNAME"])
        if LEVEL >= 5:
            for message in frame.get("MESSAGES", []):
                self.say(message)

    def say(self, message):
        if LEVEL >= 11:
            shape = isinstance(message, list) and [type(part) for part in message]
            if shape != [str, str, int, str]:
                return self.send({"ERROR": "a message is a string, a string, an integer, a string"})
        if LEVEL >= 9 and message[0] != self.name:
            return self.send({"ERROR": "you are not " + message[0]})
        with lock:
            history.append(message)
            private = LEVEL >= 8 and message[1] != "ALL"
            receivers = [c for n, c in clients.items() if not private or n == message[1]]
        tell(receivers, {"MESSAGES": [message]})

    def serve(self):
        try:
            self.sock = context.wrap_socket(self.sock, server_side=True)
            if LEVEL < 2:
                return  # it can connect, and that is all
            while True:
                try:
                    self.take(self.frame())
                except ValueError as error:
                    if LEVEL < 11:
                        return
                    self.send({"ERROR": str(error)})
        except (OSError, EOFError, LookupError, TypeError, AttributeError):
            pass
        finally:
            self.leave()

    def leave(self):
        with lock:
            if self.name is not None and clients.get(self.name) is self:
                del clients[self.name]
            others = list(clients.values())
        if LEVEL >= 10 and self.name is not None:
            tell(others, {"USERS_LEFT": [self.name]})
        try:
            self.sock.close()
        except OSError:
            pass


def tell(receivers, frame):
    for receiver in receivers:
        receiver.send(frame)


def listen(address):
    listener = socket.create_server(address[:2], family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=Connection(sock).serve, daemon=True).start()


addresses = {info[4] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
threads = [threading.Thread(target=listen, args=(address,)) for address in addresses]
for thread in threads:
    thread.start()
