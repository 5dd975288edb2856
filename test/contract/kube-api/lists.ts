import assert from "node:assert/strict";
import { at, mapAt, mapsAt, textAt, type JsonMap } from "../../support/cluster/json.ts";
import { eventually } from "../../support/eventually.ts";
import {
  accepted,
  configMap,
  configMapsPath,
  messageOf,
  refusalOf,
  type Bench,
  type Cases,
} from "./bench.ts";

const names = (list: JsonMap): readonly string[] =>
  mapsAt(list, "items").map((item) => textAt(item, "metadata", "name"));

/** A namespace with ConfigMaps `a` to `e`, each labelled with its name, the vowels as such. */
async function fiveIn(bench: Bench): Promise<string> {
  const namespace = await bench.namespace();
  for (const letter of ["a", "b", "c", "d", "e"]) {
    const labels = { set: "five", letter, ...("ae".includes(letter) ? { vowel: "yes" } : {}) };
    const reply = await bench.api.create(
      configMapsPath(namespace),
      configMap(letter, { v: letter }, { labels }),
    );
    accepted(reply, 201);
  }
  return namespace;
}

const five = { labelSelector: "set=five" };

export function listCases({ proves }: Cases): void {
  proves("a list has a kind, a version, and items without either", async (bench) => {
    const namespace = await fiveIn(bench);
    const list = accepted(await bench.api.get(configMapsPath(namespace), five), 200);
    assert.deepEqual([list["kind"], list["apiVersion"]], ["ConfigMapList", "v1"]);
    assert.match(textAt(list, "metadata", "resourceVersion"), /^\d+$/);
    assert.deepEqual(names(list), ["a", "b", "c", "d", "e"]);
    const [first] = mapsAt(list, "items");
    assert.deepEqual([first?.["kind"], first?.["apiVersion"]], [undefined, undefined]);
  });

  proves("an empty namespace lists nothing, also when it does not exist", async ({ api }) => {
    const list = accepted(await api.get(configMapsPath("no-such-namespace")), 200);
    assert.deepEqual(list["items"], []);
  });

  proves("a list over all namespaces has them all", async (bench) => {
    const one = await fiveIn(bench);
    const other = await fiveIn(bench);
    const list = accepted(await bench.api.get("/api/v1/configmaps", five), 200);
    const seen = new Set(
      mapsAt(list, "items").map((item) => textAt(item, "metadata", "namespace")),
    );
    assert.ok(seen.has(one) && seen.has(other));
  });

  const selectors: readonly (readonly [selector: string, expected: string])[] = [
    ["letter=a", "a"],
    ["letter==b", "b"],
    ["letter!=a,set=five", "bcde"],
    ["letter in (a,c)", "ac"],
    ["letter notin (a,c),set=five", "bde"],
    ["vowel", "ae"],
    ["!vowel,set=five", "bcd"],
    ["vowel,letter!=e", "a"],
    ["set=five,letter in (b, d)", "bd"],
    ["set=six", ""],
  ];
  for (const [labelSelector, expected] of selectors) {
    proves(`label selector ${labelSelector}`, async (bench) => {
      const namespace = await fiveIn(bench);
      const list = accepted(await bench.api.get(configMapsPath(namespace), { labelSelector }), 200);
      assert.equal(names(list).join(""), expected);
    });
  }

  proves("a label selector that makes no sense: 400", async (bench) => {
    const reply = await bench.api.get(configMapsPath("default"), { labelSelector: "a in b" });
    assert.equal(reply.code, 400);
  });

  proves("a field selector on the name", async (bench) => {
    const namespace = await fiveIn(bench);
    const query = { fieldSelector: "metadata.name=c" };
    const list = accepted(await bench.api.get(configMapsPath(namespace), query), 200);
    assert.deepEqual(names(list), ["c"]);
  });

  proves("a field selector that excludes a name", async (bench) => {
    const namespace = await fiveIn(bench);
    const query = { fieldSelector: "metadata.name!=c", ...five };
    const list = accepted(await bench.api.get(configMapsPath(namespace), query), 200);
    assert.deepEqual(names(list), ["a", "b", "d", "e"]);
  });

  proves("a field selector on a field that is not selectable: 400", async ({ api }) => {
    const reply = await api.get(configMapsPath("default"), { fieldSelector: "data.a=b" });
    assert.equal(reply.code, 400);
    assert.equal(
      messageOf(reply),
      '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });

  proves("a kind with fields of its own to select by says so differently", async ({ api }) => {
    const reply = await api.get("/api/v1/namespaces/default/secrets", { fieldSelector: "a=b" });
    assert.equal(reply.code, 400);
    assert.equal(messageOf(reply), "field label not supported: a");
  });

  proves("pages follow one another without gaps", async (bench) => {
    const namespace = await fiveIn(bench);
    const path = configMapsPath(namespace);
    const seen: string[] = [];
    let next = "";
    let pages = 0;
    do {
      const query: { [name: string]: string } = { limit: "2", labelSelector: "set=five" };
      if (next !== "") query["continue"] = next;
      const list = accepted(await bench.api.get(path, query), 200);
      seen.push(...names(list));
      next = textAt(list, "metadata", "continue");
      pages += 1;
    } while (next !== "");
    assert.deepEqual([seen.join(""), pages], ["abcde", 3]);
  });

  proves("a page without selectors says how many are left", async (bench) => {
    const custom = await bench.sharedKind();
    const namespace = await bench.namespace();
    for (const name of ["a", "b", "c"])
      accepted(
        await bench.api.create(custom.path(namespace), {
          apiVersion: custom.apiVersion,
          kind: custom.kind,
          metadata: { name },
        }),
        201,
      );
    const list = accepted(await bench.api.get(custom.path(namespace), { limit: "1" }), 200);
    assert.equal(at(list, "metadata", "remainingItemCount"), 2);
  });

  proves("later pages show the collection as it was at the first", async (bench) => {
    const namespace = await fiveIn(bench);
    const path = configMapsPath(namespace);
    const first = accepted(await bench.api.get(path, { limit: "2", ...five }), 200);
    await bench.api.delete(`${path}/d`);
    await bench.api.create(path, configMap("cc", {}, { labels: { set: "five" } }));
    const rest = accepted(
      await bench.api.get(path, { continue: textAt(first, "metadata", "continue"), ...five }),
      200,
    );
    assert.deepEqual(names(rest), ["c", "d", "e"]);
    assert.equal(
      textAt(rest, "metadata", "resourceVersion"),
      textAt(first, "metadata", "resourceVersion"),
    );
  });

  proves("a continue token that is none: 400", async (bench) => {
    const reply = await bench.api.get(configMapsPath("default"), {
      continue: "broken",
      limit: "1",
    });
    assert.equal(reply.code, 400);
  });

  proves("a version from the future: told that it is too large", async (bench) => {
    const path = configMapsPath("default");
    const list = accepted(await bench.api.get(path), 200);
    const future = String(Number(textAt(list, "metadata", "resourceVersion")) + 1_000_000);
    const reply = await bench.api.get(path, { resourceVersion: future });
    assert.equal(reply.code, 504);
    assert.match(messageOf(reply), /Too large resource version/);
  });

  proves("resourceVersion=0 takes whatever a cache has, which comes to be all", async (bench) => {
    const namespace = await fiveIn(bench);
    const path = configMapsPath(namespace);
    await eventually(async () => {
      const list = accepted(await bench.api.get(path, { resourceVersion: "0", ...five }), 200);
      assert.deepEqual(names(list), ["a", "b", "c", "d", "e"]);
    });
  });

  proves("an exact version shows the past", async (bench) => {
    const namespace = await fiveIn(bench);
    const path = configMapsPath(namespace);
    const before = accepted(await bench.api.get(path, five), 200);
    await bench.api.delete(`${path}/a`);
    const query = {
      resourceVersion: textAt(before, "metadata", "resourceVersion"),
      resourceVersionMatch: "Exact",
      ...five,
    };
    const list = accepted(await bench.api.get(path, query), 200);
    assert.deepEqual(names(list), ["a", "b", "c", "d", "e"]);
  });

  proves("metadata of a list alone", async (bench) => {
    const namespace = await fiveIn(bench);
    const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    const reply = await bench.api.send("GET", configMapsPath(namespace), undefined, {
      headers: { accept },
      query: five,
    });
    const list = accepted(reply, 200);
    assert.equal(list["kind"], "PartialObjectMetadataList");
    assert.equal(mapsAt(list, "items").length, 5);
    assert.deepEqual(
      mapsAt(list, "items").map((item) => item["data"]),
      [undefined, undefined, undefined, undefined, undefined],
    );
  });

  proves("items of a custom kind carry their kind", async (bench) => {
    const custom = await bench.sharedKind();
    const namespace = await bench.namespace();
    await bench.api.create(custom.path(namespace), {
      apiVersion: custom.apiVersion,
      kind: custom.kind,
      metadata: { name: "one" },
    });
    const list = accepted(await bench.api.get(custom.path(namespace)), 200);
    assert.equal(list["kind"], `${custom.kind}List`);
    const [first] = mapsAt(list, "items");
    assert.deepEqual([first?.["apiVersion"], first?.["kind"]], [custom.apiVersion, custom.kind]);
  });

  proves("a collection can be deleted by label", async (bench) => {
    const namespace = await fiveIn(bench);
    const path = configMapsPath(namespace);
    accepted(await bench.api.delete(path, undefined, { labelSelector: "vowel" }), 200);
    const list = accepted(await bench.api.get(path, five), 200);
    assert.deepEqual(names(list), ["b", "c", "d"]);
  });

  proves("all namespaces at once cannot be deleted", async ({ api }) => {
    const reply = await api.delete("/api/v1/namespaces");
    assert.deepEqual(refusalOf(reply).code, 405);
    assert.equal(mapAt(reply.body, "metadata")["name"], undefined);
  });
}
