import { readImageReference } from "./image-reference.ts";
import { spokeName, spokeNamespace, type JoinInvitation } from "./manifest.ts";

/** The chart of the spoke: where it is, and which version. */
export type SpokeChart = { readonly reference: string; readonly version: string };

/** A POSIX shell command, a flag a line, that can be pasted: a spoke beside its cluster, with a kubeconfig. */
export function spokeCommand(invitation: JoinInvitation): string {
  const { cluster, hubAddress, hubFingerprint, token, role } = invitation;
  const flags: readonly (readonly [string, string])[] = [
    ["--hub-address", hubAddress],
    ["--hub-fingerprint", hubFingerprint],
    ["--join-token", token],
    ["--state-folder", `./wheelhouse-${cluster}`],
    ...(role.namespaces.length === 0 ? [] : [["--namespaces", role.namespaces.join(",")] as const]),
  ];
  const lines = [
    "wheelhouse spoke",
    ...flags.map(([flag, value]) => `  ${flag} ${shellWord(value)}`),
    // Beside other programs, perhaps other spokes: no fixed port, and nothing for other machines.
    "  --probe-host 127.0.0.1 --probe-port 0",
    // Left to the shell of whoever pastes it: the hub cannot know where the kubeconfig is.
    '  --kubeconfig "${KUBECONFIG:-$HOME/.kube/config}"',
  ];
  return lines.join(" \\\n");
}

/**
 * A shell command that installs the spoke's chart, and again upgrades it. Its objects are those of the join
 * manifest. Values come from a here-document, so that the token is on no command line.
 */
export function helmCommand(invitation: JoinInvitation, chart: SpokeChart): string {
  const words = [
    `helm upgrade --install ${spokeName} ${shellWord(chart.reference)}`,
    `  --version ${shellWord(chart.version)}`,
    `  --namespace ${spokeNamespace} --create-namespace`,
    "  --values - <<'EOF'",
  ];
  return `${words.join(" \\\n")}\n${yamlText(chartValues(invitation))}EOF`;
}

type Values = { readonly [name: string]: string | boolean | readonly string[] | Values };

/** Only what differs from the chart's own values. */
export function chartValues(invitation: JoinInvitation): Values {
  const { repository, tag, digest } = readImageReference(invitation.image);
  const { namespaces, secrets, customResourceGroups } = invitation.role;
  const role: Values = {
    ...(namespaces.length === 0 ? {} : { preset: "namespaces", namespaces }),
    ...(secrets ? { secrets } : {}),
    ...(customResourceGroups.length === 0 ? {} : { customResourceGroups }),
  };
  return {
    hub: { address: invitation.hubAddress, fingerprint: invitation.hubFingerprint },
    join: { token: invitation.token },
    image: { repository, ...(digest === "" ? { tag } : { digest }) },
    ...(Object.keys(role).length === 0 ? {} : { role }),
  };
}

/** YAML that is JSON in its leaves, so that nothing needs to be known of YAML's own spellings. */
function yamlText(values: Values, indent = ""): string {
  return Object.entries(values)
    .map(([name, value]) =>
      isNested(value)
        ? `${indent}${name}:\n${yamlText(value, `${indent}  `)}`
        : `${indent}${name}: ${JSON.stringify(value)}\n`,
    )
    .join("");
}

const isNested = (value: Values[string]): value is Values =>
  typeof value === "object" && !Array.isArray(value);

/** Quotes a word for a POSIX shell when it needs quoting. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
