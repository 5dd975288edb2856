/**
 * What the fleet of a kill story runs: one application a cluster, twenty-odd objects, in rounds. A round is a
 * commit that changes what stays, adds objects that never were before, a Job among them, and removes those of
 * the round before. So whatever happens, Git says of every object whether it may have been created, and how
 * often, and whether it may have been deleted.
 */

const steadyMaps = 6;
const passingMaps = 4;

/** How many objects a round leaves behind for the next one to remove. */
export const objectsPassing = passingMaps + 1;

export const estateNamespace = "estate";

/** Clusters labelled `estate: "yes"` get one. */
export const estateSet = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: estate}
spec:
  goTemplate: true
  goTemplateOptions: [missingkey=error]
  generators:
    - clusters:
        selector: {matchLabels: {estate: "yes"}}
  template:
    metadata: {name: 'estate-{{ .name }}'}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/estate}
      destination: {name: '{{ .name }}', namespace: ${estateNamespace}}
      syncPolicy:
        automated: {prune: true, selfHeal: true}
`;

export const estateLabels = { estate: "yes" } as const;

export const applicationIn = (cluster: string): string => `estate-${cluster}`;

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

const configMap = (name: string, data: Readonly<Record<string, string>>): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}}
data: ${JSON.stringify(data)}
`;

/** Objects that every round has, with what the round changes about them. */
const steadyFile = (round: number, filler: string): string =>
  [
    `
apiVersion: v1
kind: Namespace
metadata: {name: ${estateNamespace}}
`,
    ...numbers(steadyMaps).map((at) =>
      configMap(`steady-${at}`, {
        round: String(round),
        ...(at === 0 && filler !== "" ? { filler } : {}),
      }),
    ),
    `
apiVersion: v1
kind: Secret
metadata: {name: steady}
stringData: {round: "${round}"}
`,
    `
apiVersion: v1
kind: ServiceAccount
metadata: {name: steady, annotations: {example.org/round: "${round}"}}
`,
    `
apiVersion: v1
kind: Service
metadata: {name: steady, annotations: {example.org/round: "${round}"}}
spec: {selector: {app: steady}, ports: [{port: 80, targetPort: 8080}]}
`,
    `
apiVersion: apps/v1
kind: Deployment
metadata: {name: steady, annotations: {example.org/round: "${round}"}}
spec:
  replicas: 1
  selector: {matchLabels: {app: steady}}
  template:
    metadata: {labels: {app: steady}}
    spec: {containers: [{name: main, image: "estate/web:1"}]}
`,
  ].join("---");

/** Objects that only this round has. The Job comes last, once the others are well, and must run once. */
const passingFile = (round: number): string =>
  [
    ...numbers(passingMaps).map((at) => configMap(`passing-${round}-${at}`, { round: `${round}` })),
    `
apiVersion: batch/v1
kind: Job
metadata: {name: once-${round}, annotations: {argocd.argoproj.io/sync-wave: "1"}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "estate/migrate:1"}]
`,
  ].join("---");

/** What a commit changes to bring the estate from the round before to this one. `filler` makes a bundle large. */
export const roundFiles = (
  round: number,
  filler = "",
): Readonly<Record<string, string | undefined>> => ({
  "apps/estate/steady.yaml": steadyFile(round, filler),
  [`apps/estate/passing-${round}.yaml`]: passingFile(round),
  ...(round > 0 ? { [`apps/estate/passing-${round - 1}.yaml`]: undefined } : {}),
});

export const firstRound: Readonly<Record<string, string>> = {
  "fleet/estate.yaml": estateSet,
  "apps/estate/steady.yaml": steadyFile(0, ""),
  "apps/estate/passing-0.yaml": passingFile(0),
};

/** The lists an estate's objects are found in, by resource. */
export const estateLists: Readonly<Record<string, string>> = {
  configmaps: `/api/v1/namespaces/${estateNamespace}/configmaps`,
  secrets: `/api/v1/namespaces/${estateNamespace}/secrets`,
  serviceaccounts: `/api/v1/namespaces/${estateNamespace}/serviceaccounts`,
  services: `/api/v1/namespaces/${estateNamespace}/services`,
  deployments: `/apis/apps/v1/namespaces/${estateNamespace}/deployments`,
  jobs: `/apis/batch/v1/namespaces/${estateNamespace}/jobs`,
};

export const namespacePath = `/api/v1/namespaces/${estateNamespace}`;

const pathOf = (resource: string, name: string): string => `${estateLists[resource] ?? ""}/${name}`;

const steadyPaths: readonly string[] = [
  ...numbers(steadyMaps).map((at) => pathOf("configmaps", `steady-${at}`)),
  ...["secrets", "serviceaccounts", "services", "deployments"].map((resource) =>
    pathOf(resource, "steady"),
  ),
];

const passingPaths = (round: number): readonly string[] => [
  ...numbers(passingMaps).map((at) => pathOf("configmaps", `passing-${round}-${at}`)),
  pathOf("jobs", `once-${round}`),
];

/** What is in the namespace after a round, and nothing else that is ours. */
export const pathsAfter = (round: number): readonly string[] => [
  ...steadyPaths,
  ...passingPaths(round),
];

export const jobOf = (round: number): string => `once-${round}`;

/** What Git allows to have happened once these rounds were pushed, the last one being wanted now. */
export function allowedBy(rounds: number): {
  /** Created exactly once, if the round they came with was ever synced. */
  readonly creatable: ReadonlySet<string>;
  readonly deletable: ReadonlySet<string>;
} {
  const passing = numbers(rounds + 1).flatMap((round) => passingPaths(round));
  return {
    creatable: new Set([namespacePath, ...steadyPaths, ...passing]),
    deletable: new Set(numbers(rounds).flatMap((round) => passingPaths(round))),
  };
}
