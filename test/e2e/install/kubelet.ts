import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeClient, KubeJson } from "../../support/kube-client.ts";

/**
 * What a kubelet would do for the one container of a workload, on this machine: its volumes as folders below `root`,
 * its arguments and environment with paths mapped to them. Read from the API server, never from the chart.
 */
export type Launch = {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where a path of the container is here. */
  readonly here: (path: string) => string;
};

type PodSpec = {
  readonly serviceAccountName: string;
  readonly containers: readonly {
    readonly args: readonly string[];
    readonly env?: readonly { readonly name: string; readonly value: string }[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly secret?: {
      readonly secretName: string;
      readonly optional?: boolean;
      readonly items?: readonly { readonly key: string; readonly path: string }[];
    };
  }[];
};

export const podSpecOf = (workload: KubeJson): PodSpec =>
  (workload["spec"] as { readonly template: { readonly spec: PodSpec } }).template.spec;

export async function launchFor(
  kube: KubeClient,
  workload: KubeJson,
  root: string,
): Promise<Launch> {
  const { containers, volumes } = podSpecOf(workload);
  const [container] = containers;
  if (container === undefined) throw new Error("the workload has no container");
  const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
  const here = (text: string): string => {
    const mount = mounts.find((path) => text === path || text.startsWith(`${path}/`));
    return mount === undefined ? text : join(root, text);
  };
  const namespace = workload.metadata.namespace ?? "";
  for (const { name, mountPath } of container.volumeMounts) {
    const volume = volumes.find((one) => one.name === name);
    mkdirSync(here(mountPath), { recursive: true, mode: 0o700 });
    for (const [file, text] of await filesOf(kube, namespace, volume)) {
      // A settings file names paths of the container, as its arguments do: never scratch space, which a path of
      // this machine may well begin with.
      const mapped = mounts
        .filter((path) => path !== "/tmp")
        .reduce((so, path) => so.replaceAll(`"${path}`, `"${join(root, path)}`), text);
      writeFileSync(join(here(mountPath), file), mapped, { mode: 0o400 });
    }
  }
  return {
    words: container.args.map(here),
    environment: Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value])),
    here,
  };
}

async function filesOf(
  kube: KubeClient,
  namespace: string,
  volume: PodSpec["volumes"][number] | undefined,
): Promise<readonly (readonly [file: string, text: string])[]> {
  const core = `/api/v1/namespaces/${namespace}`;
  if (volume?.configMap !== undefined) {
    const map = await kube.get(`${core}/configmaps/${volume.configMap.name}`);
    return Object.entries((map?.["data"] ?? {}) as Record<string, string>);
  }
  if (volume?.secret === undefined) return [];
  const { secretName, optional, items } = volume.secret;
  const secret = await kube.get(`${core}/secrets/${secretName}`);
  if (secret === undefined) {
    if (optional === true) return [];
    throw new Error(`the pod would wait for Secret ${secretName}`);
  }
  const data = Object.entries((secret["data"] ?? {}) as Record<string, string>).map(
    ([key, text]) => [key, Buffer.from(text, "base64").toString("utf8")] as const,
  );
  if (items === undefined) return data;
  return items.map(({ key, path }) => {
    const found = data.find(([name]) => name === key);
    if (found === undefined) throw new Error(`Secret ${secretName} has no key ${key}`);
    return [path, found[1]] as const;
  });
}
