import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { readHubSettings, hubSettingHelp } from "../../hub/settings.ts";
import { spokeSettingHelp } from "../../spoke/settings.ts";
import { assertGolden } from "../support/golden.ts";
import { readPage } from "./pages.ts";

type SettingHelp = readonly (readonly [name: string, help: string])[];

/** As `wheelhouse hub --settings-file` takes it; the page shows it, and below it is read. */
const exampleFile = {
  fleetRepository: "https://git.example/fleet.git",
  fleetPath: "fleet",
  linkPublicAddress: "hub.example:7443",
  repositoryCredentials: [
    {
      urlPrefix: "https://git.example",
      username: "wheelhouse",
      passwordFile: "/etc/wheelhouse/git-password",
    },
    { urlPrefix: "https://git.example/shop", tokenFile: "/etc/wheelhouse/shop-token" },
  ],
};

const page = `# Settings

\`\`\`
$ wheelhouse hub --fleet-repository https://git.example/fleet.git --poll-ms 60000
$ WHEELHOUSE_POLL_MS=60000 wheelhouse hub --fleet-repository https://git.example/fleet.git
$ wheelhouse hub --settings-file hub.json
\`\`\`

A setting has one name in three spellings: the flag \`--poll-ms\`, the variable \`WHEELHOUSE_POLL_MS\`, and \`pollMs\` in a JSON file
that \`--settings-file\` or \`WHEELHOUSE_SETTINGS_FILE\` names. The first found wins, in that order. A flag without a value means
\`true\`. Relative paths are from the folder the program is started in, those in the file too.

All problems with settings are reported together, and the program ends with exit code 78. A flag or an entry of the file that is
no setting is a problem; a variable that is none is not looked at. Settings are read once, at the start.

What is in parentheses below holds when a setting is not given.

## Hub

${tableOf(hubSettingHelp)}

### Repository credentials

\`repositoryCredentials\` is a list, so it is in the settings file only:

\`\`\`json
${JSON.stringify(exampleFile, undefined, 2)}
\`\`\`

An entry is \`{urlPrefix, username, passwordFile}\` for Basic, or \`{urlPrefix, tokenFile}\` for Bearer, and goes with every
repository whose URL is the prefix or below it; the longest prefix wins. Each file holds one line, and is read anew for each
exchange, so that a secret can be replaced while the hub runs. Secrets are sent over https, and over http to this machine only. A
URL with a user or a password in it is refused.

## Spoke

${tableOf(spokeSettingHelp)}

The manifest that \`wheelhouse cluster add NAME\` prints gives a spoke in a pod all it needs. A token on a command line can be seen
by other users of the machine; \`join-token-file\` keeps it out of sight. A mounted file is read anew whenever the spoke needs a
token, so a new one takes no restart.

### The API server

In a pod, token and authority come from the mounted files. They are read again every minute, and at once when the API server refuses
the token or shows a certificate that is not trusted.

A kubeconfig may hold, and is read again as it changes:

| In the kubeconfig | Meaning |
| --- | --- |
| \`token\`, \`tokenFile\` | a bearer token; the file wins, and may be replaced at any time |
| \`client-certificate\`, \`client-key\` | files, or their \`-data\`; while one is half-written or they do not belong together, the pair from before stays in use |
| \`exec\` | a plug-in of \`client.authentication.k8s.io/v1\` or \`v1beta1\` prints the credential; it is run again when that expires or is refused, and killed after 60 seconds. It has no terminal, so \`interactiveMode: Always\` is refused |
| \`as\`, \`as-groups\`, \`as-uid\`, \`as-user-extra\` | whom to act as in every request; applications [with an account of their own](impersonation.md) cannot be looked after then |
| \`certificate-authority\`, \`tls-server-name\` | whom to believe, and under which name |
| \`proxy-url\` | an http or https proxy for this cluster |
| \`insecure-skip-tls-verify\` | refused unless \`kubeconfig-insecure\` is set, and logged as a warning then |

Password and \`auth-provider\` are refused by name. Without \`proxy-url\`, \`HTTPS_PROXY\` and \`NO_PROXY\` of the environment hold, as
other Kubernetes clients read them; a user and password in a proxy's address are sent to it. socks proxies are refused.

A call that the API server pushes back (429, 503, 504) is repeated after the pause it asks for, up to 30 seconds and 4 times, and the
spoke halves how many calls it has under way, from 16 down to one; ten rounds without trouble raise that by one.

Where next: [quickstart](quickstart.md), [metrics](metrics.md), [troubleshooting](troubleshooting.md).
`;

function tableOf(settings: SettingHelp): string {
  const rows = settings.map(([name, help]) => `| \`${name}\` | ${help.replaceAll("|", "\\|")} |`);
  return ["| Setting | Meaning |", "| --- | --- |", ...rows].join("\n");
}

suite("docs/settings.md", () => {
  test("says what --help says, and is fresh", () => {
    assertGolden("docs/settings.md", page);
  });

  test("its example is read by the hub, credentials and all", () => {
    const sources = { words: [], environment: {}, file: exampleFile };
    const settings = readHubSettings(sources, "/srv");
    assert.ok(settings.ok, settings.ok ? "" : settings.problem.join("; "));
    assert.deepEqual(
      settings.value.credentials.map(({ kind }) => kind),
      ["basic", "bearer"],
    );
  });

  // A setting that is read and not described would be found by nobody; one described and not read is a lie.
  test("the settings in it are those that the hub and the spoke read", () => {
    const rows = [
      { file: "hub/settings.ts", help: hubSettingHelp, unlisted: ["repository-credentials"] },
      { file: "spoke/settings.ts", help: spokeSettingHelp, unlisted: [] },
    ];
    for (const { file, help, unlisted } of rows) {
      const described = [...help.map(([name]) => name), ...unlisted];
      const read = readPage(file).matchAll(
        /\b(?:read\s*\.\w+|path|hostPort)\((?:read, )?"([a-z-]+)"/g,
      );
      const names = new Set([...read].map(([, name]) => name ?? ""));
      assert.deepEqual([...names].toSorted(), described.toSorted(), file);
    }
  });
});
