import type { V1Secret } from "@kubernetes/client-node";
import { isDeepStrictEqual } from "node:util";
import type { ResourceType } from "../domain/kube-object.ts";
import type { SpokeIdentity } from "../domain/identity.ts";
import { unexpectedAnswer, type Api, type ApiCall } from "./api.ts";
import { isKubeObject, listOf, textOf, textsOf } from "./json.ts";
import { callInOwnNamespace } from "./own-namespace.ts";
import { collectionPath, objectPath } from "./resource-path.ts";
import { ApiServerUnavailable } from "./trouble.ts";

export type IdentityStore = {
  /** `undefined` when this cluster has no spoke identity yet, or one that cannot be read. */
  readonly read: (signal: AbortSignal) => Promise<SpokeIdentity | undefined>;
  /**
   * Replaces what was last read or written here. Throws ApiServerUnavailable when somebody else wrote in
   * between, which two spokes in one cluster would do.
   */
  readonly write: (identity: SpokeIdentity, signal: AbortSignal) => Promise<void>;
};

const secretName = "wheelhouse-spoke-identity";

const secrets: ResourceType = {
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
  verbs: [],
};

/** The spoke's identity in a Secret of its own namespace. */
export function openIdentity(api: Api, namespace: string): IdentityStore {
  const path = objectPath(secrets, namespace, secretName);
  /** Of the Secret as last seen; `undefined` while there is none. */
  let resourceVersion: string | undefined;

  async function readSecret(
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const answer = await api.call({ verb: "get", method: "GET", path }, signal);
    if (answer.status === 404) {
      resourceVersion = undefined;
      return undefined;
    }
    if (answer.status !== 200 || !isKubeObject(answer.body))
      throw unexpectedAnswer(answer, `get of ${path}`);
    resourceVersion = answer.body.metadata.resourceVersion;
    return textsOf(answer.body["data"]);
  }

  return {
    read: async (signal) => {
      const data = await readSecret(signal);
      return data === undefined ? undefined : identityOf(data);
    },
    write: async (identity, signal) => {
      const data = dataOf(identity);
      const secret: V1Secret = {
        apiVersion: "v1",
        kind: "Secret",
        type: "Opaque",
        metadata: {
          name: secretName,
          namespace,
          labels: { "app.kubernetes.io/name": "wheelhouse-spoke" },
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
        data,
      };
      const body = JSON.stringify(secret);
      const call: ApiCall =
        resourceVersion === undefined
          ? { verb: "create", method: "POST", path: collectionPath(secrets, namespace), body }
          : { verb: "update", method: "PUT", path, body };
      const answer = await callInOwnNamespace(api, namespace, call, signal);
      if (answer.status === 409) {
        // Perhaps it was us, and only the answer to an earlier try was lost.
        const before = resourceVersion;
        const there = await readSecret(signal);
        if (there !== undefined && isDeepStrictEqual(there, data)) return;
        resourceVersion = before;
        throw new ApiServerUnavailable(
          `secret ${namespace}/${secretName} was changed by someone else; is there a second spoke in this cluster`,
          { status: 409 },
        );
      }
      if ((answer.status !== 200 && answer.status !== 201) || !isKubeObject(answer.body))
        throw unexpectedAnswer(answer, `${call.verb} of ${path}`);
      resourceVersion = answer.body.metadata.resourceVersion;
    },
  };
}

function dataOf(identity: SpokeIdentity): Readonly<Record<string, string>> {
  const texts = {
    "private-key.pem": identity.privateKeyPem,
    "certificate.pem": identity.certificatePem ?? "",
    "trusted.json": JSON.stringify(identity.trustedPem),
    "cluster-id": identity.clusterId,
    "cluster-name": identity.clusterName,
    "hub-id": identity.hubId,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      Buffer.from(text, "utf8").toString("base64"),
    ]),
  );
}

function identityOf(data: Readonly<Record<string, string>>): SpokeIdentity | undefined {
  const text = (name: string): string => Buffer.from(data[name] ?? "", "base64").toString("utf8");
  const privateKeyPem = text("private-key.pem");
  if (privateKeyPem === "") return undefined;
  return {
    privateKeyPem,
    certificatePem: text("certificate.pem") || undefined,
    trustedPem: readTrusted(text("trusted.json")),
    clusterId: text("cluster-id"),
    clusterName: text("cluster-name"),
    hubId: text("hub-id"),
  };
}

function readTrusted(text: string): readonly string[] {
  try {
    return listOf(JSON.parse(text))
      .map(textOf)
      .filter((pem) => pem !== "");
  } catch {
    return [];
  }
}
