import assert from "node:assert/strict";
import { at, numberAt, textAt, type JsonMap } from "../../support/cluster/json.ts";
import {
  accepted,
  configMap,
  configMapsPath,
  deployment,
  deploymentsPath,
  metadataOf,
  refusalOf,
  rescaled,
  versionOf,
  type Bench,
  type Cases,
} from "./bench.ts";

const withStatus: JsonMap = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: { replicas: { type: "integer" }, note: { type: "string" } },
    },
    status: {
      type: "object",
      properties: { replicas: { type: "integer" }, phase: { type: "string" } },
    },
  },
};

const subresources: JsonMap = {
  subresources: {
    status: {},
    scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
  },
};

async function widget(
  bench: Bench,
  changes: JsonMap = subresources,
): Promise<{ readonly path: string; readonly made: JsonMap }> {
  const custom = await bench.sharedKind(withStatus, changes);
  const path = custom.path(await bench.namespace());
  const body = {
    apiVersion: custom.apiVersion,
    kind: custom.kind,
    metadata: { name: "one" },
    spec: { replicas: 1 },
    status: { phase: "Made" },
  };
  const made = accepted(await bench.api.create(path, body), 201);
  return { path: `${path}/one`, made };
}

/** A Deployment that no controller touches: it wants nothing and is paused. */
async function still(bench: Bench): Promise<string> {
  const path = deploymentsPath(await bench.namespace());
  accepted(await bench.api.create(path, deployment("web", { replicas: 0, paused: true })), 201);
  return `${path}/web`;
}

export function statusCases({ proves }: Cases): void {
  proves("status is passed over at creation where it has its own endpoint", async (bench) => {
    const { made } = await widget(bench);
    assert.equal(made["status"], undefined);
  });

  proves("status is kept at creation where it has none", async (bench) => {
    const { made } = await widget(bench, {});
    assert.deepEqual(made["status"], { phase: "Made" });
  });

  proves("the object's endpoint leaves status alone", async (bench) => {
    const { path } = await widget(bench);
    const patch = { status: { phase: "Tried" } };
    const object = accepted(await bench.api.patch("merge", path, patch), 200);
    assert.equal(object["status"], undefined);
  });

  proves("the status endpoint changes status and nothing else", async (bench) => {
    const { path } = await widget(bench);
    const patch = {
      metadata: { labels: { not: "this" } },
      spec: { replicas: 9 },
      status: { phase: "Ready" },
    };
    const object = accepted(await bench.api.patch("merge", `${path}/status`, patch), 200);
    assert.deepEqual(object["status"], { phase: "Ready" });
    assert.deepEqual(object["spec"], { replicas: 1 });
    assert.equal(metadataOf(object)["labels"], undefined);
  });

  proves("a PUT to status replaces it", async (bench) => {
    const { path, made } = await widget(bench);
    await bench.api.patch("merge", `${path}/status`, { status: { phase: "A", replicas: 1 } });
    const now = accepted(await bench.api.get(path), 200);
    const body = { ...made, metadata: metadataOf(now), status: { phase: "B" } };
    const object = accepted(await bench.api.update(`${path}/status`, body), 200);
    assert.deepEqual(object["status"], { phase: "B" });
  });

  proves("status can be applied", async (bench) => {
    const { path, made } = await widget(bench);
    const body = {
      apiVersion: made["apiVersion"] ?? "",
      kind: made["kind"] ?? "",
      metadata: { name: "one" },
      status: { phase: "Applied" },
    };
    const object = accepted(await bench.api.apply("reporter", `${path}/status`, body), 200);
    assert.deepEqual(object["status"], { phase: "Applied" });
  });

  proves("a status of what is not there: 404", async (bench) => {
    const { path } = await widget(bench);
    const reply = await bench.api.patch("merge", `${path.replace(/one$/, "two")}/status`, {});
    assert.equal(reply.code, 404);
  });

  proves("generation starts at 1 and counts changes of spec", async (bench) => {
    const { path, made } = await widget(bench);
    assert.equal(at(made, "metadata", "generation"), 1);
    const changed = await bench.api.patch("merge", path, { spec: { replicas: 2 } });
    assert.equal(at(accepted(changed, 200), "metadata", "generation"), 2);
  });

  proves("generation does not count metadata or status", async (bench) => {
    const { path } = await widget(bench);
    await bench.api.patch("merge", path, { metadata: { labels: { l: "1" } } });
    await bench.api.patch("merge", `${path}/status`, { status: { phase: "Ready" } });
    const object = accepted(await bench.api.get(path), 200);
    assert.equal(at(object, "metadata", "generation"), 1);
  });

  proves("without a status endpoint, a change of status counts as any other", async (bench) => {
    const { path } = await widget(bench, {});
    const changed = await bench.api.patch("merge", path, { status: { phase: "Ready" } });
    assert.equal(at(accepted(changed, 200), "metadata", "generation"), 2);
  });

  proves("a Deployment's generation counts its spec and its annotations", async (bench) => {
    const path = await still(bench);
    const patches: readonly (readonly [patch: JsonMap, generation: number])[] = [
      [{ metadata: { labels: { l: "1" } } }, 1],
      [{ metadata: { annotations: { a: "1" } } }, 2],
      [{ spec: { revisionHistoryLimit: 2 } }, 3],
      [{ spec: { revisionHistoryLimit: 2 } }, 3],
    ];
    for (const [patch, generation] of patches) {
      const changed = accepted(await bench.api.patch("merge", path, patch), 200);
      assert.equal(at(changed, "metadata", "generation"), generation, JSON.stringify(patch));
    }
  });

  proves("a StatefulSet's generation counts its spec only", async (bench) => {
    const path = `/apis/apps/v1/namespaces/${await bench.namespace()}/statefulsets`;
    const body = { ...deployment("db", { replicas: 0, serviceName: "db" }), kind: "StatefulSet" };
    accepted(await bench.api.create(path, body), 201);
    const annotate = { metadata: { annotations: { a: "1" } } };
    const annotated = accepted(await bench.api.patch("merge", `${path}/db`, annotate), 200);
    assert.equal(at(annotated, "metadata", "generation"), 1);
  });

  proves("a ConfigMap has no generation", async (bench) => {
    const path = configMapsPath(await bench.namespace());
    const made = accepted(await bench.api.create(path, configMap("one")), 201);
    assert.equal(at(made, "metadata", "generation"), undefined);
  });

  proves("a Deployment's scale can be read and written", async (bench) => {
    const path = await still(bench);
    const scale = accepted(await bench.api.get(`${path}/scale`), 200);
    assert.deepEqual([scale["kind"], scale["apiVersion"]], ["Scale", "autoscaling/v1"]);
    assert.equal(textAt(scale, "status", "selector"), "app=web");
    await rescaled(bench, path, 3);
    const object = accepted(await bench.api.get(path), 200);
    assert.equal(at(object, "spec", "replicas"), 3);
  });

  proves("a scale can be patched", async (bench) => {
    const path = await still(bench);
    const patch = { spec: { replicas: 2 } };
    const scale = accepted(await bench.api.patch("merge", `${path}/scale`, patch), 200);
    assert.equal(at(scale, "spec", "replicas"), 2);
  });

  proves("a negative scale: 422", async (bench) => {
    const path = await still(bench);
    const patch = { spec: { replicas: -1 } };
    const reply = await bench.api.patch("merge", `${path}/scale`, patch);
    assert.deepEqual(refusalOf(reply), {
      code: 422,
      reason: "Invalid",
      fields: ["spec.replicas"],
    });
  });

  proves("a custom kind's scale follows its paths", async (bench) => {
    const { path } = await widget(bench);
    const patch = { spec: { replicas: 4 } };
    accepted(await bench.api.patch("merge", `${path}/scale`, patch), 200);
    const object = accepted(await bench.api.get(path), 200);
    assert.equal(numberAt(object, "spec", "replicas"), 4);
  });

  proves("a kind without a scale has none: 404", async (bench) => {
    const path = configMapsPath(await bench.namespace());
    accepted(await bench.api.create(path, configMap("one")), 201);
    assert.equal((await bench.api.get(`${path}/one/scale`)).code, 404);
  });

  proves("a status write of an old version: 409", async (bench) => {
    const { path, made } = await widget(bench);
    await bench.api.patch("merge", path, { spec: { note: "changed" } });
    const body = { ...made, status: { phase: "Late" } };
    const reply = await bench.api.update(`${path}/status`, body);
    assert.equal(refusalOf(reply).code, 409);
    assert.notEqual(versionOf(reply), versionOf(await bench.api.get(path)));
  });
}
