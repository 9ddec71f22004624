// Runs the fixtures that the application of the client runs as well: what a server sends and a user does, and the state that results from
// it. README.md beside them defines what they mean.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { run } from "./run.mjs";

const FOLDER = new URL("../../../../chatterbox-client/app/fixtures/", import.meta.url);

const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
assert.ok(names.length >= 19, "the fixtures are not where they are looked for");

for (const name of names) {
  const fixture = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
  test(`${name}: ${fixture.about}`, () => run(fixture));
}
