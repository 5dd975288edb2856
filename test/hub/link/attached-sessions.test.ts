import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { AttachedSessions, type OpenSession } from "../../../hub/link/attached-sessions.ts";

const one = "1" as ClusterId;
const two = "2" as ClusterId;

function session(cluster: ClusterId, epoch: number) {
  const heard: string[] = [];
  const open: OpenSession = {
    cluster,
    epoch,
    wake: () => heard.push("wake"),
    dismiss: ({ kind }) => heard.push(kind),
  };
  return { open, heard };
}

suite("AttachedSessions", () => {
  test("the newer session of a cluster replaces the older", () => {
    const sessions = new AttachedSessions();
    const [older, newer] = [session(one, 1), session(one, 2)];
    sessions.admit(older.open);
    sessions.admit(newer.open);
    sessions.wake(one);
    assert.deepEqual([older.heard, newer.heard], [["replaced"], ["wake"]]);
  });

  test("an older one that comes late is sent away itself", () => {
    const sessions = new AttachedSessions();
    const [older, newer] = [session(one, 1), session(one, 2)];
    sessions.admit(newer.open);
    sessions.admit(older.open);
    assert.deepEqual([older.heard, newer.heard], [["replaced"], []]);
    assert.ok(sessions.isAttached(one));
  });

  test("who waits for all to leave is told when the last one has, and not to wait when there is none", async () => {
    const signal = new AbortController().signal;
    const sessions = new AttachedSessions();
    await sessions.allLeft(signal);
    const [a, b] = [session(one, 1), session(two, 1)];
    sessions.admit(a.open);
    sessions.admit(b.open);
    let told = false;
    const waiting = sessions.allLeft(signal).then(() => (told = true));
    sessions.leave(a.open);
    await nextTurn();
    assert.equal(told, false);
    sessions.leave(b.open);
    await waiting;
    sessions.admit(a.open);
    const stop = new AbortController();
    const never = assert.rejects(sessions.allLeft(stop.signal), /enough/);
    stop.abort(new Error("enough"));
    await never;
  });

  test("an older one that leaves late does not take the newer with it", () => {
    const sessions = new AttachedSessions();
    const [older, newer] = [session(one, 1), session(one, 2)];
    sessions.admit(older.open);
    sessions.admit(newer.open);
    sessions.leave(older.open);
    assert.ok(sessions.isAttached(one));
    sessions.leave(newer.open);
    assert.equal(sessions.attached, 0);
  });

  test("in whatever order they come and go, the newest that has not left is the one that is woken", () => {
    const happenings = fc.array(fc.record({ epoch: fc.nat({ max: 5 }), leaves: fc.boolean() }), {
      maxLength: 30,
    });
    const law = fc.property(happenings, (story) => {
      const sessions = new AttachedSessions();
      const all = [0, 1, 2, 3, 4, 5].map((epoch) => session(one, epoch));
      let attached: number | undefined;
      const came = new Set<number>();
      for (const { epoch, leaves } of story) {
        const { open } = all[epoch] ?? session(one, epoch);
        if (leaves) {
          sessions.leave(open);
          if (attached === epoch) attached = undefined;
        } else if (!came.has(epoch)) {
          came.add(epoch);
          sessions.admit(open);
          attached = Math.max(attached ?? epoch, epoch);
        }
      }
      sessions.wake(one);
      const woken = all.flatMap(({ heard }, epoch) => (heard.includes("wake") ? [epoch] : []));
      assert.deepEqual(woken, attached === undefined ? [] : [attached]);
    });
    fc.assert(law, { numRuns: 500 });
  });

  test("remembers when each cluster was last heard, also after it left", () => {
    const sessions = new AttachedSessions();
    const { open } = session(one, 1);
    sessions.admit(open);
    sessions.heard(one, 10);
    sessions.leave(open);
    assert.equal(sessions.lastSeenAtMs(one), 10);
    assert.equal(sessions.lastSeenAtMs(two), undefined);
    sessions.forget(one);
    assert.equal(sessions.lastSeenAtMs(one), undefined);
  });

  test("dismisses all, each in its own way", () => {
    const sessions = new AttachedSessions();
    const [a, b] = [session(one, 1), session(two, 1)];
    sessions.admit(a.open);
    sessions.admit(b.open);
    sessions.dismiss(two, { kind: "untrusted", problem: "removed" });
    sessions.dismissAll(() => ({ kind: "draining", reconnectAfterMs: 1 }));
    assert.deepEqual([a.heard, b.heard], [["draining"], ["untrusted", "draining"]]);
  });
});
