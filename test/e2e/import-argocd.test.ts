import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { after, before, suite } from "node:test";
import { parseOne } from "../../hub/git/yaml.ts";
import { runWith, type Run } from "../hub/cli/fixture.ts";
import { startSimulatedCluster, type SimulatedCluster } from "../support/cluster/server.ts";
import { toolPath, whyNoTool } from "../support/control-plane/binaries.ts";
import { eventually } from "../support/eventually.ts";
import { startFleet, type Fleet } from "../support/fleet.ts";
import { kubectl } from "../support/kubectl.ts";

type Item = {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly ownerReferences?: readonly { readonly name: string }[];
  };
  readonly spec: {
    readonly project: string;
    readonly source: { readonly path?: string };
    readonly destination: { readonly server?: string; readonly name?: string };
  };
};

type Shown = {
  readonly name: string;
  readonly project: string;
  readonly source: { readonly path: string };
  readonly destination: { readonly server: string; readonly name: string };
  readonly cluster?: string;
};

/** The export of the command's own tests, whose fleet repository is the one that is served here. */
const exported = (repositoryUrl: string): string =>
  readFileSync(
    join(import.meta.dirname, "../hub/cli/import-argocd/export.yaml"),
    "utf8",
  ).replaceAll("https://git.example/fleet.git", repositoryUrl);

const itemsOf = (text: string): readonly Item[] => {
  const read = parseOne(text);
  assert.ok(read.ok);
  return (read.value as unknown as { readonly items: readonly Item[] }).items;
};

const filesBelow = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(folder.length + 1), readFileSync(file, "utf8")]),
  );

suite("moving from Argo CD", () => {
  let folder: string;
  let fleet: Fleet;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "wheelhouse-import-"));
    fleet = await startFleet({
      clusters: {},
      files: {
        "fleet/README.md": "Nothing yet.\n",
        "addons/dns/all.yaml": "",
        "addons/metrics/all.yaml": "",
        "addons/draft/all.yaml": "",
      },
    });
  });
  after(async () => {
    await fleet?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const wheelhouse = (words: readonly string[]): Promise<Run> =>
    runWith(words, {}, { WH_SERVER: fleet.hub.url, WH_TOKEN: fleet.hub.adminToken });

  test("what is imported and pushed generates what Argo CD had", async () => {
    const text = exported(fleet.repositoryUrl);
    const from = join(folder, "export.yaml");
    const to = join(folder, "to");
    const clone = join(folder, "clone");
    writeFileSync(from, text);
    for (const name of ["dns", "metrics", "draft"]) {
      const file = join(clone, "addons", name, "all.yaml");
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "");
    }
    const words = ["--from", from, "--to", to, "--checkout", `${fleet.repositoryUrl}=${clone}`];
    const imported = await wheelhouse(["import", "argocd", ...words]);
    assert.match(imported.stdout, /\*\*addons\*\*: 4 Applications, the same as in Argo CD/);

    // Every line of clusters.sh, as a shell would run it: nothing in this one is quoted.
    const { "clusters.sh": script = "", ...files } = filesBelow(to);
    for (const line of script.split("\n").filter((one) => one.startsWith("wheelhouse "))) {
      const added = await wheelhouse([...line.split(" ").slice(1), "-o", "name"]);
      assert.equal(added.code, 0, added.stderr);
    }
    await fleet.push(files, "from Argo CD");

    // Those of pull requests are asked of a service; all others are the same.
    const wanted = itemsOf(text)
      .filter(({ kind }) => kind === "Application")
      .filter(({ metadata }) => metadata.ownerReferences?.[0]?.name !== "previews")
      .map(({ metadata, spec: { project, source, destination } }) => ({
        name: metadata.name,
        project,
        path: source.path ?? "",
        server: destination.server ?? "",
        cluster: destination.name ?? "",
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    assert.equal(wanted.length, 9);
    await eventually(
      async () => {
        const names = (await fleet.api.all<Shown>("/v1/applications")).map(({ name }) => name);
        const shown = await Promise.all(
          names.toSorted().map((name) => fleet.api.get<Shown>(`/v1/applications/${name}`)),
        );
        assert.deepEqual(
          shown.map(({ name, project, source, destination }) => ({
            name,
            project,
            path: source.path,
            server: destination.server,
            cluster: destination.name,
          })),
          wanted,
        );
      },
      { withinMs: 30_000 },
    );
    const placed = await fleet.api.all<Shown>("/v1/applications");
    const clusterOf = new Map(placed.map(({ name, cluster }) => [name, cluster]));
    assert.equal(clusterOf.get("shop-prod-eu"), "prod-eu");
    assert.equal(clusterOf.get("dns-prod-us"), "prod-us");
    assert.equal(clusterOf.get("shop-dev"), "dev");
  });
});

const definition = (kind: string, plural: string): object => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.argoproj.io` },
  spec: {
    group: "argoproj.io",
    scope: "Namespaced",
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    versions: [
      {
        name: "v1alpha1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      },
    ],
  },
});

suite("importing a live namespace with kubectl", { skip: whyNoTool("kubectl") }, () => {
  let folder: string;
  let cluster: SimulatedCluster;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "wheelhouse-import-"));
    cluster = await startSimulatedCluster();
    const admin = join(folder, "admin");
    writeFileSync(admin, cluster.kubeconfig());
    const create = (objects: readonly object[]): Promise<string> =>
      kubectl(
        admin,
        ["create", "--validate=false", "-f", "-"],
        JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
      );
    await create([
      definition("ApplicationSet", "applicationsets"),
      definition("Application", "applications"),
      definition("AppProject", "appprojects"),
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "argocd" } },
    ]);
    await eventually(async () => {
      await create(itemsOf(exported("https://git.example/fleet.git")));
    });
  });
  after(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("gives what an export gives, and no credential", async () => {
    const run = (words: readonly string[], to: string): Promise<Run> =>
      runWith(
        ["import", "argocd", ...words, "--to", join(folder, to), "-q"],
        {},
        { PATH: dirname(toolPath("kubectl")), HOME: folder },
      );
    const live = await run(["--kubeconfig", join(folder, "admin")], "live");
    assert.equal(live.code, 1, live.stderr);
    const file = join(folder, "export.yaml");
    writeFileSync(file, exported("https://git.example/fleet.git"));
    const offline = await run(["--from", file], "offline");
    assert.equal(offline.code, 1, offline.stderr);
    const { "REPORT.md": report = "", ...files } = filesBelow(join(folder, "live"));
    const { "REPORT.md": _, ...same } = filesBelow(join(folder, "offline"));
    // The API server writes keys in another order.
    const meaning = (texts: Readonly<Record<string, string>>): object =>
      Object.fromEntries(
        Object.entries(texts).map(([path, text]) => [
          path,
          path.endsWith(".yaml") ? parseOne(text) : text,
        ]),
      );
    assert.deepEqual(meaning(files), meaning(same));
    assert.doesNotMatch(Object.values(files).join() + report + live.stderr, /CANARY/);
  });
});
