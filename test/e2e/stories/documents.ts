import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import type { ApplicationView, Fleet } from "../../support/fleet.ts";
import type { KubeClient } from "../../support/kube-client.ts";

/** Applications of a story, each with a folder and a namespace of its own name, and what the hub says of them. */

/** An Application document; its manifests are in `apps/NAME`. */
export const applicationFor = (
  name: string,
  cluster: string,
  namespace = name,
): Readonly<Record<string, string>> => ({
  [`fleet/${name}.yaml`]: `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  finalizers: [resources-finalizer.argocd.argoproj.io]
spec:
  project: default
  source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/${name}}
  destination: {name: ${cluster}, namespace: ${namespace}}
  syncPolicy:
    automated: {prune: true, selfHeal: true}
    syncOptions: [CreateNamespace=true]
`,
});

/** The manifests of an application, one file each. JSON, which is YAML. */
export const manifestsOf = (
  name: string,
  manifests: Readonly<Record<string, object | undefined>>,
): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    Object.entries(manifests).map(([file, manifest]) => [
      `apps/${name}/${file}.yaml`,
      manifest === undefined ? undefined : JSON.stringify(manifest),
    ]),
  );

export type StatusView = ApplicationView & {
  readonly status: {
    readonly operation?: { readonly phase: string; readonly message: string };
    readonly conditions: readonly { readonly code: string; readonly message: string }[];
  };
};

export const statusOf = async (fleet: Fleet, name: string): Promise<StatusView["status"]> =>
  (await fleet.api.get<StatusView>(`/v1/applications/${name}`)).status;

/** `CODE message`, one for each condition. */
export const conditionsOf = async (fleet: Fleet, name: string): Promise<readonly string[]> =>
  (await statusOf(fleet, name)).conditions.map(({ code, message }) => `${code} ${message}`);

/** A fleet of which a part has ended reaches no state any more. */
class PartEnded extends Error {}

function mustAllRun(fleet: Fleet): void {
  for (const { name, spoke } of fleet.members.values())
    if (!spoke.isRunning())
      throw new PartEnded(
        `the spoke of ${name} ended; its log ends with:\n${spoke.log().slice(-2_000)}`,
      );
  if (!fleet.hub.process.isRunning())
    throw new PartEnded(
      `the hub ended; its log ends with:\n${fleet.hub.process.log().slice(-2_000)}`,
    );
}

const giveUp = (error: unknown): boolean => error instanceof PartEnded;

/** Waits until the application's health is this, for this reason. */
export const becomes = async (
  fleet: Fleet,
  name: string,
  state: string,
  message: RegExp,
  withinMs = 60_000,
): Promise<StatusView["status"]> =>
  eventually(
    async () => {
      mustAllRun(fleet);
      const status = await statusOf(fleet, name);
      assert.deepEqual(
        [status.health.state, message.test(status.health.message)],
        [state, true],
        status.health.message,
      );
      return status;
    },
    { withinMs, everyMs: 100, what: `${name} ${state}`, giveUp },
  );

/** Waits until the application runs what this commit says, all of it applied and then seen Healthy. */
export const runs = async (
  fleet: Fleet,
  name: string,
  commit: string,
  withinMs = 90_000,
): Promise<StatusView> =>
  eventually(
    async () => {
      mustAllRun(fleet);
      const summary = await fleet.api.get<{ readonly published?: { readonly commit: string } }>(
        "/v1/fleet/summary",
      );
      assert.equal(summary.published?.commit, commit);
      const view = await fleet.api.get<StatusView>(`/v1/applications/${name}`);
      const { status, generation } = view;
      assert.deepEqual(
        [status.healthyGeneration, status.syncStatus, status.health.state],
        [generation, "Synced", "Healthy"],
        JSON.stringify(view),
      );
      return view;
    },
    { withinMs, everyMs: 100, what: `${name} running ${commit}`, giveUp },
  );

/** Has the application's repository looked at and its cluster compared, and waits until that is done. */
export async function refreshed(fleet: Fleet, name: string): Promise<void> {
  const { command } = await fleet.api.send<{ readonly command: { readonly id: string } }>(
    "POST",
    `/v1/applications/${name}/refresh`,
    {},
  );
  await eventually(
    async () => {
      mustAllRun(fleet);
      const { state, message } = await fleet.api.get<{
        readonly state: string;
        readonly message: string;
      }>(`/v1/commands/${command.id}`);
      assert.equal(state, "succeeded", message);
    },
    { withinMs: 30_000, what: `${name} refreshed`, giveUp },
  );
}

/** Throws when there is none. */
export async function mustGet(kube: KubeClient, path: string) {
  const object = await kube.get(path);
  if (object === undefined) throw new Error(`nothing is at ${path}`);
  return object;
}

const labels = (name: string) => ({ app: name });

const podTemplate = (name: string, pod: object) => ({
  metadata: { labels: labels(name) },
  spec: { containers: [{ name: "main", image: `shop/${name}:1` }], ...pod },
});

export const image = (text: string) => ({ containers: [{ name: "main", image: text }] });

export const workload = (
  kind: "Deployment" | "StatefulSet" | "DaemonSet",
  name: string,
  { pod = {}, ...spec }: { readonly pod?: object; readonly [field: string]: unknown } = {},
) => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name },
  spec: {
    selector: { matchLabels: labels(name) },
    template: podTemplate(name, pod),
    ...(kind === "StatefulSet" ? { serviceName: name } : {}),
    ...spec,
  },
});

export const job = (name: string, pod: object = {}) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: {
    backoffLimit: 0,
    template: podTemplate(name, { restartPolicy: "Never", ...pod }),
  },
});

export const cronJob = (name: string) => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name },
  spec: {
    schedule: "0 4 1 1 *",
    jobTemplate: { spec: { template: podTemplate(name, { restartPolicy: "Never" }) } },
  },
});

export const configMap = (
  name: string,
  data: Readonly<Record<string, string>>,
  metadata: object = {},
) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data });

export const namespaceOf = (name: string) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name },
});

/** A kind of its own, `Widget`, that a bundle may bring along with its first object. */
export const widgetDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { kind: "Widget", listKind: "WidgetList", plural: "widgets", singular: "widget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: { type: "object", properties: { size: { type: "integer" } } },
            },
          },
        },
      },
    ],
  },
};

export const widget = (name: string, size: number) => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name },
  spec: { size },
});
