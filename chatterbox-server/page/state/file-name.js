// A name for a file on this machine, made from what somebody else has called it (FI-7).

import { screen } from "../screen.js";

/** The most bytes of a name. */
const LONGEST = 128;

/** An extension of at most so many bytes stays when a name is cut. */
const EXTENSION = 16;

/** What a file is called of whose name nothing is left. */
const UNNAMED = "file";

/** Stands for a character that can't stay. */
const STAND_IN = "_";

/** Names that mean a device on some systems, whatever stands behind a dot. */
const RESERVED = /^(con|prn|aux|nul|com[0-9]?|lpt[0-9]?)\s*(\.|$)/i;

/** What means something in a path, or to some system. */
const MEANS = /[<>:"|?*]/;

const encoder = new TextEncoder();

/** @param {string} text */
function bytes(text) {
  return encoder.encode(text).length;
}

/** The name of a file in a folder: it leads nowhere else, hides nothing, acts on no screen, is no device and no option of a command.
 * @param {string} wire @returns {import("./types.js").Shown} */
export function safeName(wire) {
  const last = wire.split(/[/\\]/).findLast((part) => trimmed(part) !== "") ?? "";
  let name = cleaned(last.replace(/^[.\s]+/u, ""));
  // Marks that pile up on one character, for example.
  if (screen(name) !== name) name = name.replace(/[^ -~]/gu, STAND_IN);
  name = name.replace(/^-/, STAND_IN);
  if (RESERVED.test(name)) name = STAND_IN + name;
  return cut(name) || UNNAMED;
}

/** Without what no name begins or ends with. @param {string} text */
function trimmed(text) {
  return text.replace(/^[.\s]+|[.\s]+$/gu, "");
}

/** The beginning of a text, with a stand-in for each character that hides, acts, or means something. @param {string} text */
function cleaned(text) {
  let clean = "";
  let before = "";
  for (const character of text.slice(0, 8 * LONGEST)) {
    // A joiner is a part of what is before it, or hides.
    const isPart = /[\u200c\u200d\ufe0f]/.test(character) && before > "\u007f";
    const isSeen = isPart || screen(character) === character;
    before = isSeen && !MEANS.test(character) ? character : STAND_IN;
    clean += before;
  }
  return clean;
}

/** A name that is not too long, with its extension. @param {string} name */
function cut(name) {
  const dot = name.lastIndexOf(".");
  const isExtended = dot > 0 && bytes(name.slice(dot + 1)) <= EXTENSION;
  const extension = isExtended ? name.slice(dot) : "";
  const characters = [...(isExtended ? name.slice(0, dot) : name)];
  let room = LONGEST - bytes(extension);
  const kept = [];
  for (const character of characters) {
    room -= bytes(character);
    if (room < 0) break;
    kept.push(character);
  }
  return trimmed(`${kept.join("").replace(/[.\s]+$/u, "")}${extension}`);
}
