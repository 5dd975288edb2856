import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { SpokeIdentity } from "../../../spoke/domain/identity.ts";
import { openIdentity, type IdentityStore } from "../../../spoke/kube/identity.ts";
import { recordOf } from "../../../spoke/kube/json.ts";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import type { ScriptedReply, ScriptedRequest } from "../../support/scripted-api-server.ts";
import { openScripted, statusBody } from "./open-scripted.ts";

const { signal } = new AbortController();

suite("the spoke's identity in a Secret", () => {
  test("there is none at first, and then it is what was written, in another process too", async () => {
    await inCluster(async ({ open }) => {
      const identity = open();
      assert.equal(await identity.read(signal), undefined);
      await identity.write(young, signal);
      assert.deepEqual(await open().read(signal), young);
      await identity.write(enrolled, signal);
      assert.deepEqual(await open().read(signal), enrolled);
    });
  });

  test("a spoke that would overwrite another's identity is stopped", async () => {
    await inCluster(async ({ open }) => {
      const one = open();
      const two = open();
      await one.read(signal);
      await two.read(signal);
      await one.write(young, signal);
      await assert.rejects(
        two.write(enrolled, signal),
        (error) => error instanceof ApiServerUnavailable && /second spoke/.test(error.message),
      );
      await assert.rejects(two.write(enrolled, signal), ApiServerUnavailable);
      assert.deepEqual(await open().read(signal), young);
    });
  });

  test("a write whose answer was lost is found to have happened", async () => {
    await inCluster(async ({ open, loseAnswers }) => {
      const identity = open();
      await identity.read(signal);
      loseAnswers(true);
      await identity.write(young, signal);
      loseAnswers(false);
      await identity.write(enrolled, signal);
      assert.deepEqual(await open().read(signal), enrolled);
    });
  });

  test("a Secret without a key reads as no identity, and can be filled", async () => {
    await inCluster(async ({ open, put }) => {
      put({ metadata: { name: "wheelhouse-spoke-identity" }, data: {} });
      const identity = open();
      assert.equal(await identity.read(signal), undefined);
      await identity.write(young, signal);
      assert.deepEqual(await open().read(signal), young);
    });
  });

  test("trouble with the API server is trouble, never no identity", async () => {
    await using scripted = await openScripted(() => ({
      status: 403,
      body: statusBody(403, "Forbidden", "no"),
    }));
    await assert.rejects(
      openIdentity(scripted.api, "wheelhouse").read(signal),
      ApiServerUnavailable,
    );
  });
});

const young: SpokeIdentity = {
  privateKeyPem: "-----BEGIN PRIVATE KEY-----\nk\n-----END PRIVATE KEY-----\n",
  certificatePem: undefined,
  trustedPem: [],
  clusterId: "",
  clusterName: "",
  hubId: "",
};

const enrolled: SpokeIdentity = {
  ...young,
  certificatePem: "-----BEGIN CERTIFICATE-----\nc\n-----END CERTIFICATE-----\n",
  trustedPem: ["CA 1", "CA 2"],
  clusterId: "0f8fad5b-d9cb-469f-a165-70867728950e",
  clusterName: "prod-1",
  hubId: "hub-1",
};

type Stage = {
  readonly open: () => IdentityStore;
  readonly put: (secret: { readonly [field: string]: unknown }) => void;
  readonly loseAnswers: (lose: boolean) => void;
};

/** A server that holds one Secret, with the versions and refusals a real one would have. */
async function inCluster(story: (stage: Stage) => Promise<void>): Promise<void> {
  let secret: { readonly [field: string]: unknown } | undefined;
  let version = 0;
  let losing = false;

  function store(body: unknown): ScriptedReply {
    version += 1;
    const metadata = { ...recordOf(recordOf(body)["metadata"]), resourceVersion: String(version) };
    secret = { apiVersion: "v1", kind: "Secret", ...recordOf(body), metadata };
    return losing ? "reset" : { status: 200, body: secret };
  }
  function reply({ method, body }: ScriptedRequest): ScriptedReply {
    const current = recordOf(secret?.["metadata"])["resourceVersion"];
    switch (method) {
      case "GET":
        return secret === undefined ? { status: 404 } : { status: 200, body: secret };
      case "POST":
        return secret === undefined
          ? store(body)
          : { status: 409, body: statusBody(409, "AlreadyExists", "it already exists") };
      default:
        return recordOf(recordOf(body)["metadata"])["resourceVersion"] === current
          ? store(body)
          : { status: 409, body: statusBody(409, "Conflict", "it has been modified") };
    }
  }

  await using scripted = await openScripted(reply);
  await story({
    open: () => openIdentity(scripted.api, "wheelhouse"),
    put: (given) => void store(given),
    loseAnswers: (lose) => {
      losing = lose;
    },
  });
}
