import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import type { ResourceType } from "../../../spoke/domain/kube-object.ts";
import { applyObject, removeObject } from "../../../spoke/kube/apply.ts";
import type { Discovery } from "../../../spoke/kube/discovery.ts";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import type { ScriptedReply } from "../../support/scripted-api-server.ts";
import { openScripted, statusBody } from "./open-scripted.ts";

const { signal } = new AbortController();
const object = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop", uid: "old" },
  spec: { replicas: 1 },
};
const conflict = (...messages: readonly string[]): unknown =>
  statusBody(409, "Conflict", "Apply failed with 1 conflict", {
    causes: messages.map((message) => ({
      reason: "FieldManagerConflict",
      message,
      field: ".spec.replicas",
    })),
  });

suite("server-side apply over the wire", () => {
  test("the request says manager, force and strictness, and holds the cleaned object", async () => {
    await using scripted = await openScripted(() => ({ status: 201, body: object }));
    const options = { force: true, dryRun: false };
    await applyObject(scripted.api, discovery(), object, options, signal);
    await applyObject(scripted.api, discovery(), object, { force: false, dryRun: true }, signal);
    const [first, second] = scripted.server.requests;
    assert.equal(first?.path, "/apis/apps/v1/namespaces/shop/deployments/web");
    assert.equal(first.headers["content-type"], "application/apply-patch+yaml");
    assert.deepEqual(first.query, {
      fieldManager: "wheelhouse-spoke",
      fieldValidation: "Strict",
      force: "true",
    });
    assert.deepEqual(first.body, { ...object, metadata: { name: "web", namespace: "shop" } });
    assert.deepEqual(second?.query, {
      fieldManager: "wheelhouse-spoke",
      fieldValidation: "Strict",
      force: "false",
      dryRun: "All",
    });
    assert.deepEqual(scripted.counted, ["apply", "dry-run"]);
  });

  suite("an apply that must be new", () => {
    const mustBeNew = { force: true, dryRun: false, mustBeNew: true };
    const modified = (name: string, kind: string): ScriptedReply => ({
      status: 409,
      body: statusBody(409, "Conflict", "the object has been modified", { name, kind }),
    });

    test("names a version that nothing has", async () => {
      await using scripted = await openScripted(() => ({ status: 201, body: object }));
      await applyObject(scripted.api, discovery(), object, mustBeNew, signal);
      const metadata = { name: "web", namespace: "shop", resourceVersion: "1" };
      assert.deepEqual(scripted.server.requests[0]?.body, { ...object, metadata });
    });

    const outcomes: readonly (readonly [name: string, reply: ScriptedReply, kind: string])[] = [
      ["is refused for what is there", modified("web", "deployments"), "exists"],
      ["is in trouble when something else was changed", modified("web", "quotas"), "trouble"],
      [
        "is in trouble when another object was changed",
        modified("limits", "deployments"),
        "trouble",
      ],
      [
        "is not sure where the API server takes no version for what is new",
        {
          status: 400,
          body: statusBody(400, "BadRequest", "resourceVersion should not be set on new objects"),
        },
        "exists",
      ],
      [
        "is refused like any other",
        { status: 422, body: statusBody(422, "Invalid", "spec.replicas: Invalid value") },
        "rejected",
      ],
    ];
    for (const [name, reply, kind] of outcomes)
      test(name, async () => {
        await using scripted = await openScripted(() => reply);
        const outcome = await applyObject(
          scripted.api,
          discovery(),
          object,
          mustBeNew,
          signal,
        ).catch((error: unknown) => {
          assert.ok(error instanceof ApiServerUnavailable);
          return { kind: "trouble" };
        });
        assert.equal(outcome.kind, kind);
      });
  });

  const rows: readonly {
    readonly name: string;
    readonly reply: ScriptedReply;
    readonly expect: unknown;
  }[] = [
    {
      name: "201 is applied and created",
      reply: { status: 201, body: object },
      expect: { kind: "applied", created: true, object },
    },
    {
      name: "200 is applied",
      reply: { status: 200, body: object },
      expect: { kind: "applied", created: false, object },
    },
    {
      name: "a conflict names each manager once",
      reply: {
        status: 409,
        body: conflict(
          'conflict with "kubectl-edit" using apps/v1',
          'conflict with "kubectl-edit" using apps/v1',
          'conflict with "hpa" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z',
        ),
      },
      expect: {
        kind: "conflict",
        managers: ["kubectl-edit", "hpa"],
        message: "Apply failed with 1 conflict",
      },
    },
    {
      name: "a conflict without managers is a race, and trouble",
      reply: { status: 409, body: statusBody(409, "Conflict", "the object has been modified") },
      expect: "trouble",
    },
    {
      name: "a missing namespace is a refusal",
      reply: {
        status: 404,
        body: statusBody(404, "NotFound", 'namespaces "shop" not found', {
          name: "shop",
          kind: "namespaces",
        }),
      },
      expect: {
        kind: "rejected",
        status: 404,
        reason: "NotFound",
        message: 'namespaces "shop" not found',
      },
    },
    {
      name: "a missing path is an unknown kind",
      reply: {
        status: 404,
        body: statusBody(404, "NotFound", "the server could not find the requested resource", {}),
      },
      expect: {
        kind: "unknown-kind",
        message: "the API server no longer serves Deployment at apps/v1",
      },
    },
    {
      name: "a missing path in plain text is an unknown kind",
      reply: { status: 404, body: "404 page not found\n" },
      expect: {
        kind: "unknown-kind",
        message: "the API server no longer serves Deployment at apps/v1",
      },
    },
    ...[400, 403, 413, 422].map((status) => ({
      name: `${status} is a refusal with its reason`,
      reply: { status, body: statusBody(status, "Reason", "because") },
      expect: { kind: "rejected", status, reason: "Reason", message: "because" },
    })),
    {
      name: "a webhook that is away is trouble",
      reply: {
        status: 500,
        body: statusBody(500, "InternalError", 'failed calling webhook "policy.example.dev"'),
      },
      expect: "trouble",
    },
    {
      name: "an object too large for etcd is a refusal, though the server calls it its own fault",
      reply: { status: 500, body: statusBody(500, "", "etcdserver: request is too large") },
      expect: {
        kind: "rejected",
        status: 413,
        reason: "RequestEntityTooLarge",
        message: "etcdserver: request is too large",
      },
    },
    {
      name: "a field the kind does not have is a refusal, though the server calls it its own fault",
      reply: {
        status: 500,
        body: statusBody(
          500,
          "",
          "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema",
        ),
      },
      expect: {
        kind: "rejected",
        status: 500,
        reason: "Invalid",
        message:
          "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema",
      },
    },
    {
      name: "an answer that is no object is trouble",
      reply: { status: 200, body: "<html>" },
      expect: "trouble",
    },
  ];
  for (const { name, reply, expect } of rows) {
    test(name, async () => {
      await using scripted = await openScripted(() => reply);
      const options = { force: false, dryRun: false };
      const outcome = applyObject(scripted.api, discovery(), object, options, signal);
      if (expect === "trouble") await assert.rejects(outcome, ApiServerUnavailable);
      else assert.deepEqual(await outcome, expect);
    });
  }

  test("an object larger than the server reads is refused without asking", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: object }));
    const large = { ...object, spec: { text: "x".repeat(4 * 1024 * 1024) } };
    const options = { force: true, dryRun: false };
    const outcome = await applyObject(scripted.api, discovery(), large, options, signal);
    assert.partialDeepStrictEqual(outcome, { kind: "rejected", status: 413 });
    assert.equal(scripted.server.requests.length, 0);
  });

  test("whole numbers beyond a double go out exactly", async () => {
    let sent = "";
    await using scripted = await openScripted((request) => {
      sent = request.text;
      return { status: 200, body: object };
    });
    const exact = { ...object, spec: { serial: 12345678901234567890n } };
    const options = { force: true, dryRun: false };
    await applyObject(scripted.api, discovery(), exact, options, signal);
    assert.match(sent, /"serial":12345678901234567890\b/);
  });

  test("an unknown kind makes its group forgotten, so that the next try asks again", async () => {
    await using scripted = await openScripted(() => ({ status: 404, body: "404 page not found" }));
    const forgotten: string[] = [];
    const options = { force: true, dryRun: false };
    await applyObject(scripted.api, discovery(forgotten), object, options, signal);
    assert.deepEqual(forgotten, ["apps"]);
  });

  test("a kind served at another version only is an unknown kind that says where it is", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: object }));
    const old = { ...object, apiVersion: "apps/v1beta1" };
    const options = { force: true, dryRun: false };
    assert.deepEqual(await applyObject(scripted.api, discovery(), old, options, signal), {
      kind: "unknown-kind",
      message: "the API server serves no kind Deployment at apps/v1beta1; it serves it at apps/v1",
    });
  });
});

suite("delete over the wire", () => {
  const key = makeObjectKey({ group: "apps", kind: "Deployment", namespace: "shop", name: "web" });
  const options = { uid: "u-1", propagation: "Foreground" as const };

  test("the request states uid and propagation", async () => {
    await using scripted = await openScripted(() => ({ status: 200, body: object }));
    await removeObject(scripted.api, discovery(), key, options, signal);
    const [request] = scripted.server.requests;
    assert.equal(request?.method, "DELETE");
    assert.partialDeepStrictEqual(request.body, {
      kind: "DeleteOptions",
      propagationPolicy: "Foreground",
      preconditions: { uid: "u-1" },
    });
  });

  const uidMessage =
    "Operation cannot be fulfilled: StorageError: invalid object, Precondition failed: UID in precondition: u-1, UID in object meta: u-2";
  const rows: readonly {
    readonly name: string;
    readonly reply: ScriptedReply;
    readonly expect: unknown;
  }[] = [
    {
      name: "200 is removing",
      reply: { status: 200, body: object },
      expect: { kind: "removing" },
    },
    { name: "202 is removing", reply: { status: 202, body: {} }, expect: { kind: "removing" } },
    { name: "404 is absent", reply: { status: 404 }, expect: { kind: "absent" } },
    {
      name: "another uid is not ours",
      reply: { status: 409, body: statusBody(409, "Conflict", uidMessage) },
      expect: { kind: "not-ours" },
    },
    {
      name: "another conflict is trouble",
      reply: { status: 409, body: statusBody(409, "Conflict", "the namespace is being deleted") },
      expect: "trouble",
    },
    {
      name: "403 is a refusal",
      reply: { status: 403, body: statusBody(403, "Forbidden", "no") },
      expect: { kind: "rejected", status: 403, reason: "Forbidden", message: "no" },
    },
  ];
  for (const { name, reply, expect } of rows) {
    test(name, async () => {
      await using scripted = await openScripted(() => reply);
      const outcome = removeObject(scripted.api, discovery(), key, options, signal);
      if (expect === "trouble") await assert.rejects(outcome, ApiServerUnavailable);
      else assert.deepEqual(await outcome, expect);
    });
  }
});

const deployments: ResourceType = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
  verbs: [],
};

const discovery = (forgotten: string[] = []): Discovery => ({
  find: async (_group, _kind, version) =>
    version === "" || version === "v1" ? deployments : undefined,
  forget: (group) => void forgotten.push(group),
});
