import assert from "node:assert/strict";
import { join } from "node:path";
import { mkdirSync } from "node:fs";
import test, { after, before, suite } from "node:test";
import { eventually } from "../support/eventually.ts";
import { settled, startFleet, type ApplicationView, type Fleet } from "../support/fleet.ts";
import { startSpoke } from "../support/processes.ts";
import { namespace, paths, settings, webFolder, webSet } from "../support/story-files.ts";

/** Bad input gets a clear error on the object it belongs to, and nothing is lost. */
suite("bad input", () => {
  let fleet: Fleet;
  let good = "";
  const names = ["web-dev-1"];

  before(async () => {
    fleet = await startFleet({
      clusters: { "dev-1": { env: "dev", web: "yes" } },
      files: { "fleet/web.yaml": webSet(), ...webFolder("dev") },
    });
    good = await fleet.repository.head("main", AbortSignal.timeout(10_000));
    await settled(fleet, names, good);
  });
  after(() => fleet.stop());

  type Troubled = { readonly problem?: { readonly code: string; readonly message: string } | null };

  const problemAt = async (
    path: string,
  ): Promise<{ readonly code: string; readonly message: string }> =>
    eventually(
      async () => {
        const { problem } = await fleet.api.get<Troubled>(path);
        assert.ok(problem);
        return problem;
      },
      { withinMs: 15_000, what: `a problem at ${path}` },
    );

  const unharmed = async (): Promise<void> => {
    const { kube } = fleet.member("dev-1");
    for (const path of Object.values(paths)) assert.ok(await kube.get(path), `${path} is gone`);
  };

  const healed = async (files: Readonly<Record<string, string | undefined>>): Promise<void> => {
    good = await fleet.push(files);
    await settled(fleet, names, good);
  };

  const single = (name: string, spec: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}}
spec:
  project: default
  ${spec}
  syncPolicy: {automated: {prune: true, selfHeal: true}}
`;
  const source = (path: string): string =>
    `source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: ${path}}`;

  const onTheSet = [
    {
      name: "YAML that does not parse names the file and the line",
      text: "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: web\n",
      code: /^WH-YAML-\d+$/,
      message: /fleet\/web\.yaml/,
    },
    {
      name: "an unknown generator is refused by name",
      text: webSet().replace("- clusters:", "- telepathy:"),
      code: /^WH-GEN-\d+$/,
      message: /telepathy/,
    },
    {
      name: "a template that does not parse says where",
      text: webSet().replace("web-{{ .name }}", "web-{{ .name "),
      code: /^WH-(TPL|GEN)-\d+$/,
      message: /name/,
    },
    {
      name: "a field of the wrong type is named",
      text: webSet().replace("goTemplate: true", "goTemplate: sometimes"),
      code: /^WH-GEN-\d+$/,
      message: /goTemplate/,
    },
  ];
  for (const { name, text, code, message } of onTheSet)
    test(`${name}, and what it generated before stays`, async () => {
      await fleet.push({ "fleet/web.yaml": text });
      try {
        const problem = await problemAt("/v1/applicationsets/web");
        assert.match(problem.code, code);
        assert.match(problem.message, message);
        await unharmed();
      } finally {
        await healed({ "fleet/web.yaml": webSet() });
      }
    });

  const onTheApplication = [
    {
      name: "a manifest that does not parse names file and line",
      files: { "apps/web/dev/settings.yaml": "apiVersion: v1\nkind: ConfigMap\n  metadata: x\n" },
      code: /^WH-(YAML|RND)-\d+$/,
      message: /settings\.yaml/,
    },
    {
      name: "a manifest without a kind names the file",
      files: { "apps/web/dev/settings.yaml": "apiVersion: v1\nmetadata: {name: x}\n" },
      code: /^WH-RND-\d+$/,
      message: /settings\.yaml.*kind/,
    },
    {
      name: "a manifest without a name names the file",
      files: { "apps/web/dev/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n" },
      code: /^WH-RND-\d+$/,
      message: /settings\.yaml.*name/,
    },
    {
      name: "a hook is refused rather than applied as an ordinary object",
      files: {
        "apps/web/dev/settings.yaml":
          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {argocd.argoproj.io/hook: PreSync}}\n",
      },
      code: /^WH-RND-\d+$/,
      message: /hook/,
    },
  ];
  for (const { name, files, code, message } of onTheApplication)
    test(`${name}, and what runs stays`, async () => {
      await fleet.push(files);
      try {
        const problem = await problemAt("/v1/applications/web-dev-1");
        assert.match(problem.code, code);
        assert.match(problem.message, message);
        await unharmed();
      } finally {
        await healed({ "apps/web/dev/settings.yaml": settings("hello") });
      }
    });

  test("an unknown destination cluster is named, on the application", async () => {
    await fleet.push({
      "fleet/lost.yaml": single(
        "lost",
        `destination: {name: atlantis, namespace: x}\n  ${source("apps/web/dev")}`,
      ),
    });
    const problem = await problemAt("/v1/applications/lost");
    assert.match(problem.code, /^WH-DST-\d+$/);
    assert.match(problem.message, /atlantis/);
    await healed({ "fleet/lost.yaml": undefined });
  });

  test("two applications with one name: the one that has it keeps it, and the other's document says so", async () => {
    await fleet.push({
      "fleet/twin.yaml": single(
        "web-dev-1",
        `destination: {name: dev-1, namespace: other}\n  ${source("apps/web/dev")}`,
      ),
    });
    await eventually(
      async () => {
        const { items } = await fleet.api.get<{ readonly items: readonly Troubled[] }>(
          "/v1/repositories",
        );
        assert.equal(items[0]?.problem?.code, "WH-GEN-3106");
        assert.match(items[0].problem.message, /fleet\/twin\.yaml.*web-dev-1/);
      },
      { what: "a word about the collision" },
    );
    await unharmed();
    const view = await fleet.api.get<ApplicationView>("/v1/applications/web-dev-1");
    assert.equal(view.status.syncStatus, "Synced");
    await healed({ "fleet/twin.yaml": undefined });
  });

  test("an object the API server rejects is reported with its message, and the others are applied", async () => {
    await fleet.push({
      "apps/web/dev/bad.yaml":
        "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {selector: {a: b}, ports: []}\n",
      "apps/web/dev/extra.yaml":
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n",
    });
    await eventually(async () => {
      const { items } = await fleet.api.get<{
        readonly items: readonly { readonly name: string; readonly message: string }[];
      }>("/v1/applications/web-dev-1/resources");
      const bad = items.find((item) => item.name === "bad");
      assert.match(bad?.message ?? "", /ports/);
    });
    assert.ok(await fleet.member("dev-1").kube.get("/api/v1/namespaces/web/configmaps/extra"));
    await unharmed();
    await healed({ "apps/web/dev/bad.yaml": undefined, "apps/web/dev/extra.yaml": undefined });
  });

  test("a namespace that does not exist is named", async () => {
    await fleet.push({
      "apps/stray/settings.yaml": settings("x"),
      "fleet/stray.yaml": single(
        "stray",
        `destination: {name: dev-1, namespace: nowhere}\n  ${source("apps/stray")}`,
      ),
    });
    await eventually(async () => {
      const { items } = await fleet.api.get<{
        readonly items: readonly { readonly message: string }[];
      }>("/v1/applications/stray/resources");
      assert.match(items[0]?.message ?? "", /nowhere/);
    });
    await fleet.push({ "apps/stray/namespace.yaml": namespace("nowhere") });
    await eventually(async () => {
      const view = await fleet.api.get<ApplicationView>("/v1/applications/stray");
      assert.equal(view.status.syncStatus, "Synced");
    });
    await healed({
      "fleet/stray.yaml": undefined,
      "apps/stray/settings.yaml": undefined,
      "apps/stray/namespace.yaml": undefined,
    });
  });

  test("a repository rewritten by force-push is followed to its new head, and keeps its identity in the clusters", async () => {
    const before = (await fleet.member("dev-1").kube.get(paths.deployment))?.metadata.uid;
    good = await fleet.repository.commit(
      {
        rewrite: true,
        message: "history made anew",
        files: Object.fromEntries(
          Object.entries({
            "fleet/web.yaml": webSet(),
            ...webFolder("dev", { greeting: "anew" }),
          }).map(([path, text]) => [path, text.replaceAll("@REPOSITORY@", fleet.repositoryUrl)]),
        ),
      },
      AbortSignal.timeout(10_000),
    );
    await settled(fleet, names, good);
    assert.equal((await fleet.member("dev-1").kube.get(paths.deployment))?.metadata.uid, before);
  });

  test("an unreachable repository keeps the last good state and says so", async () => {
    fleet.git.setFault({ kind: "down" });
    await eventually(async () => {
      const { items } = await fleet.api.get<{ readonly items: readonly Troubled[] }>(
        "/v1/repositories",
      );
      assert.match(items[0]?.problem?.code ?? "", /^WH-GIT-\d+$/);
    });
    await unharmed();
    fleet.git.setFault({ kind: "none" });
    await healed({ "apps/web/dev/settings.yaml": settings("back") });
  });

  test("a join token used by another spoke, a wrong token and another hub's fingerprint are refused with their codes", async () => {
    const added = await fleet.api.send<{ readonly join: { readonly token: string } }>(
      "POST",
      "/v1/clusters",
      {
        name: "spare",
        labels: {},
      },
    );
    const attempt = async (
      name: string,
      joinToken: string,
      fingerprint: string,
      expected: RegExp,
      access = fleet.member("dev-1"),
    ): Promise<void> => {
      const folder = join(fleet.folder, name);
      mkdirSync(folder, { recursive: true });
      const spoke = startSpoke({
        folder,
        kubeconfig: access.kubeconfig,
        hub: { linkAddress: fleet.hub.linkAddress, fingerprint },
        joinToken,
        settings: { namespace: name },
      });
      try {
        await eventually(() => assert.match(spoke.log(), expected), {
          what: `${expected} in the log of ${name}`,
        });
        assert.ok(
          !spoke.log().includes(joinToken.split(".")[1] ?? "-"),
          "the log holds the token's secret",
        );
      } finally {
        await spoke.stop();
      }
    };
    const { fingerprint } = fleet.hub;
    await attempt("first", added.join.token, fingerprint, /enrolled/);
    await attempt("second", added.join.token, fingerprint, /WH-JOIN-2003/);
    await attempt("forged", `whj_aaaaaaaa.${"a".repeat(32)}`, fingerprint, /WH-JOIN-2005/);
    await attempt("other-hub", added.join.token, `sha256:${"0".repeat(64)}`, /WH-JOIN-2007/);
  });
});
