/** The veil over secrets while they are typed: from where on a text is one, wherever in it the command stands. */

import { complete } from "./state/complete.js";

/** @import { View } from "./state/types.js" */

/** So many characters are looked at; no command is longer. */
const LOOKED_AT = 20_000;

/**
 * The place from which a text is a secret; null: nothing of it is. A command with a secret is no command behind a blank or on a second
 * line, and is not sent there, but what stands behind it is a secret all the same.
 *
 * @param {View} view
 * @param {string} text
 */
export function secretFrom(view, text) {
  let place = 0;
  for (const line of text.slice(0, LOOKED_AT).split("\n")) {
    const command = line.trimStart();
    if (command.startsWith("/") || (view.prefix !== "" && command.startsWith(view.prefix))) {
      const { secret } = complete(view, command, command.length, false);
      if (secret !== null) return place + line.length - command.length + secret;
    }
    place += line.length + 1;
  }
  return null;
}
