import assert from "node:assert/strict";
import { at, without, type Json, type JsonMap } from "../../support/cluster/json.ts";
import { eventually } from "../../support/eventually.ts";
import {
  accepted,
  configMap,
  configMapsPath,
  container,
  deployment,
  deploymentsPath,
  messageOf,
  refusalOf,
  service,
  servicesPath,
  unique,
  type Cases,
} from "./bench.ts";

type Row = {
  readonly title: string;
  readonly path: (namespace: string) => string;
  readonly body: JsonMap;
  readonly fields: readonly string[];
  readonly message: RegExp;
};

const ingressesPath = (namespace: string): string =>
  `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`;

const job = (spec: JsonMap, pod: JsonMap = {}): JsonMap => ({
  metadata: { name: "job" },
  spec: {
    template: { spec: { restartPolicy: "Never", containers: [container()], ...pod } },
    ...spec,
  },
});

const jobsPath = (namespace: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs`;

const rows: readonly Row[] = [
  {
    title: "a name with capitals",
    path: configMapsPath,
    body: configMap("Upper"),
    fields: ["metadata.name"],
    message:
      /ConfigMap "Upper" is invalid: metadata\.name: Invalid value: "Upper": a lowercase RFC 1123 subdomain must consist of/,
  },
  {
    title: "a Service name with a dot",
    path: servicesPath,
    body: service("web.one"),
    fields: ["metadata.name"],
    message: /metadata\.name: Invalid value: "web\.one": must not contain dots$/,
  },
  {
    title: "no name at all",
    path: configMapsPath,
    body: { metadata: {} },
    fields: ["metadata.name"],
    message: /name or generateName is required/,
  },
  {
    title: "a label value with a space",
    path: configMapsPath,
    body: configMap("one", {}, { labels: { a: "b c" } }),
    fields: ["metadata.labels"],
    message: /Invalid value: "b c": a valid label must be/,
  },
  {
    title: "a label key with a space",
    path: configMapsPath,
    body: configMap("one", {}, { labels: { "a b": "c" } }),
    fields: ["metadata.labels"],
    message: /Invalid value: "a b": name part must consist of/,
  },
  {
    title: "a ConfigMap key with a slash",
    path: configMapsPath,
    body: configMap("one", { "a/b": "c" }),
    fields: ["data[a/b]"],
    message: /a valid config key must consist of/,
  },
  {
    title: "a selector that does not match the template",
    path: deploymentsPath,
    body: deployment("web", { selector: { matchLabels: { app: "other" } } }),
    fields: ["spec.template.metadata.labels"],
    message: /`selector` does not match template `labels`/,
  },
  {
    title: "a container without an image",
    path: deploymentsPath,
    body: deployment("web", {}, { containers: [{ name: "app" }] }),
    fields: ["spec.template.spec.containers[0].image"],
    message: /Required value/,
  },
  {
    title: "negative replicas",
    path: deploymentsPath,
    body: deployment("web", { replicas: -1 }),
    fields: ["spec.replicas"],
    message: /must be greater than or equal to 0/,
  },
  {
    title: "a strategy that nobody knows",
    path: deploymentsPath,
    body: deployment("web", { strategy: { type: "Magic" } }),
    fields: ["spec.strategy"],
    message:
      /Unsupported value: \{"Type":"Magic","RollingUpdate":null\}: supported values: "Recreate", "RollingUpdate"/,
  },
  {
    title: "a restart policy that Deployments do not allow",
    path: deploymentsPath,
    body: deployment("web", {}, { restartPolicy: "Never" }),
    fields: ["spec.template.spec.restartPolicy"],
    message: /Unsupported value: "Never": supported values: "Always"/,
  },
  {
    title: "a mount of a volume that is not there",
    path: deploymentsPath,
    body: deployment(
      "web",
      {},
      { containers: [container({ volumeMounts: [{ name: "none", mountPath: "/x" }] })] },
    ),
    fields: ["spec.template.spec.containers[0].volumeMounts[0].name"],
    message: /Not found: "none"/,
  },
  {
    title: "two containers of one name",
    path: deploymentsPath,
    body: deployment("web", {}, { containers: [container(), container()] }),
    fields: ["spec.template.spec.containers[1].name"],
    message: /Duplicate value: "app"/,
  },
  {
    title: "a container port beyond all ports",
    path: deploymentsPath,
    body: deployment("web", {}, { containers: [container({ ports: [{ containerPort: 70000 }] })] }),
    fields: ["spec.template.spec.containers[0].ports[0].containerPort"],
    message: /must be between 1 and 65535, inclusive/,
  },
  {
    title: "a Job that restarts for ever",
    path: jobsPath,
    body: job({}, { restartPolicy: "Always" }),
    fields: ["spec.template.spec.restartPolicy"],
    message: /(Required value: valid values: "OnFailure", "Never"|Unsupported value: "Always")/,
  },
  {
    title: "a Service without ports",
    path: servicesPath,
    body: service("web", { ports: [] }),
    fields: ["spec.ports"],
    message: /Required value/,
  },
  {
    title: "several Service ports without names",
    path: servicesPath,
    body: service("web", { ports: [{ port: 80 }, { port: 81 }] }),
    fields: ["spec.ports[0].name", "spec.ports[1].name"],
    message: /Required value/,
  },
  {
    title: "a Service type that nobody knows",
    path: servicesPath,
    body: service("web", { type: "Magic" }),
    fields: ["spec.type"],
    message: /Unsupported value: "Magic"/,
  },
  {
    title: "an Ingress without anything",
    path: ingressesPath,
    body: { metadata: { name: "web" }, spec: {} },
    fields: ["spec"],
    message: /either `defaultBackend` or `rules` must be specified/,
  },
  {
    title: "a RoleBinding to nothing",
    path: (namespace) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
    body: { metadata: { name: "one" }, roleRef: { kind: "Role", name: "" } },
    fields: ["roleRef.name"],
    message: /Required value/,
  },
];

export function validationCases(cases: Cases): void {
  for (const row of rows) {
    cases.proves(`${row.title}: 422`, async (bench) => {
      const reply = await bench.api.create(row.path(await bench.namespace()), row.body);
      assert.deepEqual(refusalOf(reply), { code: 422, reason: "Invalid", fields: row.fields });
      assert.match(messageOf(reply), row.message);
    });
  }
  details(cases);
  immutables(cases);
  decoding(cases);
  quotas(cases);
}

function details({ proves }: Cases): void {
  proves("a refusal's details name the object and each cause", async (bench) => {
    const body = deployment("web", { replicas: -1 });
    const reply = await bench.api.create(deploymentsPath(await bench.namespace()), body);
    assert.deepEqual(reply.body["details"], {
      name: "web",
      group: "apps",
      kind: "Deployment",
      causes: [
        {
          reason: "FieldValueInvalid",
          message: "Invalid value: -1: must be greater than or equal to 0",
          field: "spec.replicas",
        },
      ],
    });
    assert.equal(
      messageOf(reply),
      'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    );
  });

  proves("several causes are told together", async (bench) => {
    const body = service("web", { ports: [{ port: 80 }, { port: 0 }] });
    const reply = await bench.api.create(servicesPath(await bench.namespace()), body);
    assert.ok(refusalOf(reply).fields.length >= 3, reply.text);
    assert.match(messageOf(reply), /^Service "web" is invalid: \[spec\.ports/);
  });

  proves("annotations beyond 256 KiB: 422", async (bench) => {
    const annotations = { big: "x".repeat(270_000) };
    const reply = await bench.api.create(
      configMapsPath(await bench.namespace()),
      configMap("one", {}, { annotations }),
    );
    assert.deepEqual(refusalOf(reply).fields, ["metadata.annotations"]);
    assert.match(messageOf(reply), /Too long: may not be more than 262144 bytes/);
  });

  proves("a ConfigMap beyond 1 MiB: 422", async (bench) => {
    const reply = await bench.api.create(
      configMapsPath(await bench.namespace()),
      configMap("one", { big: "x".repeat(1_100_000) }),
    );
    assert.equal(reply.code, 422);
    assert.match(messageOf(reply), /Too long: may not be more than 1048576 bytes/);
  });

  proves("a dry run is validated as well", async (bench) => {
    const reply = await bench.api.create(
      configMapsPath(await bench.namespace()),
      configMap("Upper"),
      { dryRun: "All" },
    );
    assert.equal(reply.code, 422);
  });

  proves("a dryRun other than All: 422", async (bench) => {
    const reply = await bench.api.create(
      configMapsPath(await bench.namespace()),
      configMap("one"),
      { dryRun: "Some" },
    );
    assert.equal(reply.code, 422);
  });
}

type Change = {
  readonly title: string;
  readonly path: (namespace: string) => string;
  readonly body: JsonMap;
  readonly patch: Json;
  readonly field: string;
  readonly message: RegExp;
};

const changes: readonly Change[] = [
  {
    title: "a Deployment's selector",
    path: deploymentsPath,
    body: deployment("one", { replicas: 0 }),
    patch: {
      spec: {
        selector: { matchLabels: { app: "two" } },
        template: { metadata: { labels: { app: "two" } } },
      },
    },
    field: "spec.selector",
    message: /field is immutable/,
  },
  {
    title: "a Job's template",
    path: jobsPath,
    body: { ...job({ parallelism: 0 }), metadata: { name: "one" } },
    patch: { spec: { template: { spec: { containers: [container({ image: "other:2" })] } } } },
    field: "spec.template",
    message: /field is immutable/,
  },
  {
    title: "a Service's address",
    path: servicesPath,
    body: service("one"),
    patch: { spec: { clusterIP: "10.0.0.77" } },
    field: "spec.clusterIPs[0]",
    message: /may not change once set/,
  },
  {
    title: "a StatefulSet's service name",
    path: (namespace) => `/apis/apps/v1/namespaces/${namespace}/statefulsets`,
    body: { ...deployment("one", { replicas: 0, serviceName: "one" }), kind: "StatefulSet" },
    patch: { spec: { serviceName: "two" } },
    field: "spec",
    message: /updates to statefulset spec for fields other than .* are forbidden/,
  },
  {
    title: "a RoleBinding's role",
    path: (namespace) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
    body: { metadata: { name: "one" }, roleRef: { kind: "Role", name: "a" } },
    patch: { roleRef: { name: "b" } },
    field: "roleRef",
    message: /cannot change roleRef/,
  },
  {
    title: "an immutable ConfigMap's data",
    path: configMapsPath,
    body: { ...configMap("one", { a: "1" }), immutable: true },
    patch: { data: { a: "2" } },
    field: "data",
    message: /field is immutable when `immutable` is set/,
  },
  {
    title: "a Secret's type",
    path: (namespace) => `/api/v1/namespaces/${namespace}/secrets`,
    body: { metadata: { name: "one" }, type: "example.com/a" },
    patch: { type: "example.com/b" },
    field: "type",
    message: /field is immutable/,
  },
];

function immutables({ proves }: Cases): void {
  for (const { title, path, body, patch, field, message } of changes) {
    proves(`${title} cannot change: 422 naming ${field}`, async (bench) => {
      const collection = path(await bench.namespace());
      accepted(await bench.api.create(collection, body), 201);
      const reply = await bench.api.patch("merge", `${collection}/one`, patch);
      assert.equal(reply.code, 422, reply.text);
      assert.ok(refusalOf(reply).fields.includes(field), reply.text);
      assert.match(messageOf(reply), message);
    });
  }
}

function decoding({ proves }: Cases): void {
  proves("an unknown field is dropped, with a warning", async (bench) => {
    const path = deploymentsPath(await bench.namespace());
    const reply = await bench.api.create(path, deployment("web", { replicas: 0, surprise: 1 }));
    assert.equal(at(accepted(reply, 201), "spec", "surprise"), undefined);
    assert.match(String(reply.headers["warning"]), /unknown field \\"spec\.surprise\\"/);
  });

  proves("fieldValidation=Ignore drops it silently", async (bench) => {
    const path = deploymentsPath(await bench.namespace());
    const reply = await bench.api.create(path, deployment("web", { replicas: 0, surprise: 1 }), {
      fieldValidation: "Ignore",
    });
    accepted(reply, 201);
    assert.equal(reply.headers["warning"], undefined);
  });

  const strict: readonly (readonly [title: string, body: JsonMap, field: string])[] = [
    ["at the top", { ...deployment("web"), surprise: 1 }, "surprise"],
    ["in the spec", deployment("web", { surprise: 1 }), "spec.surprise"],
    [
      "in a container",
      deployment("web", {}, { containers: [container({ surprise: 1 })] }),
      "spec.template.spec.containers[0].surprise",
    ],
    [
      "in metadata",
      { ...deployment("web"), metadata: { name: "web", surprise: "1" } },
      "metadata.surprise",
    ],
  ];
  for (const [title, body, field] of strict) {
    proves(`fieldValidation=Strict refuses an unknown field ${title}: 400`, async (bench) => {
      const path = deploymentsPath(await bench.namespace());
      const reply = await bench.api.create(path, body, { fieldValidation: "Strict" });
      assert.deepEqual([reply.code, refusalOf(reply).reason], [400, "BadRequest"]);
      assert.equal(
        messageOf(reply),
        `Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "${field}"`,
      );
    });
  }

  proves("a value of the wrong type: 400", async (bench) => {
    const path = deploymentsPath(await bench.namespace());
    const reply = await bench.api.create(path, deployment("web", { replicas: "three" }));
    assert.deepEqual([reply.code, refusalOf(reply).reason], [400, "BadRequest"]);
    assert.match(
      messageOf(reply),
      /Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field .*spec\.replicas of type int32/,
    );
  });

  proves("a strict patch with an unknown field is refused by name", async (bench) => {
    const path = deploymentsPath(await bench.namespace());
    accepted(await bench.api.create(path, deployment("web", { replicas: 0 })), 201);
    const reply = await bench.api.patch(
      "merge",
      `${path}/web`,
      { spec: { surprise: 1 } },
      {
        fieldValidation: "Strict",
      },
    );
    assert.ok(reply.code === 400 || reply.code === 422, reply.text);
    assert.match(messageOf(reply), /unknown field/);
    assert.match(messageOf(reply), /spec\.surprise/);
  });
}

function quotas({ provesWithControllers }: Cases): void {
  provesWithControllers("a quota that is used up: 403 saying what is used", async (bench) => {
    const namespace = await bench.namespace();
    const quotaPath = `/api/v1/namespaces/${namespace}/resourcequotas`;
    const hard = { "count/secrets": "1", "count/services": "0" };
    const name = unique("quota");
    accepted(await bench.api.create(quotaPath, { metadata: { name }, spec: { hard } }), 201);
    await bench.until(`${quotaPath}/${name}`, (found) => {
      assert.deepEqual(at(found, "status", "used"), {
        "count/secrets": "0",
        "count/services": "0",
      });
    });
    // Who admits hears of a quota a little later than who asks for it.
    await eventually(async () => {
      const path = servicesPath(namespace);
      const refused = await bench.api.create(path, service("none"), { dryRun: "All" });
      assert.match(messageOf(refused), /exceeded quota/);
    });
    const secrets = `/api/v1/namespaces/${namespace}/secrets`;
    accepted(await bench.api.create(secrets, { metadata: { name: "one" } }), 201);
    const reply = await bench.api.create(secrets, { metadata: { name: "two" } });
    assert.equal(reply.code, 403);
    assert.equal(
      messageOf(reply),
      `secrets "two" is forbidden: exceeded quota: ${name}, requested: count/secrets=1, used: count/secrets=1, limited: count/secrets=1`,
    );
    assert.deepEqual(without(reply.body, "metadata", "message", "details", "apiVersion", "kind"), {
      status: "Failure",
      reason: "Forbidden",
      code: 403,
    });
  });
}
