/** A user without a page, who says much at once. */

import WebSocket from "ws";

import { PATIENCE } from "./server.mjs";

export class Speaker {
  /** Joins over the WebSocket of the page, as a guest. */
  static async join(url, name, capabilities = "ids/1 rooms/1 rename/1 commands/1") {
    const speaker = new Speaker();
    const { host, origin } = new URL(url);
    speaker.name = name;
    speaker.frames = [];
    speaker.waiting = new Set();
    speaker.socket = new WebSocket(`ws://${host}/ws`, { origin });
    speaker.socket.on("message", (data) => {
      speaker.frames.push(JSON.parse(String(data)));
      for (const look of speaker.waiting) look();
    });
    await new Promise((resolve, reject) => {
      speaker.socket.on("open", resolve);
      speaker.socket.on("error", reject);
    });
    // Somebody of an earlier scene may be about to leave.
    for (let answer; answer?.USERNAME_ACCEPTED !== true; ) {
      speaker.frames.length = 0;
      speaker.send({ USERNAME: name, CAPABILITIES: capabilities });
      answer = await speaker.gets((frame) => "USERNAME_ACCEPTED" in frame || "ERROR" in frame);
      if (answer.USERNAME_ACCEPTED !== true && !/in use/.test(answer.INFO)) throw new Error(JSON.stringify(answer));
    }
    return speaker;
  }

  send(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  /** The first frame of which this is true. */
  gets(is) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.frames.find(is);
        if (found === undefined) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`no such frame in ${JSON.stringify(this.frames).slice(0, 2000)}`));
      }, PATIENCE);
      this.waiting.add(look);
      look();
    });
  }

  /** Says these texts to `target`, and waits until the last one is stored. */
  async say(texts, target = "ALL") {
    for (let from = 0; from < texts.length; from += 50) {
      const part = texts.slice(from, from + 50);
      const tags = part.map((_, place) => `t${Date.now()}.${from + place}`);
      this.send({ MESSAGES: part.map((text) => [this.name, target, Math.floor(Date.now() / 1000), text]), TAGS: tags });
      await this.gets((frame) => frame.ACKS && tags.at(-1) in frame.ACKS);
    }
  }

  end() {
    this.socket.terminate();
  }
}
