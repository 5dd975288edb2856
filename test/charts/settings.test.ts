import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { hubSettingHelp, readHubSettings, type HubSettings } from "../../hub/settings.ts";
import { readSpokeSettings, spokeSettingHelp, type SpokeSettings } from "../../spoke/settings.ts";
import { whyNoTool } from "../support/control-plane/binaries.ts";
import { render, type Rendered } from "../support/helm.ts";
import { gatewayKinds, hubValues, spokeValues } from "./values.ts";

/** What a chart says is what its program reads, and there is nothing a program reads that no chart can say. */

/** Settings no value stands for, and why. */
const ofThePod: Readonly<Record<string, string>> = {
  "settings-file": "how the rest of them is given",
  "ready-file": "for whoever starts a hub by hand; a pod has probes",
};

const ofASpokeOutside: Readonly<Record<string, string>> = {
  "settings-file": "everything is an argument",
  "join-token": "an argument can be seen; the token is in a mounted Secret",
  kubeconfig: "a pod has its service account",
  "kubeconfig-context": "a pod has its service account",
  "kubeconfig-insecure": "a pod has its service account",
};

suite("settings by chart", { skip: whyNoTool("helm") }, () => {
  for (const [name, values] of Object.entries(hubValues))
    test(`the hub takes what its chart says, ${name}`, async () => {
      const file = await settingsOfHub(values);
      const read = readHubSettings({ words: [], environment: {}, file }, "/");
      assert.ok(read.ok, read.ok ? "" : read.problem.join("\n"));
    });

  test("every setting of the hub has a value", async () => {
    const given = Object.keys(await settingsOfHub(hubValues.everything)).map(flagName);
    // Not a setting of one line, so not in the list.
    const known = [...hubSettingHelp.map(([name]) => name), "repository-credentials"];
    assert.deepEqual([...given, ...Object.keys(ofThePod)].toSorted(), known.toSorted());
  });

  for (const [name, values] of Object.entries(spokeValues))
    test(`the spoke takes what its chart says, ${name}`, async () => {
      assert.equal((await readBySpoke(values)).namespace, "wheelhouse");
    });

  test("every setting of the spoke has a value", async () => {
    const given = [spokeValues.namespaces, spokeValues.everything].map(argumentsOfSpoke);
    const flags = (await Promise.all(given))
      .flat()
      .flatMap((word) => (word.startsWith("--") ? [word.slice(2)] : []));
    assert.deepEqual(
      [...new Set(flags), ...Object.keys(ofASpokeOutside)].toSorted(),
      spokeSettingHelp.map(([name]) => name).toSorted(),
    );
  });

  const hubCases: readonly (readonly [
    name: string,
    values: object,
    wanted: Partial<HubSettings>,
  ])[] = [
    [
      "what fails costs only itself, unless the values say otherwise",
      {},
      { generationFailure: "element", gitFileDialect: "pathspec" },
    ],
    [
      "sets are all or nothing",
      { applicationSets: { generationFailure: "set" } },
      { generationFailure: "set", gitFileDialect: "pathspec" },
    ],
    [
      "patterns are read as Argo CD's newer globbing does",
      { applicationSets: { gitFileDialect: "doublestar" } },
      { generationFailure: "element", gitFileDialect: "doublestar" },
    ],
    [
      "a pod with an IPv6 address only",
      { listenOn: "::" },
      {
        linkListen: { host: "::", port: 7443 },
        httpListen: { host: "::", port: 8080 },
      },
    ],
  ];
  for (const [name, values, wanted] of hubCases)
    test(`hub: ${name}`, async () => {
      const file = await settingsOfHub({ ...hubValues.least, ...values });
      const read = readHubSettings({ words: [], environment: {}, file }, "/");
      assert.ok(read.ok);
      assert.deepEqual({ ...read.value, ...wanted }, read.value);
    });

  test("spoke: a pod with an IPv6 address only", async () => {
    const { probeHost } = await readBySpoke({ ...spokeValues.cluster, listenOn: "::" });
    assert.equal(probeHost, "::");
    assert.equal((await readBySpoke(spokeValues.cluster)).probeHost, "0.0.0.0");
  });
});

const flagName = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

async function settingsOfHub(values: object): Promise<Readonly<Record<string, unknown>>> {
  const objects = await render("wheelhouse-hub", values, { serves: gatewayKinds });
  const { data } = one(objects, "ConfigMap") as unknown as {
    readonly data: Readonly<Record<string, string>>;
  };
  return JSON.parse(data["settings.json"] ?? "") as Readonly<Record<string, unknown>>;
}

/** Without the command's own name. */
async function argumentsOfSpoke(values: object): Promise<readonly string[]> {
  const objects = await render("wheelhouse-spoke", values, { serves: gatewayKinds });
  const { spec } = one(objects, "Deployment") as unknown as {
    readonly spec: {
      readonly template: {
        readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
      };
    };
  };
  const [command, ...words] = spec.template.spec.containers.flatMap(({ args }) => args);
  assert.equal(command, "spoke");
  return words;
}

async function readBySpoke(values: object): Promise<SpokeSettings> {
  const pod = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
  const words = await argumentsOfSpoke(values);
  const read = readSpokeSettings({ words, environment: pod, file: undefined }, "/");
  assert.ok(read.ok, read.ok ? "" : read.problem.join("\n"));
  return read.value;
}

function one(objects: readonly Rendered[], kind: string): Rendered {
  const [found, ...others] = objects.filter((object) => object.kind === kind);
  assert.ok(found !== undefined && others.length === 0, `one ${kind}`);
  return found;
}
