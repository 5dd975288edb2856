/** Scripts made by chance: several managers at the same few objects, agreeing and quarrelling. */
import type { Json, JsonMap } from "../../../support/cluster/json.ts";
import { configMapsPath, container, deploymentsPath, servicesPath } from "../bench.ts";
import type { Query } from "../client.ts";
import type { Place } from "./pair.ts";
import type { Step, Verb } from "./script.ts";

/** In [0, 1). */
type Chance = () => number;

/** An object that scripts work at: where it is, and how one of its kind may look. */
type Subject = {
  readonly collection: string;
  readonly path: string;
  readonly verbs: readonly Verb[];
  readonly object: () => JsonMap;
  readonly patch: () => Json;
};

const everyVerb: readonly Verb[] = [
  ...(["apply", "apply", "apply", "apply", "merge", "merge", "strategic", "update"] as const),
  ...(["create", "delete", "get"] as const),
];

/** The same steps for the same chance. */
export function randomSteps(place: Place, chance: Chance, length: number): readonly Step[] {
  const pick = <T>(values: readonly [T, ...T[]]): T =>
    values[Math.floor(chance() * values.length)] ?? values[0];
  const maybe = (likelihood: number): boolean => chance() < likelihood;
  const subjects = [
    configMap(place, "one", pick, maybe),
    configMap(place, "two", pick, maybe),
    deployment(place, pick, maybe),
    service(place, pick, maybe),
    widget(place, pick, maybe),
  ] as const;
  // Few objects in one script, so that its requests meet.
  const chosen = [pick(subjects), pick(subjects)] as const;
  const steps: Step[] = [];
  while (steps.length < length) {
    const subject = pick(chosen);
    const [first = "get", ...others] = subject.verbs;
    steps.push(stepFor(subject, pick([first, ...others]), steps, pick, maybe));
  }
  return steps;
}

type Pick = <T>(values: readonly [T, ...T[]]) => T;
type Maybe = (likelihood: number) => boolean;

function stepFor(
  subject: Subject,
  verb: Verb,
  before: readonly Step[],
  pick: Pick,
  maybe: Maybe,
): Step {
  const { path, collection } = subject;
  const dryRun: Query = maybe(0.15) ? { dryRun: "All" } : {};
  const hand: Query = { fieldManager: pick(["hand", "other-hand"]), ...dryRun };
  switch (verb) {
    case "apply":
      return {
        verb,
        path,
        body: subject.object(),
        query: {
          fieldManager: pick(["a", "b", "c"]),
          ...(maybe(0.4) ? { force: "true" } : {}),
          ...dryRun,
        },
      };
    case "create":
      return { verb, path: collection, body: subject.object(), query: hand };
    case "merge":
    case "strategic":
      return { verb, path, body: subject.patch(), query: hand };
    case "update": {
      const wanted = subject.object();
      const positions = before.flatMap((step, index) => (step.path === path ? [index] : []));
      return {
        verb,
        path,
        query: hand,
        // Over what was last seen of it, as a client does that read it first.
        body: (earlier) => {
          const seen = positions
            .map((position) => earlier[position])
            .findLast((reply) => reply?.body["kind"] === wanted["kind"]);
          return {
            ...wanted,
            metadata: { ...asMap(seen?.body["metadata"]), ...asMap(wanted["metadata"]) },
          };
        },
      };
    }
    case "delete":
      // Trying to delete what only waits for its dependents is answered with an object without content.
      return {
        verb,
        path,
        query: {
          ...dryRun,
          propagationPolicy: pick([
            "Foreground",
            "Orphan",
            "dryRun" in dryRun ? "Foreground" : "Background",
          ]),
        },
      };
    default:
      return { verb: "get", path };
  }
}

const asMap = (value: Json | undefined): JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonMap) : {};

/** Some of the fields, each with a likelihood of its own. */
const some = (maybe: Maybe, fields: { readonly [field: string]: () => Json }): JsonMap =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([field, value]) => (maybe(0.5) ? [[field, value()]] : [])),
  );

const metadata = (name: string, pick: Pick, maybe: Maybe): JsonMap => ({
  name,
  ...some(maybe, {
    labels: () => some(maybe, { l: () => pick(["1", "2"]), m: () => "1" }),
    annotations: () => some(maybe, { n: () => pick(["1", "2", ""]) }),
  }),
  ...(maybe(0.1) ? { finalizers: [pick(["example.com/a", "example.com/b"])] } : {}),
});

const metadataPatch = (pick: Pick, maybe: Maybe): JsonMap =>
  some(maybe, {
    labels: () => pick<Json>([{ l: "hand" }, { l: null }, null]),
    finalizers: () => pick<Json>([null, []]),
  });

function configMap(place: Place, name: string, pick: Pick, maybe: Maybe): Subject {
  const collection = configMapsPath(place.namespace);
  const value = (): Json => pick(["1", "2", ""]);
  return {
    collection,
    path: `${collection}/${name}`,
    verbs: everyVerb,
    object: () => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadata(name, pick, maybe),
      ...some(maybe, { data: () => some(maybe, { a: value, b: value, c: value }) }),
    }),
    patch: () => ({
      metadata: metadataPatch(pick, maybe),
      ...some(maybe, { data: () => pick<Json>([{ a: "hand" }, { b: null, d: "1" }, null]) }),
    }),
  };
}

function deployment(place: Place, pick: Pick, maybe: Maybe): Subject {
  const collection = deploymentsPath(place.namespace);
  const image = (): Json => pick(["one:1", "two", "three:latest"]);
  const containers = (): Json => [
    ...(maybe(0.85)
      ? [
          container(
            some(maybe, {
              image,
              args: () => pick([["x"], ["y", "z"], []]),
              env: () => pick<Json>([[{ name: "A", value: "1" }], [{ name: "B", value: "" }], []]),
              ports: () => [
                { containerPort: 80, ...(maybe(0.5) ? { protocol: pick(["TCP", "UDP"]) } : {}) },
              ],
              resources: () => pick<Json>([{ limits: { cpu: "1000m" } }, {}]),
              imagePullPolicy: () => pick(["Always", "Never"]),
            }),
          ),
        ]
      : []),
    ...(maybe(0.3) ? [{ name: "side", image: image() }] : []),
  ];
  return {
    collection,
    path: `${collection}/web`,
    verbs: everyVerb,
    object: () => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: metadata("web", pick, maybe),
      spec: {
        selector: { matchLabels: { app: "web" } },
        ...some(maybe, {
          replicas: () => pick([0, 1, 2]),
          paused: () => pick([true, false]),
          minReadySeconds: () => pick([0, 5]),
          revisionHistoryLimit: () => pick([0, 10]),
          strategy: () =>
            pick<Json>([{ type: "Recreate" }, { rollingUpdate: { maxSurge: 1 } }, {}]),
        }),
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            containers: containers(),
            ...some(maybe, {
              volumes: () =>
                pick<Json>([
                  [{ name: "v", emptyDir: {} }],
                  [{ name: "v", configMap: { name: "one" } }],
                ]),
              terminationGracePeriodSeconds: () => pick([0, 30]),
              nodeSelector: () => pick<Json>([{ disk: "fast" }, {}]),
              securityContext: () => pick<Json>([{ runAsUser: 0 }, {}]),
            }),
          },
        },
      },
    }),
    patch: () => ({
      metadata: metadataPatch(pick, maybe),
      spec: some(maybe, {
        replicas: () => pick<Json>([3, null]),
        template: () => ({
          spec: { containers: pick<Json>([[container({ image: "hand:1" })], [container()]]) },
        }),
      }),
    }),
  };
}

function service(place: Place, pick: Pick, maybe: Maybe): Subject {
  const collection = servicesPath(place.namespace);
  return {
    collection,
    path: `${collection}/web`,
    verbs: everyVerb,
    object: () => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata("web", pick, maybe),
      spec: {
        ports: pick<Json>([
          [{ port: 80 }],
          [{ port: 80, targetPort: "http" }],
          [
            { name: "a", port: 80 },
            { name: "b", port: 81, protocol: "UDP" },
          ],
          [{ name: "a", port: 80, protocol: "TCP" }],
        ]),
        ...some(maybe, {
          selector: () => pick<Json>([{ app: "web" }, { app: "other", tier: "x" }]),
          sessionAffinity: () => pick(["None", "ClientIP"]),
          publishNotReadyAddresses: () => pick([true, false]),
        }),
      },
    }),
    patch: () => ({
      metadata: metadataPatch(pick, maybe),
      spec: some(maybe, {
        selector: () => pick<Json>([{ app: "hand" }, { tier: null }]),
        ports: () => [{ port: 90 }],
      }),
    }),
  };
}

function widget(place: Place, pick: Pick, maybe: Maybe): Subject {
  return {
    collection: place.widgets,
    path: `${place.widgets}/one`,
    verbs: everyVerb.filter((verb) => verb !== "strategic"),
    object: () => ({
      apiVersion: place.widgetVersion,
      kind: "Widget",
      // Empty maps in the metadata of custom objects cost a write later, which only versions show.
      metadata: {
        name: "one",
        ...some(maybe, { labels: () => pick<Json>([{ l: "1" }, { m: "1" }]) }),
      },
      ...some(maybe, {
        spec: () =>
          some(maybe, {
            size: () => pick([1, 2, 10]),
            color: () => pick(["red", "green"]),
            ports: () =>
              pick<Json>([
                [{ port: 80 }],
                [{ port: 80, protocol: "UDP", note: "x" }, { port: 81 }],
                [],
              ]),
            tags: () => pick<Json>([["a"], ["b", "a"], ["c"], []]),
            args: () => pick<Json>([["x"], ["y", "x"], []]),
            selector: () => pick<Json>([{ s: "1" }, { t: "1" }, {}]),
            labels: () => pick<Json>([{ l: "1" }, { m: "1", l: "2" }, {}]),
            nested: () => pick<Json>([{ a: "x" }, { b: "x" }, {}]),
            free: () => pick<Json>([{ x: { y: [1] } }, { x: { z: 1 } }, {}]),
            share: () => pick<Json>([1, "50%"]),
          }),
      }),
    }),
    patch: () => ({
      metadata: metadataPatch(pick, maybe),
      spec: some(maybe, {
        size: () => pick<Json>([3, null]),
        tags: () => pick<Json>([["hand"], null]),
        ports: () => pick<Json>([[{ port: 80, note: "hand" }], null]),
        free: () => pick<Json>([{ hand: true }, { x: null }]),
        nested: () => pick<Json>([null, { a: "hand" }]),
      }),
    }),
  };
}
