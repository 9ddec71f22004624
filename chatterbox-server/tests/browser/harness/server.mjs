/**
 * The server and the terminal client as processes of their own, with folders that go away. All of it ends with the test that began it.
 */

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** How long anything may take on a slow and busy machine. */
export const PATIENCE = Number(process.env.CHATTERBOX_PATIENCE ?? 60_000);

/** What is still running, so that nothing outlives this process, however it ends. */
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** A program of the workspace that Rust's side of the tests names. */
function program(variable) {
  const path = process.env[variable];
  if (!path) throw new Error(`${variable} names no program; run this with cargo test -p chatterbox-server --test browser`);
  return path;
}

export function hasClient() {
  return Boolean(process.env.CHATTERBOX_CLIENT);
}

/** One process with its lines. */
class Process {
  constructor(path, args, options = {}) {
    this.child = spawn(path, args, { stdio: ["pipe", "pipe", "pipe"], ...options });
    running.add(this.child);
    this.lines = [];
    this.waiting = new Set();
    this.ended = new Promise((resolve) => this.child.on("exit", (code, signal) => resolve({ code, signal })));
    this.ended.then(() => {
      running.delete(this.child);
      this.over = true;
      this.look();
    });
    this.child.on("error", (error) => this.take(`cannot start: ${error}`));
    this.child.stdin.on("error", () => {});
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.take(line));
    }
  }

  take(line) {
    this.lines.push(line);
    this.look();
  }

  look() {
    for (const wait of this.waiting) wait();
  }

  /** The first line from `from` on that has this text. */
  line(text, from = 0) {
    return new Promise((resolve, reject) => {
      const done = (finish, value) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        finish(value);
      };
      const look = () => {
        const found = this.lines.slice(from).find((line) => line.includes(text));
        if (found !== undefined) done(resolve, found);
        else if (this.over) done(reject, new Error(`ended without "${text}":\n${this.lines.join("\n")}`));
      };
      const timer = setTimeout(
        () => done(reject, new Error(`no "${text}" in:\n${this.lines.join("\n")}`)),
        PATIENCE,
      );
      this.waiting.add(look);
      look();
    });
  }

  async end(signal = "SIGTERM") {
    this.child.kill(signal);
    return this.ended;
  }
}

/** A chat with its folder; it can be stopped and started anew on the same addresses. */
export class Server {
  /** @param {string[]} settings beside the usual ones */
  static async start(settings = []) {
    const server = new Server();
    server.folder = await mkdtemp(join(tmpdir(), "chatterbox-browser-"));
    server.settings = settings;
    server.web = "localhost:0";
    server.port = "0";
    try {
      return await server.again();
    } catch (error) {
      await server.end();
      throw error;
    }
  }

  environment() {
    const home = this.folder;
    const { PATH, LANG, CHATTERBOX_PAGE_FOLDER } = process.env;
    return { PATH, LANG, CHATTERBOX_PAGE_FOLDER, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home };
  }

  /** Starts it, with the data that it had. */
  async again() {
    this.certs = join(this.folder, "certs");
    const args = ["localhost", "-p", this.port, "--certs", this.certs, "--data", join(this.folder, "data"), "--web", this.web];
    this.process = new Process(program("CHATTERBOX_SERVER"), [...args, ...this.settings], { env: this.environment(), cwd: this.folder });
    const line = await this.process.line("to chat in a browser, open: ");
    this.url = line.split("open: ")[1].trim();
    const listening = await this.process.line("listening on ");
    this.port = /listening on \S*?:(\d+)(,|$)/.exec(listening)[1];
    this.web = new URL(this.url).host;
    return this;
  }

  /** A subcommand on its data, for what only the operator does. */
  async operate(words, input = "") {
    const done = promisify(execFile)(program("CHATTERBOX_SERVER"), words, { env: this.environment(), cwd: this.folder });
    done.child.stdin.end(input);
    return done;
  }

  /** Makes an account. */
  account(name, password, level = 1) {
    const data = join(this.folder, "data");
    return this.operate(["user", "add", name, "--level", String(level), "--password-stdin", "--data", data], `${password}\n`);
  }

  stop(signal = "SIGTERM") {
    return this.process.end(signal);
  }

  async end() {
    if (!this.process.over) await this.process.end("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The terminal client, line by line, in the chat of a server. */
export class Terminal {
  static async join(server, name, more = []) {
    const terminal = new Terminal();
    const args = ["localhost", "-p", server.port, "-ca", join(server.certs, "ca.crt"), "--plain", "--username", name, ...more];
    terminal.process = new Process(program("CHATTERBOX_CLIENT"), args, { env: server.environment(), cwd: server.folder });
    await terminal.shows(`you are ${name}`);
    return terminal;
  }

  types(line) {
    this.process.child.stdin.write(`${line}\n`);
  }

  shows(text) {
    return this.process.line(text);
  }

  async end() {
    if (!this.process.over) await this.process.end("SIGKILL");
  }
}
