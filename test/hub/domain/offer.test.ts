import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { digestOfText } from "../../../proto/words/digest.ts";
import { nextOffer, type NextOffer, type Offering } from "../../../hub/domain/offer.ts";

const a = digestOfText("a");
const b = digestOfText("b");
const digests = new Map();

const offering = (change: Partial<Offering> = {}): Offering => ({
  held: { version: 4, root: a },
  awaits: "nothing",
  digests: undefined,
  foreign: false,
  settledAt: undefined,
  ...change,
});

suite("nextOffer", () => {
  const current = { version: 7, root: b };
  const rows: readonly { name: string; offering: Offering; expect: NextOffer }[] = [
    {
      name: "a delta from what is held",
      offering: offering(),
      expect: { kind: "delta", base: 4 },
    },
    {
      name: "everything as a delta from nothing",
      offering: offering({ held: { version: 0, root: a } }),
      expect: { kind: "delta", base: 0 },
    },
    {
      name: "nothing when versions and roots are equal",
      offering: offering({ held: { version: 7, root: b } }),
      expect: { kind: "agreed" },
    },
    {
      name: "a delta though the roots are equal, for something may have been ordered away",
      offering: offering({ held: { version: 4, root: b } }),
      expect: { kind: "delta", base: 4 },
    },
    {
      name: "nothing before the last change is acknowledged",
      offering: offering({ awaits: "stored" }),
      expect: { kind: "wait" },
    },
    {
      name: "nothing while the digests are on their way",
      offering: offering({ awaits: "digests" }),
      expect: { kind: "wait" },
    },
    {
      name: "a comparison once the digests are here",
      offering: offering({ digests }),
      expect: { kind: "compare", digests },
    },
    {
      name: "a question to a spoke that holds what this hub never made",
      offering: offering({ foreign: true }),
      expect: { kind: "ask" },
    },
    {
      name: "a question to a spoke that is ahead",
      offering: offering({ held: { version: 8, root: a } }),
      expect: { kind: "ask" },
    },
    {
      name: "nothing to a spoke that needs to hear nothing more of this version",
      offering: offering({ settledAt: 7 }),
      expect: { kind: "agreed" },
    },
    {
      name: "a delta to that spoke once there is another version",
      offering: offering({ settledAt: 6 }),
      expect: { kind: "delta", base: 4 },
    },
  ];
  for (const { name, offering, expect } of rows)
    test(name, () => assert.deepEqual(nextOffer(offering, current), expect));
});
