import assert from "node:assert/strict";
import { atMs, newsSince, signal } from "./builders.ts";
import type { Case } from "./case.ts";

export function repositoryCases(it: Case): void {
  it("are remembered whole, with their events", async (store) => {
    const repository = {
      url: "https://git.example/fleet.git",
      heads: { HEAD: "c1", main: "c1" },
      fetchedAtMs: atMs,
      checkedAtMs: atMs,
      problem: undefined,
    };
    const fetched = {
      kind: "repository-fetched",
      subject: repository.url,
      cluster: "",
      message: "at c1",
    } as const;
    await store.repositories.record(repository, [fetched], atMs, signal);
    assert.deepEqual(await store.repositories.find(repository.url, signal), repository);
    assert.deepEqual(await newsSince(store, 0), [`repository-fetched ${repository.url}`]);
    const broken = {
      ...repository,
      fetchedAtMs: undefined,
      problem: { code: "WH-GIT-3001", message: "unreachable", sinceMs: atMs },
    };
    await store.repositories.record(broken, [], atMs, signal);
    assert.deepEqual(await store.repositories.list(signal), [broken]);
    assert.equal(await store.repositories.find("https://other", signal), undefined);
  });
}
