"""A chat client written from docs/protocol.md alone, for Python 3.11.

    python3 client.py HOST -p PORT -ca FILE
    python3 client.py HOST -p PORT --plaintext

A line goes to everybody, "@user text" to one user; "/quit" or the end of the
input ends the client. It works on a terminal and with pipes.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import ssl
import struct
import sys
import time
import traceback
import unicodedata

try:
    import readline
    import termios
except ImportError:
    readline = termios = None

MAX_FRAME = 128 * 1024 * 1024
WAIT_SECONDS = 60
LINGER_SECONDS = 0.5
# Control characters, bidirectional formatting, line separators, surrogates.
UNSAFE = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e"
                    "\u2066-\u2069\ud800-\udfff]")


class Failure(Exception):
    """Something that the user is told and that ends the client."""


def visible(text):
    """Return the text with everything visible that acts on a terminal."""
    return UNSAFE.sub(lambda found: ascii(found[0])[1:-1], str(text))


class Terminal:
    """Standard input and output; a half-typed line survives output."""

    def __init__(self):
        sys.stdin.reconfigure(errors="replace")
        sys.stdout.reconfigure(errors="backslashreplace")
        self.edits = (readline is not None and sys.stdin.isatty()
                      and sys.stdout.isatty())
        self.modes = termios.tcgetattr(0) if self.edits else None
        self.prompt = None

    def show(self, text):
        """Print one line; what the user is typing is drawn again below."""
        text = visible(text) + "\n"
        if self.edits and self.prompt is not None:
            text = ("\r\033[K" + text + self.prompt
                    + readline.get_line_buffer())
        sys.stdout.write(text)
        sys.stdout.flush()

    def read(self, prompt):
        """Read one line, blocking; None at the end of the input."""
        self.prompt = prompt
        try:
            return input(prompt)
        except EOFError:
            return None
        finally:
            self.prompt = None
            if prompt and not self.edits:
                print(flush=True)  # nobody's Enter has ended that line

    async def ask(self, prompt):
        """Read one line in a thread, so that the rest goes on."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self.read, prompt)

    def restore(self):
        """Leave the terminal as it was found."""
        if self.modes:
            termios.tcsetattr(0, termios.TCSADRAIN, self.modes)


class Client:
    """One session: from the name to the end."""

    def __init__(self, arguments, terminal):
        self.arguments = arguments
        self.terminal = terminal
        self.reader = self.writer = None
        self.name = None

    async def connect(self):
        """Connect; the certificate is checked before anything is sent."""
        if self.writer is not None:
            self.writer.close()
        context = None
        if not self.arguments.plaintext:
            context = ssl.create_default_context(cafile=self.arguments.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                self.reader, self.writer = await asyncio.open_connection(
                    self.arguments.host, self.arguments.port, ssl=context)
        except OSError as error:
            raise Failure(f"can't connect: {error or 'no answer'}") from None

    async def send(self, value):
        """Send one frame, in one write."""
        body = json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8")
        self.writer.write(struct.pack(">I", len(body)) + body)
        await self.writer.drain()

    async def receive(self):
        """Return the next good frame, None when the connection has ended."""
        while True:
            try:
                length, = struct.unpack(">I", await self.reader.readexactly(4))
                if length > MAX_FRAME:
                    raise Failure(f"the server sends {length} bytes at once")
                body = await self.reader.readexactly(length)
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    self.terminal.show("* the connection ended in a frame")
                return None
            try:
                frame = json.loads(body.decode("utf-8"))
                if isinstance(frame, dict):
                    return frame
                error = "no object"
            except (ValueError, RecursionError) as problem:
                error = problem
            self.terminal.show(f"* the server sent a bad frame: {error}")

    def names_in(self, frame, key):
        """Return a list of names of a frame, empty if there is none."""
        names = frame.get(key, [])
        if isinstance(names, list) and all(isinstance(x, str) for x in names):
            return names
        self.terminal.show(f"* the server sent a wrong {key}")
        return []

    def show_frame(self, frame):
        """Show everything in a frame."""
        show = self.terminal.show
        if "ERROR" in frame:
            show(f"* error: {frame['ERROR']}")
        if "INFO" in frame:
            show(f"* {frame['INFO']}")
        if "USER_LIST" in frame:
            names = self.names_in(frame, "USER_LIST")
            show("* users: " + ", ".join(names))
        for name in self.names_in(frame, "USERS_JOINED"):
            show(f"* {name} joined")
        messages = frame.get("MESSAGES", [])
        for message in messages if isinstance(messages, list) else [None]:
            show(self.message_line(message))
        for name in self.names_in(frame, "USERS_LEFT"):
            show(f"* {name} left")

    def message_line(self, message):
        """Return one message as the user reads it."""
        if not (isinstance(message, list) and len(message) == 4
                and all(isinstance(message[x], str) for x in (0, 1, 3))):
            return "* the server sent a wrong message"
        source, target, _, content = message
        if target == "ALL":
            return f"{source}: {content}"
        if target == self.name:
            return f"{source} -> you: {content}"
        if source == self.name:
            return f"you -> {target}: {content}"
        return f"{source} -> {target}: {content}"

    async def request_name(self, name):
        """Ask for a name; return the answer, None if the connection ended."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self.send({"USERNAME": name})
                while (frame := await self.receive()) is not None:
                    if "USERNAME_ACCEPTED" in frame or "ERROR" in frame:
                        return frame
                    self.show_frame(frame)
        except TimeoutError:
            raise Failure("the server doesn't answer") from None
        except ConnectionError:
            pass
        return None

    async def join(self):
        """Ask for names until one is accepted; False if the user gives up."""
        while (name := await self.terminal.ask("username: ")) is not None:
            name = unicodedata.normalize("NFC", name)
            answer = None
            if self.writer is not None:
                answer = await self.request_name(name)
            if answer is None:  # the first time, or closed after a refusal
                await self.connect()
                answer = await self.request_name(name)
            if answer is None:
                raise Failure("the server closed the connection")
            accepted = answer.get("USERNAME_ACCEPTED") is True
            self.name = name if accepted else None
            self.show_frame(answer)
            if accepted:
                return True
            self.terminal.show(f"* the name {name} was refused")
        return False

    async def listen(self):
        """Show what arrives until the connection ends."""
        while (frame := await self.receive()) is not None:
            self.show_frame(frame)
        raise Failure("the server closed the connection")

    async def talk(self):
        """Send what the user types until the user ends it."""
        while (line := await self.terminal.ask("")) is not None:
            target = "ALL"
            if line == "/quit":
                return
            if line.startswith("/"):
                self.terminal.show("* unknown command; there is only /quit")
                continue
            if line.startswith("@"):
                target, _, line = line[1:].partition(" ")
                if not target or not line:
                    self.terminal.show("* usage: @user text")
                    continue
            if line:
                await self.send({"MESSAGES": [
                    [self.name, target, int(time.time()), line]]})
        await asyncio.sleep(LINGER_SECONDS)  # answers to the last line

    async def session(self):
        """Join, talk, and close the connection."""
        if await self.join():
            tasks = [asyncio.create_task(self.talk()),
                     asyncio.create_task(self.listen())]
            done, _ = await asyncio.wait(
                tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()  # nothing happens to those that are done
            for task in done:
                task.result()
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(OSError):  # TimeoutError is one, too
                async with asyncio.timeout(LINGER_SECONDS):
                    await self.writer.wait_closed()

    async def run(self):
        """Run the session and end the process, a waiting thread or not."""
        code = 1
        try:
            await self.session()
            code = 0
        except (Failure, OSError) as error:
            self.terminal.show(f"* {error}")
        except asyncio.CancelledError:
            code = 130  # Ctrl-C
        except Exception:
            traceback.print_exc()
        finally:
            self.terminal.restore()
            sys.stdout.flush()
            os._exit(code)


def main():
    """Read the arguments and run; the exit code is 1 after a failure."""
    parser = argparse.ArgumentParser(description="A small chat client.")
    parser.add_argument("host", metavar="HOST")
    parser.add_argument("-p", dest="port", type=int, required=True)
    parser.add_argument("-ca", metavar="FILE")
    parser.add_argument("--plaintext", action="store_true")
    arguments = parser.parse_args()
    if not arguments.plaintext and not arguments.ca:
        parser.error("-ca or --plaintext is needed")
    asyncio.run(Client(arguments, Terminal()).run())


if __name__ == "__main__":
    main()
