import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import {
  at,
  mapsAt,
  numberAt,
  textAt,
  type Json,
  type JsonMap,
} from "../../support/cluster/json.ts";
import {
  accepted,
  claimOf,
  conditionStatus,
  definitionsPath,
  messageOf,
  refusalOf,
  unique,
  type Bench,
  type Cases,
} from "./bench.ts";

const schema: JsonMap = {
  type: "object",
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      properties: {
        size: { type: "integer", minimum: 1, maximum: 9 },
        color: { type: "string", enum: ["red", "green"], default: "green" },
        name: { type: "string", pattern: "^[a-z]+$", maxLength: 5 },
        ports: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["port", "protocol"],
          items: {
            type: "object",
            required: ["port"],
            properties: {
              port: { type: "integer" },
              protocol: { type: "string", default: "TCP" },
              note: { type: "string" },
            },
          },
        },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        args: { type: "array", items: { type: "string" } },
        selector: {
          type: "object",
          "x-kubernetes-map-type": "atomic",
          additionalProperties: { type: "string" },
        },
        labels: { type: "object", additionalProperties: { type: "string" } },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        share: { "x-kubernetes-int-or-string": true },
      },
    },
  },
};

type Widgets = {
  readonly path: string;
  readonly body: (spec: Json, metadata?: JsonMap) => JsonMap;
  readonly create: (spec: Json) => ReturnType<Bench["api"]["create"]>;
  readonly apply: (
    manager: string,
    spec: Json,
    query?: { readonly [name: string]: string },
  ) => ReturnType<Bench["api"]["apply"]>;
};

async function widgets(bench: Bench): Promise<Widgets> {
  const custom = await bench.sharedKind(schema);
  const path = custom.path(await bench.namespace());
  const body = (spec: Json, metadata: JsonMap = {}): JsonMap => ({
    apiVersion: custom.apiVersion,
    kind: custom.kind,
    metadata: { name: "one", ...metadata },
    spec,
  });
  return {
    path,
    body,
    create: (spec) => bench.api.create(path, body(spec)),
    apply: (manager, spec, query) => bench.api.apply(manager, `${path}/one`, body(spec), query),
  };
}

export function customKindCases(cases: Cases): void {
  definitions(cases);
  content(cases);
  applying(cases);
}

function definitions({ proves }: Cases): void {
  proves("a definition says when its kind is served", async (bench) => {
    const custom = await bench.customKind();
    const found = accepted(await bench.api.get(`${definitionsPath}/${custom.name}`), 200);
    assert.equal(conditionStatus(found, "NamesAccepted"), "True");
    assert.equal(conditionStatus(found, "Established"), "True");
    assert.deepEqual(at(found, "status", "storedVersions"), ["v1"]);
    assert.equal(textAt(found, "status", "acceptedNames", "kind"), custom.kind);
  });

  proves("names that are left out are made", async (bench) => {
    const custom = await bench.customKind();
    const found = accepted(await bench.api.get(`${definitionsPath}/${custom.name}`), 200);
    assert.equal(textAt(found, "spec", "names", "singular"), custom.kind.toLowerCase());
    assert.equal(textAt(found, "spec", "names", "listKind"), `${custom.kind}List`);
  });

  proves("a kind is unknown until it is defined: 404", async ({ api }) => {
    const path = `/apis/${unique("none")}.example.com/v1/namespaces/default/widgets/one`;
    const body = { apiVersion: "x/v1", kind: "Widget", metadata: { name: "one" } };
    assert.equal((await api.apply("a", path, body)).code, 404);
  });

  proves("a definition must be named after its plural and group: 422", async ({ api }) => {
    const reply = await api.create(definitionsPath, {
      metadata: { name: "wrong.example.com" },
      spec: {
        group: "right.example.com",
        scope: "Namespaced",
        names: { plural: "rights", kind: "Right" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object" } },
          },
        ],
      },
    });
    assert.equal(reply.code, 422);
    assert.ok(refusalOf(reply).fields.includes("metadata.name"), reply.text);
  });

  proves("a definition without a schema: 422", async ({ api }) => {
    const group = `${unique("bare")}.example.com`;
    const reply = await api.create(definitionsPath, {
      metadata: { name: `rights.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { plural: "rights", kind: "Right" },
        versions: [{ name: "v1", served: true, storage: true }],
      },
    });
    assert.deepEqual(refusalOf(reply), {
      code: 422,
      reason: "Invalid",
      fields: ["spec.versions[0].schema.openAPIV3Schema"],
    });
  });

  proves("a changed schema counts at once", async (bench) => {
    const custom = await bench.customKind({
      type: "object",
      properties: { spec: { type: "object", properties: { a: { type: "string" } } } },
    });
    const path = custom.path(await bench.namespace());
    await bench.api.patch("json", `${definitionsPath}/${custom.name}`, [
      {
        op: "add",
        path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/b",
        value: { type: "string" },
      },
    ]);
    let attempt = 0;
    await eventually(
      async () => {
        attempt += 1;
        const made = await bench.api.create(path, {
          apiVersion: custom.apiVersion,
          kind: custom.kind,
          metadata: { name: `try-${attempt}` },
          spec: { a: "1", b: "2" },
        });
        assert.deepEqual(accepted(made, 201)["spec"], { a: "1", b: "2" });
      },
      { withinMs: 30_000, what: "the new field" },
    );
  });

  proves("a definition that goes takes its objects along", async (bench) => {
    const custom = await bench.customKind();
    const path = custom.path(await bench.namespace());
    const body = { apiVersion: custom.apiVersion, kind: custom.kind, metadata: { name: "one" } };
    accepted(await bench.api.create(path, body), 201);
    accepted(await bench.api.delete(`${definitionsPath}/${custom.name}`), 200);
    await eventually(
      async () =>
        assert.equal((await bench.api.get(`${definitionsPath}/${custom.name}`)).code, 404),
      { withinMs: 30_000, what: "the definition's leaving" },
    );
    await eventually(async () => assert.equal((await bench.api.get(path)).code, 404), {
      withinMs: 30_000,
      what: "the kind's leaving",
    });
  });

  proves("a kind without namespaces is addressed without", async (bench) => {
    const group = `${unique("wide")}.example.com`;
    accepted(
      await bench.api.create(definitionsPath, {
        metadata: { name: `wides.${group}` },
        spec: {
          group,
          scope: "Cluster",
          names: { plural: "wides", kind: "Wide" },
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: "object" } },
            },
          ],
        },
      }),
      201,
    );
    await eventually(
      async () => {
        const reply = await bench.api.apply("a", `/apis/${group}/v1/wides/one`, {
          apiVersion: `${group}/v1`,
          kind: "Wide",
          metadata: { name: "one" },
        });
        const object = accepted(reply);
        assert.equal(at(object, "metadata", "namespace"), undefined);
      },
      { what: "the wide kind" },
    );
    assert.equal((await bench.api.get(`/apis/${group}/v1/namespaces/default/wides`)).code, 404);
  });

  proves("an object can be read in every served version", async (bench) => {
    const group = `${unique("twice")}.example.com`;
    const open = {
      openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    };
    accepted(
      await bench.api.create(definitionsPath, {
        metadata: { name: `twices.${group}` },
        spec: {
          group,
          scope: "Namespaced",
          names: { plural: "twices", kind: "Twice" },
          versions: [
            { name: "v1", served: true, storage: true, schema: open },
            { name: "v1beta1", served: true, storage: false, schema: open },
          ],
        },
      }),
      201,
    );
    const namespace = await bench.namespace();
    const path = (version: string): string =>
      `/apis/${group}/${version}/namespaces/${namespace}/twices/one`;
    await eventually(
      async () => {
        const body = {
          apiVersion: `${group}/v1beta1`,
          kind: "Twice",
          metadata: { name: "one" },
          spec: { a: 1 },
        };
        accepted(await bench.api.apply("a", path("v1beta1"), body));
      },
      { what: "the older version" },
    );
    const newer = accepted(await bench.api.get(path("v1")), 200);
    assert.deepEqual([newer["apiVersion"], newer["spec"]], [`${group}/v1`, { a: 1 }]);
  });
}

function content({ proves }: Cases): void {
  proves("fields that the schema does not know are pruned", async (bench) => {
    const { create } = await widgets(bench);
    const object = accepted(await create({ size: 1, surprise: true, color: "red" }), 201);
    assert.deepEqual(object["spec"], { size: 1, color: "red" });
  });

  proves("what preserves unknown fields keeps them", async (bench) => {
    const { create } = await widgets(bench);
    const free = { any: { thing: [1, "two"] } };
    const object = accepted(await create({ size: 1, free }), 201);
    assert.deepEqual(at(object, "spec", "free"), free);
  });

  proves("defaults of the schema are filled in", async (bench) => {
    const { create } = await widgets(bench);
    const object = accepted(await create({ size: 1, ports: [{ port: 80 }] }), 201);
    assert.equal(at(object, "spec", "color"), "green");
    assert.deepEqual(at(object, "spec", "ports"), [{ port: 80, protocol: "TCP" }]);
  });

  const wrong: readonly (readonly [title: string, spec: Json, field: string])[] = [
    ["a missing required field", {}, "spec.size"],
    ["a value below the minimum", { size: 0 }, "spec.size"],
    ["a value above the maximum", { size: 10 }, "spec.size"],
    ["a value of the wrong type", { size: "big" }, "spec.size"],
    ["a value outside the enumeration", { size: 1, color: "blue" }, "spec.color"],
    ["a value that breaks the pattern", { size: 1, name: "UP" }, "spec.name"],
    ["a value that is too long", { size: 1, name: "abcdef" }, "spec.name"],
    ["a wrong item in a list", { size: 1, args: [1] }, "spec.args[0]"],
    ["a wrong value in a map", { size: 1, labels: { a: 1 } }, "spec.labels.a"],
  ];
  for (const [title, spec, field] of wrong) {
    proves(`${title}: 422 naming ${field}`, async (bench) => {
      const { create } = await widgets(bench);
      const reply = await create(spec);
      assert.deepEqual(refusalOf(reply), { code: 422, reason: "Invalid", fields: [field] });
    });
  }

  proves("both numbers and text fit int-or-string", async (bench) => {
    const { create, path } = await widgets(bench);
    accepted(await create({ size: 1, share: "50%" }), 201);
    const changed = await bench.api.patch("merge", `${path}/one`, { spec: { share: 3 } });
    assert.equal(at(accepted(changed, 200), "spec", "share"), 3);
  });

  proves("strict validation refuses what would be pruned: 400", async (bench) => {
    const { path, body } = await widgets(bench);
    const reply = await bench.api.create(path, body({ size: 1, surprise: true }), {
      fieldValidation: "Strict",
    });
    assert.deepEqual([reply.code, refusalOf(reply).reason], [400, "BadRequest"]);
    assert.match(messageOf(reply), /strict decoding error: unknown field "spec\.surprise"/);
  });

  proves("a custom object is not updated without its version: 422", async (bench) => {
    const { path, body, create } = await widgets(bench);
    accepted(await create({ size: 1 }), 201);
    const reply = await bench.api.update(`${path}/one`, body({ size: 2 }));
    assert.deepEqual(refusalOf(reply), {
      code: 422,
      reason: "Invalid",
      fields: ["metadata.resourceVersion"],
    });
  });

  proves("a custom kind takes no strategic merge patch: 415", async (bench) => {
    const { path, create } = await widgets(bench);
    accepted(await create({ size: 1 }), 201);
    const reply = await bench.api.patch("strategic", `${path}/one`, { spec: { size: 2 } });
    assert.equal(reply.code, 415);
  });
}

function applying({ proves }: Cases): void {
  proves("ownership follows the schema's list and map types", async (bench) => {
    const { apply } = await widgets(bench);
    const spec = {
      size: 1,
      ports: [{ port: 80, note: "web" }],
      tags: ["a"],
      args: ["x"],
      selector: { s: "1" },
      labels: { l: "1" },
    };
    const object = accepted(await apply("a", spec), 201);
    assert.deepEqual(at(claimOf(object, "a"), "f:spec"), {
      "f:args": {},
      "f:labels": { "f:l": {} },
      "f:ports": {
        'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:note": {}, "f:port": {} },
      },
      "f:selector": {},
      "f:size": {},
      "f:tags": { 'v:"a"': {} },
    });
  });

  proves("lists with keys merge by them", async (bench) => {
    const { apply } = await widgets(bench);
    await apply("a", { size: 1, ports: [{ port: 80, note: "mine" }] });
    const object = accepted(
      await apply("b", { size: 1, ports: [{ port: 80, protocol: "UDP" }, { port: 81 }] }),
      200,
    );
    const ports = mapsAt(object, "spec", "ports").map(
      (port) => `${numberAt(port, "port")}/${textAt(port, "protocol")}`,
    );
    assert.deepEqual(ports.toSorted(), ["80/TCP", "80/UDP", "81/TCP"]);
  });

  proves("sets of two managers add up, and each takes its own away", async (bench) => {
    const { apply } = await widgets(bench);
    await apply("a", { size: 1, tags: ["x", "y"] });
    await apply("b", { size: 1, tags: ["y", "z"] });
    const object = accepted(await apply("a", { size: 1 }), 200);
    assert.deepEqual(at(object, "spec", "tags"), ["y", "z"]);
  });

  proves("plain lists are replaced whole", async (bench) => {
    const { apply } = await widgets(bench);
    await apply("a", { size: 1, args: ["x", "y"] });
    const object = accepted(await apply("a", { size: 1, args: ["z"] }), 200);
    assert.deepEqual(at(object, "spec", "args"), ["z"]);
  });

  proves("an atomic map is replaced whole", async (bench) => {
    const { apply } = await widgets(bench);
    await apply("a", { size: 1, selector: { s: "1", t: "1" } });
    const object = accepted(await apply("a", { size: 1, selector: { u: "1" } }), 200);
    assert.deepEqual(at(object, "spec", "selector"), { u: "1" });
  });

  proves("a free part is granular as it comes", async (bench) => {
    const { apply } = await widgets(bench);
    await apply("a", { size: 1, free: { a: { x: 1 } } });
    const object = accepted(await apply("b", { size: 1, free: { a: { y: 2 } } }), 200);
    assert.deepEqual(at(object, "spec", "free"), { a: { x: 1, y: 2 } });
  });

  proves("applying a field that the schema does not know is refused by name", async (bench) => {
    const { apply } = await widgets(bench);
    const reply = await apply("a", { size: 1, surprise: true });
    assert.ok(reply.code === 400 || reply.code === 500, reply.text);
    assert.match(messageOf(reply), /\.spec\.surprise: field not declared in schema/);
  });

  proves("a second apply of a custom object keeps its version", async (bench) => {
    const { apply } = await widgets(bench);
    const spec = { size: 1, ports: [{ port: 80 }], tags: ["a"] };
    const first = await apply("a", spec);
    const second = await apply("a", spec);
    assert.deepEqual(accepted(second, 200), first.body);
  });

  proves(
    "a created custom object's spec belongs to who created it, itself included",
    async (bench) => {
      const { path, body } = await widgets(bench);
      const reply = await bench.api.create(path, body({ size: 1, color: "red" }), {
        fieldManager: "hand",
      });
      assert.deepEqual(claimOf(accepted(reply, 201), "hand", "Update"), {
        "f:spec": { ".": {}, "f:color": {}, "f:size": {} },
      });
    },
  );
}
