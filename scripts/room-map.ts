/** Who may import whom, as data. `rooms.ts` walks the code and names the line that breaks a sentence below. */

export type Room = {
  readonly name: string;
  /** Path prefixes of the files in it; the longest prefix in the whole map wins. */
  readonly files: readonly string[];
  /** Path prefixes of ours it may import, besides itself. */
  readonly may: readonly string[];
  /** Packages that live here. */
  readonly packages: readonly string[];
  /** `all`, `none`, or those allowed. */
  readonly node: "all" | "none" | readonly string[];
  /** The sentence a violation is answered with. */
  readonly rule: string;
};

const domainMay = ["proto/words/", "proto/kit/result.ts", "proto/kit/unreachable.ts"];
const hubEdgeMay = ["proto/", "hub/domain/"];
const spokeEdgeMay = ["proto/", "spoke/domain/"];

export const rooms: readonly Room[] = [
  {
    name: "proto/kit",
    files: ["proto/kit/"],
    may: [],
    packages: [],
    node: "none",
    rule: "proto/kit holds tools without a domain: nothing of ours, no packages, no network or files",
  },
  {
    name: "proto/words",
    files: ["proto/words/"],
    may: ["proto/kit/"],
    packages: [],
    node: ["node:crypto"],
    rule: "proto/words is pure: only proto/kit, and node:crypto for hashing and ciphers",
  },
  {
    name: "proto/gen",
    files: ["proto/gen/"],
    may: [],
    packages: ["@bufbuild/protobuf"],
    node: "none",
    rule: "proto/gen is generated: only @bufbuild/protobuf",
  },
  {
    name: "proto/wire and proto/rpc",
    files: ["proto/wire/", "proto/rpc.ts"],
    may: ["proto/"],
    packages: ["@bufbuild/protobuf", "@grpc/grpc-js"],
    node: "none",
    rule: "wire meets words here: proto/gen, proto/words, protobuf and grpc-js",
  },
  ...(["hub", "spoke"] as const).flatMap((half): Room[] => [
    {
      name: `${half}/domain`,
      files: [`${half}/domain/`],
      may: domainMay,
      packages: [],
      node: "none",
      rule: "domain is pure: proto/words, result and unreachable; no clock, no chance, no I/O, no packages",
    },
    {
      name: `${half}/loops`,
      files: [`${half}/loops/`],
      may: [`${half}/domain/`, "proto/words/", "proto/kit/"],
      packages: [],
      node: "none",
      rule: "loops get their edges as parameters: only their domain, proto/words and proto/kit",
    },
    {
      name: `${half}/main and compose`,
      files: [`${half}/main.ts`, `${half}/compose.ts`, `${half}/compose/`],
      may: [`${half}/`, "proto/", "package.json"],
      packages: [],
      node: "all",
      rule: "main and compose know everything in their half and nothing of the other",
    },
    {
      name: `${half}/settings`,
      files: [`${half}/settings.ts`],
      may: ["proto/kit/", "proto/words/", `${half}/domain/`],
      packages: [],
      node: ["node:path"],
      rule: "settings turn words into typed values: proto/kit, proto/words and the domain",
    },
  ]),
  ...hubEdge("hub/git", ["hub/git/"], ["isomorphic-git", "js-yaml"]),
  ...hubEdge("hub/render", ["hub/render/"], []),
  ...hubEdge("hub/store", ["hub/store/"], ["kysely", "better-sqlite3"]),
  ...hubEdge("hub/link", ["hub/link/"], ["@grpc/grpc-js", "@peculiar/x509", "reflect-metadata"]),
  ...hubEdge("hub/http", ["hub/http/"], ["hono", "@hono/node-server", "@hono/zod-openapi"]),
  ...hubEdge("hub/log", ["hub/log.ts"], ["pino"]),
  ...hubEdge("hub/metrics", ["hub/metrics.ts"], ["prom-client"]),
  ...hubEdge("hub/watchdog", ["hub/watchdog.ts"], []),
  ...hubEdge("hub/transliterate", ["hub/transliterate.ts"], ["unidecode"]),
  {
    name: "hub/cli",
    files: ["hub/cli/"],
    may: ["proto/words/", "proto/kit/", "package.json", "hub/cli/import-argocd/"],
    packages: ["commander", "yaml"],
    node: "all",
    rule: "the command line is a client of the HTTP API, like anyone's",
  },
  {
    name: "hub/cli/import-argocd",
    files: ["hub/cli/import-argocd/"],
    may: [
      "hub/cli/",
      "hub/domain/",
      "hub/git/yaml.ts",
      "hub/transliterate.ts",
      "proto/words/",
      "proto/kit/",
    ],
    packages: ["yaml"],
    node: "all",
    rule: "the import asks no hub: it generates with the hub's own domain, and reads YAML as the hub does",
  },
  ...spokeEdge("spoke/link", ["spoke/link/"], ["@grpc/grpc-js"]),
  ...spokeEdge("spoke/kube", ["spoke/kube/"], ["@kubernetes/client-node", "js-yaml"]),
  ...spokeEdge("spoke/disk", ["spoke/disk/"], []),
  ...spokeEdge("spoke/http", ["spoke/http/"], []),
  ...spokeEdge("spoke/log and metrics", ["spoke/log.ts", "spoke/metrics.ts"], []),
  {
    name: "scripts",
    files: ["scripts/"],
    may: ["proto/kit/"],
    packages: ["esbuild"],
    node: "all",
    rule: "scripts use proto/kit; only the front door and the demo know more",
  },
  {
    name: "the front door",
    files: ["scripts/wheelhouse.ts"],
    may: ["hub/main.ts", "hub/cli/main.ts", "spoke/main.ts", "scripts/"],
    packages: [],
    node: "all",
    rule: "the front door only picks which main to run",
  },
  {
    name: "the demo",
    files: ["scripts/demo.ts", "scripts/demo/"],
    may: ["scripts/", "proto/kit/", "proto/words/", "test/support/", "spoke/main.ts"],
    packages: [],
    node: "all",
    rule: "the demo runs the real processes against the simulated world of test/support",
  },
  {
    name: "test",
    files: ["test/"],
    may: ["hub/", "spoke/", "proto/", "scripts/"],
    packages: ["*"],
    node: "all",
    rule: "tests may import anything",
  },
];

function hubEdge(name: string, files: readonly string[], packages: readonly string[]): Room[] {
  return [edge(name, files, packages, hubEdgeMay)];
}

function spokeEdge(name: string, files: readonly string[], packages: readonly string[]): Room[] {
  return [edge(name, files, packages, spokeEdgeMay)];
}

function edge(
  name: string,
  files: readonly string[],
  packages: readonly string[],
  may: readonly string[],
): Room {
  return {
    name,
    files,
    may,
    packages,
    node: "all",
    rule: `${name} is an edge: its half's domain, proto, and its own packages (${packages.join(", ") || "none"}); never another edge or a loop`,
  };
}
