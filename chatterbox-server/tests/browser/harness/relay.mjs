/**
 * A relay of TCP connections before a server, which can be cut as a network is: what was there ends, and what comes ends at once.
 */

import { createServer, connect } from "node:net";

export class Relay {
  static async before(url) {
    const relay = new Relay();
    const { port } = new URL(url);
    relay.pairs = new Set();
    relay.broken = false;
    relay.server = createServer((near) => {
      if (relay.broken) {
        near.destroy();
        return;
      }
      const far = connect({ port: Number(port), host: "127.0.0.1" });
      const pair = [near, far];
      relay.pairs.add(pair);
      for (const end of pair) {
        end.on("error", () => {});
        end.on("close", () => {
          for (const other of pair) other.destroy();
          relay.pairs.delete(pair);
        });
      }
      near.pipe(far).pipe(near);
    });
    await new Promise((resolve) => relay.server.listen(0, "127.0.0.1", resolve));
    relay.url = `http://localhost:${relay.server.address().port}/`;
    return relay;
  }

  /** What is said goes through, what is answered does not any more. */
  hold() {
    for (const [, far] of this.pairs) {
      far.unpipe();
      far.pause();
    }
  }

  /** Ends all that goes through it; until `mend` nothing gets through. */
  cut() {
    this.broken = true;
    for (const pair of this.pairs) for (const end of pair) end.destroy();
  }

  mend() {
    this.broken = false;
  }

  async end() {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
