/**
 * A server that says what it likes: the files and headers of the page come from a real server, the frames from the test.
 */

import { createServer, request } from "node:http";

import { WebSocketServer } from "ws";

import { PATIENCE } from "./server.mjs";

export class Hostile {
  /** @param {string} url of the real server */
  static async before(url) {
    const hostile = new Hostile();
    const { port } = new URL(url);
    hostile.sockets = new Set();
    hostile.frames = [];
    hostile.waiting = new Set();
    /** What a frame of the page is answered with; a test sets it. */
    hostile.answer = () => undefined;
    hostile.server = createServer((asked, answer) => {
      // The same host goes through, so that the headers name the place where the page is.
      const onward = request({ host: "127.0.0.1", port, path: asked.url, method: asked.method, headers: asked.headers }, (got) => {
        answer.writeHead(got.statusCode, got.headers);
        got.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      asked.pipe(onward);
    });
    hostile.websockets = new WebSocketServer({ server: hostile.server, path: "/ws" });
    hostile.websockets.on("connection", (socket) => {
      hostile.sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => hostile.sockets.delete(socket));
      socket.on("message", (data) => {
        const frame = JSON.parse(String(data));
        hostile.frames.push(frame);
        for (const look of hostile.waiting) look();
        const answers = hostile.answer(frame);
        for (const answer of Array.isArray(answers) ? answers : [answers]) if (answer !== undefined) hostile.send(answer, socket);
      });
    });
    await new Promise((resolve) => hostile.server.listen(0, "127.0.0.1", resolve));
    hostile.url = `http://localhost:${hostile.server.address().port}/`;
    return hostile;
  }

  /** An object as JSON, a text or bytes as they are. */
  send(what, to) {
    const data = typeof what === "string" || what instanceof Uint8Array ? what : JSON.stringify(what);
    for (const socket of to ? [to] : this.sockets) socket.send(data, { binary: what instanceof Uint8Array });
  }

  /** The first frame from `from` on of which this is true. */
  frame(is, from = 0) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.frames.slice(from).find(is);
        if (!found) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`no such frame in ${JSON.stringify(this.frames.slice(from))}`));
      }, PATIENCE);
      this.waiting.add(look);
      look();
    });
  }

  hangUp() {
    for (const socket of this.sockets) socket.close();
  }

  async end() {
    for (const socket of this.sockets) socket.terminate();
    this.websockets.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
