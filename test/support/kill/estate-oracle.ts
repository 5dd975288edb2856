import assert from "node:assert/strict";
import type { KubeClient, KubeJson } from "../kube-client.ts";
import {
  allowedBy,
  estateLists,
  estateNamespace,
  jobOf,
  namespacePath,
  pathsAfter,
} from "./estate.ts";
import type { SeenRequest } from "./request-proxy.ts";

/**
 * Judges one cluster's estate from outside: by what its API server holds, and by what the spoke was seen to
 * ask of it. Keeps the uid every object was first seen with.
 */
export type EstateOracle = {
  /**
   * Throws unless the cluster holds exactly what this round says, and nothing happened on the way that Git did not ask
   * for. Kubernetes promises one pod of a Job unless its controllers were `cutOff` from the API server: one whose
   * request to make a pod was never answered makes another.
   */
  readonly check: (round: number, controllers?: Controllers) => Promise<void>;
  /** How many objects are there that this round no longer has. */
  readonly leftovers: (round: number) => Promise<number>;
  /** Throws when anything was created twice, or deleted without Git having removed it; the estate may be under way. */
  readonly checkSoFar: (round: number) => Promise<void>;
};

export type Controllers = "at-work" | "cut-off";

export function estateOracle(
  name: string,
  kube: KubeClient,
  seen: () => readonly SeenRequest[],
): EstateOracle {
  const uids = new Map<string, string>();

  async function objectsNow(): Promise<ReadonlyMap<string, KubeJson>> {
    const found = new Map<string, KubeJson>();
    const namespace = await kube.get(namespacePath);
    if (namespace === undefined) return found;
    found.set(namespacePath, namespace);
    for (const list of Object.values(estateLists))
      for (const object of await kube.list(list))
        if (!isTheClusters(object)) found.set(`${list}/${object.metadata.name}`, object);
    return found;
  }

  /** No object may be another than the one that was first seen under its name: names of passing ones never come back. */
  function checkUids(objects: ReadonlyMap<string, KubeJson>): void {
    for (const [path, { metadata }] of objects) {
      const first = uids.get(path);
      if (first === undefined) uids.set(path, metadata.uid);
      else assert.equal(metadata.uid, first, `${name}: ${path} was deleted and made again`);
    }
  }

  function checkRequests(round: number): void {
    const { creatable, deletable } = allowedBy(round);
    const created = new Map<string, number>();
    for (const request of seen()) {
      if (!isEstates(request.path)) continue;
      if (isCreation(request)) created.set(request.path, (created.get(request.path) ?? 0) + 1);
      if (request.method === "DELETE")
        assert.ok(
          deletable.has(request.path),
          `${name}: ${request.path} was deleted, and Git has not removed it`,
        );
    }
    for (const [path, times] of created) {
      assert.ok(creatable.has(path), `${name}: ${path} was created, and Git never had it`);
      assert.equal(times, 1, `${name}: ${path} was created ${times} times`);
    }
  }

  return {
    leftovers: async (round) => {
      const { deletable } = allowedBy(round);
      return [...(await objectsNow()).keys()].filter((path) => deletable.has(path)).length;
    },
    checkSoFar: async (round) => {
      checkUids(await objectsNow());
      checkRequests(round);
    },
    check: async (round, controllers = "at-work") => {
      const objects = await objectsNow();
      const leaving = new Set(
        [...objects].flatMap(([path, { metadata }]) =>
          metadata.deletionTimestamp === undefined ? [] : [path],
        ),
      );
      assert.deepEqual(
        [...objects.keys()].filter((path) => !leaving.has(path)).toSorted(),
        [namespacePath, ...pathsAfter(round)].toSorted(),
        `${name}: objects after round ${round}`,
      );
      for (const [path, object] of objects)
        if (path !== namespacePath && !leaving.has(path) && !path.includes("/jobs/"))
          assert.equal(roundIn(path, object), String(round), `${name}: round of ${path}`);
      checkUids(objects);
      checkRequests(round);
      await checkJob(round, controllers);
    },
  };

  async function checkJob(round: number, controllers: Controllers): Promise<void> {
    const job = jobOf(round);
    const uid = uids.get(`${estateLists["jobs"] ?? ""}/${job}`);
    const pods = await kube.list(
      `/api/v1/namespaces/${estateNamespace}/pods?labelSelector=job-name%3D${job}`,
    );
    for (const { metadata } of pods)
      assert.deepEqual(
        metadata.ownerReferences?.map((owner) => owner.uid),
        [uid],
        `${name}: owners of pod ${metadata.name} of job ${job}`,
      );
    const most = controllers === "at-work" ? 1 : 2;
    assert.ok(
      pods.length >= 1 && pods.length <= most,
      `${name}: job ${job} has ${pods.length} pods`,
    );
  }
}

/** What was asked of the estate's objects but to be read, as `METHOD path`. */
export const changesAskedOf = (requests: readonly SeenRequest[]): readonly string[] =>
  requests
    .filter(({ method, path }) => method !== "GET" && isEstates(path))
    .map(({ method, path }) => `${method} ${path}`);

const isEstates = (path: string): boolean =>
  path === namespacePath || Object.values(estateLists).some((list) => path.startsWith(`${list}/`));

/** Server-side apply answers 201 when it made the object. */
const isCreation = ({ method, status, query }: SeenRequest): boolean =>
  (method === "PATCH" || method === "POST") && status === 201 && !query.has("dryRun");

/** Put into every namespace by the cluster itself. */
const isTheClusters = ({ metadata }: KubeJson): boolean =>
  metadata.name === "kube-root-ca.crt" || metadata.name === "default";

function roundIn(path: string, { metadata, ...fields }: KubeJson): string | undefined {
  const annotated = metadata.annotations?.["example.org/round"];
  if (annotated !== undefined) return annotated;
  const round = (fields["data"] as { readonly round?: string } | undefined)?.round;
  return path.includes("/secrets/") && round !== undefined
    ? Buffer.from(round, "base64").toString()
    : round;
}
