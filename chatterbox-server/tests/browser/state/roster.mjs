// Who is here: against a list that is sorted anew each time.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Roster } from "../../../page/state/roster.js";

test("people are listed by name, whatever comes and goes", () => {
  let state = 7;
  const next = (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const roster = new Roster();
  /** @type {Map<string, string | null>} */
  const model = new Map();
  const name = () => ["Ann", "ann", "ANN", "bob", "Éa", "e\u0301a", "cyd", "dan", "\u{1f600}", "zed"][next(10)];
  for (let step = 0; step < 5000; step += 1) {
    const one = name();
    switch (next(4)) {
      case 0:
        assert.equal(roster.add(one), !model.has(one));
        if (!model.has(one)) model.set(one, null);
        break;
      case 1:
        assert.equal(roster.remove(one), model.delete(one));
        break;
      case 2: {
        const other = name();
        const away = model.get(one) ?? null;
        roster.rename(one, other);
        model.delete(one);
        model.set(other, away);
        break;
      }
      default: {
        const away = next(2) === 0 ? null : `away ${step}`;
        assert.equal(roster.tell(one, { away, since: null }) === undefined, !model.has(one));
        if (model.has(one)) model.set(one, away);
      }
    }
    const key = (each) => each.normalize("NFC").toLowerCase();
    const expected = [...model].sort(([a], [b]) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a < b ? -1 : 1));
    assert.deepEqual(roster.people().map((person) => [person.target.slice(1), person.away]), expected);
    assert.equal(roster.people(), roster.people());
    assert.equal(roster.isHere("aNn"), ["Ann", "ann", "ANN"].some((each) => model.has(each)));
    assert.equal(roster.characters, [...model.keys()].join("").length);
  }
});
