import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { suite } from "node:test";
import { load } from "js-yaml";
import { whyNoTool } from "../support/control-plane/binaries.ts";
import { chartFolder, render, type ChartName } from "../support/helm.ts";
import { gatewayKinds, hubValues, spokeValues } from "./values.ts";

type Tree = { readonly [name: string]: unknown };

const refusals: readonly (readonly [ChartName, name: string, values: Tree, says: RegExp])[] = [
  ["wheelhouse-spoke", "an unknown value", { colour: "red" }, /'colour' not allowed/],
  [
    "wheelhouse-spoke",
    "an unknown value further in",
    { hub: { addres: "a:1" } },
    /'\/hub'.*'addres' not allowed/,
  ],
  [
    "wheelhouse-spoke",
    "a hub without a port",
    { hub: { address: "hub.example" } },
    /'\/hub\/address'/,
  ],
  ["wheelhouse-spoke", "no hub at all", { hub: { address: "" } }, /hub\.address is required/],
  [
    "wheelhouse-spoke",
    "half a fingerprint",
    { hub: { address: "h:1", fingerprint: "sha256:ab" } },
    /'\/hub\/fingerprint'/,
  ],
  [
    "wheelhouse-spoke",
    "a token without a fingerprint",
    { hub: { address: "h:1", fingerprint: "" } },
    /hub\.fingerprint is required/,
  ],
  [
    "wheelhouse-spoke",
    "a token twice",
    { join: { existingSecret: "x" } },
    /join\.token and join\.existingSecret exclude/,
  ],
  ["wheelhouse-spoke", "a token that is none", { join: { token: "secret" } }, /'\/join\/token'/],
  ["wheelhouse-spoke", "a preset nobody knows", { role: { preset: "wide" } }, /'\/role\/preset'/],
  [
    "wheelhouse-spoke",
    "the preset namespaces without any",
    { role: { preset: "namespaces" } },
    /role\.namespaces is required/,
  ],
  [
    "wheelhouse-spoke",
    "namespaces with the preset cluster",
    { role: { namespaces: ["a"] } },
    /role\.namespaces goes with role\.preset=namespaces/,
  ],
  [
    "wheelhouse-spoke",
    "a namespace that cannot be",
    { role: { namespaces: ["A_b"] } },
    /'\/role\/namespaces\/0'/,
  ],
  [
    "wheelhouse-spoke",
    "every group at once",
    { role: { customResourceGroups: ["*"] } },
    /'\/role\/customResourceGroups\/0'/,
  ],
  [
    "wheelhouse-spoke",
    "an account without a namespace",
    { role: { impersonate: [{ name: "x" }] } },
    /'\/role\/impersonate\/0'.*namespace/,
  ],
  [
    "wheelhouse-spoke",
    "a system user to act as",
    { role: { impersonate: [{ namespace: "a", name: "system:admin" }] } },
    /'\/role\/impersonate\/0\/name'/,
  ],
  ["wheelhouse-spoke", "text for a number", { syncsAtOnce: "four" }, /'\/syncsAtOnce'/],
  ["wheelhouse-spoke", "a number out of range", { syncsAtOnce: 65 }, /'\/syncsAtOnce'/],
  [
    "wheelhouse-spoke",
    "an address of one pod for all of them",
    { listenOn: "10.0.0.7" },
    /'\/listenOn'/,
  ],
  [
    "wheelhouse-spoke",
    "a monitor where nothing serves one",
    { serviceMonitor: { enabled: true } },
    /serviceMonitor\.enabled needs the Prometheus operator/,
  ],
  ["wheelhouse-hub", "an unknown value", { replicas: 2 }, /'replicas' not allowed/],
  [
    "wheelhouse-hub",
    "no fleet repository",
    { fleet: { repository: "" } },
    /fleet\.repository is required/,
  ],
  [
    "wheelhouse-hub",
    "a repository with a password",
    { fleet: { repository: "https://u:p@git.example/f" } },
    /'\/fleet\/repository'/,
  ],
  [
    "wheelhouse-hub",
    "a repository by ssh",
    { fleet: { repository: "git@git.example:f" } },
    /'\/fleet\/repository'/,
  ],
  [
    "wheelhouse-hub",
    "a failure that costs something else",
    { applicationSets: { generationFailure: "fleet" } },
    /'\/applicationSets\/generationFailure'/,
  ],
  [
    "wheelhouse-hub",
    "a dialect nobody speaks",
    { applicationSets: { gitFileDialect: "regex" } },
    /'\/applicationSets\/gitFileDialect'/,
  ],
  [
    "wheelhouse-hub",
    "sets without measure",
    { applicationSets: { elementsMost: 1_000_000 } },
    /'\/applicationSets\/elementsMost'/,
  ],
  ["wheelhouse-hub", "a host for an address", { listenOn: "hub.example" }, /'\/listenOn'/],
  ["wheelhouse-hub", "a time without a unit", { git: { pollEvery: "30" } }, /'\/git\/pollEvery'/],
  ["wheelhouse-hub", "a number for a time", { commandLife: 3600 }, /'\/commandLife'/],
  [
    "wheelhouse-hub",
    "a credential without a key",
    { repositoryCredentials: [{ urlPrefix: "https://x", existingSecret: "s" }] },
    /'\/repositoryCredentials\/0'.*key/,
  ],
  [
    "wheelhouse-hub",
    "an Ingress that would end the link's TLS",
    { link: { ingress: { enabled: true } } },
    /link\.ingress\.annotations must make the controller pass TLS through/,
  ],
  [
    "wheelhouse-hub",
    "a TLSRoute where nothing serves one",
    { link: { tlsRoute: { enabled: true, parentRefs: [{ name: "x" }] } } },
    /link\.tlsRoute\.enabled needs the Gateway API/,
  ],
  [
    "wheelhouse-hub",
    "an HTTPRoute where nothing serves one",
    { http: { httpRoute: { enabled: true, parentRefs: [{ name: "x" }] } } },
    /http\.httpRoute\.enabled needs the Gateway API/,
  ],
  [
    "wheelhouse-hub",
    "an API host that is missing",
    { http: { ingress: { enabled: true } } },
    /http\.ingress\.host is required/,
  ],
  [
    "wheelhouse-hub",
    "a volume without a size",
    { persistence: { size: "large" } },
    /'\/persistence\/size'/,
  ],
];

const good: Readonly<Record<ChartName, Tree>> = {
  "wheelhouse-spoke": spokeValues.cluster,
  "wheelhouse-hub": hubValues.least,
};

suite("values that are refused", { skip: whyNoTool("helm") }, () => {
  for (const [chart, name, values, says] of refusals)
    test(`${chart}: ${name}`, async () => {
      await assert.rejects(render(chart, merged(good[chart], values)), ({ stderr }) => {
        assert.match(String(stderr).replaceAll("\n", " "), says);
        return true;
      });
    });

  test("a monitor of a hub whose metrics are closed needs a token", async () => {
    const values = { ...hubValues.least, serviceMonitor: { enabled: true } };
    await assert.rejects(
      render("wheelhouse-hub", values, { serves: gatewayKinds }),
      /serviceMonitor\.tokenSecret\.name is required/,
    );
  });
});

suite("values", () => {
  for (const chart of ["wheelhouse-hub", "wheelhouse-spoke"] as const) {
    const text = readFileSync(join(chartFolder(chart), "values.yaml"), "utf8");
    const schema = JSON.parse(
      readFileSync(join(chartFolder(chart), "values.schema.json"), "utf8"),
    ) as SchemaNode;

    test(`${chart}: every value has a comment above it`, () => {
      const lines = text.split("\n");
      const bare = lines.filter((line, index) => {
        const isLeaf = /^ *[A-Za-z]\w*: *\S/.test(line);
        return isLeaf && !/^ *#/.test(lines[index - 1] ?? "");
      });
      assert.deepEqual(bare, []);
    });

    test(`${chart}: the schema names every value, and no other`, () => {
      const given = leavesOf(load(text) as Tree, schema).toSorted();
      const named = namesOf(schema, schema)
        .filter((name) => name !== "global")
        .toSorted();
      assert.deepEqual(given, named);
    });

    test(`${chart}: no object of the schema takes names it does not list, but free maps`, () => {
      const loose: string[] = [];
      walk(schema, "", (node, path) => {
        if (node.properties !== undefined && node.additionalProperties !== false) loose.push(path);
      });
      assert.deepEqual(loose, []);
    });
  }
});

type SchemaNode = {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: boolean | SchemaNode;
};

function walk(node: SchemaNode, path: string, visit: (node: SchemaNode, path: string) => void) {
  visit(node, path);
  const children = { ...node.$defs, ...node.properties, ...(node.items && { items: node.items }) };
  for (const [name, child] of Object.entries(children)) walk(child, `${path}/${name}`, visit);
}

const resolved = (node: SchemaNode, root: SchemaNode): SchemaNode => {
  const name = node.$ref?.replace("#/$defs/", "");
  return name === undefined ? node : (root.$defs?.[name] ?? node);
};

/** Dotted names of everything the schema lists, down to what is a value. */
const namesOf = (node: SchemaNode, root: SchemaNode, prefix = ""): readonly string[] =>
  Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const inner = resolved(child, root);
    const path = `${prefix}${name}`;
    return inner.properties === undefined ? [path] : namesOf(inner, root, `${path}.`);
  });

/** The same of what values.yaml sets, as deep as the schema goes. */
const leavesOf = (values: Tree, schema: SchemaNode): readonly string[] => {
  const visit = (tree: Tree, node: SchemaNode | undefined, prefix: string): readonly string[] =>
    Object.entries(tree).flatMap(([name, value]) => {
      const child = node?.properties?.[name];
      const inner = child === undefined ? undefined : resolved(child, schema);
      const path = `${prefix}${name}`;
      // `resources` is written with requests and limits, and its schema goes as deep.
      return inner?.properties === undefined ? [path] : visit(value as Tree, inner, `${path}.`);
    });
  return visit(values, schema, "");
};

function merged(base: Tree, change: Tree): Tree {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(change)) {
    const before = result[name];
    result[name] = isTree(value) && isTree(before) ? merged(before, value) : value;
  }
  return result;
}

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);
