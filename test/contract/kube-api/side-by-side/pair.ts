/** Two clusters that are sent the same requests. */
import { randomBytes } from "node:crypto";
import { eventually } from "../../../support/eventually.ts";
import { type JsonMap } from "../../../support/cluster/json.ts";
import { accepted, conditionStatus, definitionsPath } from "../bench.ts";
import { KubeClient } from "../client.ts";
import { differences, masked } from "./masked.ts";
import { play, stepText, type Script, type Step } from "./script.ts";

/** Where a script may write: the same names on both clusters, and nobody else's. */
export type Place = {
  readonly namespace: string;
  /** A custom kind with a structural schema, lists of every type, and a status of its own. */
  readonly widgets: string;
  readonly widgetVersion: string;
};

type Side = { readonly url: string; readonly caPem: string; readonly token: string };

export type Compared = {
  readonly requests: number;
  /** One text for each request that was answered differently. */
  readonly different: readonly string[];
};

export type Pair = {
  readonly compare: (name: string, steps: (place: Place) => readonly Step[]) => Promise<Compared>;
  readonly close: () => void;
};

/** Opens both and defines the custom kind on both. */
export async function openPair(simulated: Side, real: Side): Promise<Pair> {
  const sides = [new KubeClient(simulated), new KubeClient(real)] as const;
  const run = randomBytes(3).toString("hex");
  const group = `w${run}.example.com`;
  await Promise.all(sides.map((side) => defineWidgets(side, group)));
  let count = 0;
  return {
    compare: async (name, steps) => {
      count += 1;
      const namespace = `beside-${run}-${count}`;
      const script: Script = {
        name,
        steps: steps({
          namespace,
          widgets: `/apis/${group}/v1/namespaces/${namespace}/widgets`,
          widgetVersion: `${group}/v1`,
        }),
      };
      const answers = await Promise.all(
        sides.map(async (side) => {
          accepted(await side.create("/api/v1/namespaces", { metadata: { name: namespace } }), 201);
          return masked(await play(side, script.steps));
        }),
      );
      const [left = [], right = []] = answers;
      const different = script.steps.flatMap((step, index) => {
        const found = differences(left[index] ?? null, right[index] ?? null);
        return found.length === 0
          ? []
          : [`${name}, request ${index + 1}: ${stepText(step)}\n  ${found.join("\n  ")}`];
      });
      return { requests: script.steps.length, different };
    },
    close: () => {
      for (const side of sides) side.close();
    },
  };
}

const portSchema: JsonMap = {
  type: "object",
  required: ["port"],
  properties: {
    port: { type: "integer" },
    protocol: { type: "string", default: "TCP" },
    note: { type: "string" },
  },
};

const widgetSchema: JsonMap = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        size: { type: "integer", minimum: 1, maximum: 9 },
        color: { type: "string", enum: ["red", "green"], default: "green" },
        name: { type: "string", pattern: "^[a-z]+$", maxLength: 5 },
        ratio: { type: "number" },
        on: { type: "boolean" },
        ports: {
          type: "array",
          maxItems: 4,
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["port", "protocol"],
          items: portSchema,
        },
        tags: {
          type: "array",
          "x-kubernetes-list-type": "set",
          items: { type: "string" },
        },
        args: { type: "array", items: { type: "string" } },
        selector: {
          type: "object",
          "x-kubernetes-map-type": "atomic",
          additionalProperties: { type: "string" },
        },
        labels: { type: "object", additionalProperties: { type: "string" } },
        nested: {
          type: "object",
          default: {},
          properties: {
            a: { type: "string", default: "deep" },
            b: { type: "string", nullable: true },
          },
        },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        share: { "x-kubernetes-int-or-string": true },
      },
    },
    status: {
      type: "object",
      properties: {
        phase: { type: "string" },
        replicas: { type: "integer" },
        conditions: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["type"],
          items: {
            type: "object",
            required: ["type"],
            properties: { type: { type: "string" }, status: { type: "string" } },
          },
        },
      },
    },
  },
};

async function defineWidgets(side: KubeClient, group: string): Promise<void> {
  const name = `widgets.${group}`;
  const made = await side.create(definitionsPath, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: widgetSchema },
          subresources: { status: {} },
        },
      ],
    },
  });
  accepted(made, 201);
  await eventually(
    async () => {
      const found = accepted(await side.get(`${definitionsPath}/${name}`), 200);
      if (conditionStatus(found, "Established") !== "True") throw new Error("not established");
      accepted(await side.get(`/apis/${group}/v1/widgets`), 200);
    },
    { withinMs: 30_000, what: `${name} being served` },
  );
}
