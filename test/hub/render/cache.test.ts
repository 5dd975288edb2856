import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ApplicationSource } from "../../../hub/domain/application.ts";
import { RenderCache, type CachedRendering } from "../../../hub/render/cache.ts";
import { digestOfText } from "../../../proto/words/digest.ts";

const source = (path: string, include = ""): ApplicationSource => ({
  repoURL: "https://git.example.org/fleet",
  path,
  targetRevision: "main",
  directory: { recurse: true, include, exclude: "" },
});

const rendering = (text: string): CachedRendering => ({
  ok: true,
  value: { bundle: digestOfText(text), objects: 1 },
});

suite("RenderCache", () => {
  test("knows a tree by its id and every parameter", () => {
    const cache = new RenderCache(10);
    cache.put("t1", source("a"), rendering("1"));
    assert.deepEqual(cache.get("t1", source("a")), rendering("1"));
    assert.equal(cache.get("t2", source("a")), undefined);
    assert.equal(cache.get("t1", source("b")), undefined);
    assert.equal(cache.get("t1", source("a", "*.yaml")), undefined);
    assert.deepEqual(
      cache.get("t1", { ...source("a"), targetRevision: "next", repoURL: "elsewhere" }),
      rendering("1"),
    );
  });

  test("keeps what was used last", () => {
    const cache = new RenderCache(2);
    cache.put("t1", source("a"), rendering("1"));
    cache.put("t2", source("a"), rendering("2"));
    cache.get("t1", source("a"));
    cache.put("t3", source("a"), rendering("3"));
    assert.equal(cache.size, 2);
    assert.equal(cache.get("t2", source("a")), undefined);
    assert.deepEqual(cache.get("t1", source("a")), rendering("1"));
  });
});
