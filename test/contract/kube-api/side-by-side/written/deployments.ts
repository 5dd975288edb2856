import { deployment } from "../../bench.ts";
import { apply, get, patch, pathsIn, remove, update, type NamedSteps } from "./steps.ts";

/** What a Deployment says of itself besides its spec. */
export const deploymentScripts: readonly NamedSteps[] = [
  [
    "status of a Deployment",
    (place) => {
      const { web } = pathsIn(place);
      const time = "2020-01-01T00:00:00Z";
      const condition = {
        type: "Custom",
        status: "True",
        reason: "Here",
        message: "",
        lastUpdateTime: time,
        lastTransitionTime: time,
      };
      return [
        apply("a", web, deployment("web", { replicas: 0 })),
        patch("strategic", `${web}/status`, { status: { conditions: [condition] } }),
        patch("merge", `${web}/status`, {
          status: { observedGeneration: 1, replicas: 2 },
          spec: { replicas: 5 },
          metadata: { labels: { x: "1" }, annotations: { y: "1" } },
        }),
        patch("merge", `${web}/status`, { status: { surprise: 1 } }),
        apply("reporter", `${web}/status`, {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "web" },
          status: { replicas: 3 },
        }),
        apply(
          "reporter",
          `${web}/status`,
          {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name: "web" },
            status: { replicas: 3 },
          },
          { force: "true" },
        ),
        patch("merge", web, { status: { replicas: 9 } }),
        get(`${web}/status`),
      ];
    },
  ],
  [
    "generation of a Deployment",
    (place) => {
      const { web } = pathsIn(place);
      return [
        apply("a", web, deployment("web", { replicas: 0 })),
        patch("merge", web, { metadata: { labels: { x: "1" } } }),
        patch("merge", web, { metadata: { annotations: { x: "1" } } }),
        patch("merge", web, { spec: { replicas: 1 } }),
        patch("merge", web, { spec: { replicas: 1 } }),
        patch("merge", web, { spec: { paused: true } }),
        patch("merge", web, { spec: { paused: false } }),
        patch("merge", web, { metadata: { finalizers: ["example.com/hold"] } }),
        remove(web),
        remove(web),
        patch("merge", web, { metadata: { finalizers: null } }),
      ];
    },
  ],
  [
    "scale",
    (place) => {
      const { web } = pathsIn(place);
      return [
        apply("a", web, deployment("web", { replicas: 0, paused: true })),
        get(`${web}/scale`),
        update(`${web}/scale`, (was) => ({ ...was, spec: { replicas: 2 } })),
        get(web),
        patch("merge", `${web}/scale`, { spec: { replicas: 3 } }),
        patch("json", `${web}/scale`, [{ op: "replace", path: "/spec/replicas", value: 4 }]),
        patch("merge", `${web}/scale`, { spec: { replicas: -1 } }),
        apply(
          "scaler",
          `${web}/scale`,
          {
            apiVersion: "autoscaling/v1",
            kind: "Scale",
            metadata: { name: "web" },
            spec: { replicas: 7 },
          },
          { force: "true" },
        ),
        apply("a", web, deployment("web", { replicas: 0, paused: true })),
        get(web),
      ];
    },
  ],
];
