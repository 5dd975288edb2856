import assert from "node:assert/strict";
import type { Store } from "../../../hub/store/store.ts";
import { allPages, atMs, publish, setOrigin, setRecord, signal } from "./builders.ts";
import type { Case } from "./case.ts";

export function applicationSetCases(it: Case): void {
  it("are listed by name and filtered by project, trouble and part of the name", async (store) => {
    const problem = { code: "WH-GEN-3101", message: "broken", sinceMs: atMs };
    for (const set of [
      setRecord("web-front"),
      setRecord("api", { project: "core" }),
      setRecord("web-back", { project: "core", problem }),
    ])
      await publish(store, [], { origin: setOrigin(set.name), set });
    const names = async (filter: Parameters<Store["applicationSets"]["list"]>[0]) =>
      (await store.applicationSets.list(filter, { limit: 9, after: undefined }, signal)).items.map(
        ({ name }) => name,
      );
    assert.deepEqual(await names({}), ["api", "web-back", "web-front"]);
    assert.deepEqual(await names({ project: "core" }), ["api", "web-back"]);
    assert.deepEqual(await names({ troubled: true }), ["web-back"]);
    assert.deepEqual(await names({ text: "Web" }), ["web-back", "web-front"]);
    assert.deepEqual(await names({ text: "web", project: "core" }), ["web-back"]);
    const list = (page: { limit: number; after: string | undefined }) =>
      store.applicationSets.list({}, page, signal);
    assert.equal((await allPages(list, 1)).length, 3);
  });
}
