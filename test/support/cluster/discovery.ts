/** What the cluster says it serves: versions, groups, resources, one by one and all at once. */
import type { Json, JsonMap } from "./json.ts";
import { apiVersionOf, type Kind, type Kinds } from "./kinds.ts";

export const serverVersion: JsonMap = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: "v1.36.3+simulated",
  gitCommit: "0000000000000000000000000000000000000000",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "go1.26",
  compiler: "gc",
  platform: "linux/amd64",
};

/** Kinds that are questions rather than objects: they are created and answered, never kept. */
export type Review = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
};

export const reviews: readonly Review[] = [
  { group: "authentication.k8s.io", version: "v1", kind: "TokenReview", plural: "tokenreviews" },
  {
    group: "authentication.k8s.io",
    version: "v1",
    kind: "SelfSubjectReview",
    plural: "selfsubjectreviews",
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    kind: "SelfSubjectAccessReview",
    plural: "selfsubjectaccessreviews",
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    kind: "SubjectAccessReview",
    plural: "subjectaccessreviews",
  },
];

const verbs: readonly string[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

const subresourceVerbs: readonly string[] = ["get", "patch", "update"];

const onlyOneByOne = new Set(["/namespaces"]);

const verbsOf = (kind: Kind): readonly string[] =>
  onlyOneByOne.has(kind.key) ? verbs.filter((verb) => verb !== "deletecollection") : verbs;

type Served = { readonly group: string; readonly version: string };

/** The groups in the order they came, without the core group. */
function groupVersions(kinds: Kinds): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  const served: readonly Served[] = [...kinds.all(), ...reviews];
  for (const { group, version } of served) {
    if (group === "") continue;
    const versions = groups.get(group) ?? [];
    if (!versions.includes(version)) versions.push(version);
    groups.set(group, versions);
  }
  return groups;
}

function groupEntry(group: string, versions: readonly string[]): JsonMap {
  const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: entries[0] ?? {} };
}

export const coreVersions: JsonMap = {
  kind: "APIVersions",
  versions: ["v1"],
  serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "127.0.0.1:443" }],
};

export const groupList = (kinds: Kinds): JsonMap => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: [...groupVersions(kinds)].map(([group, versions]) => groupEntry(group, versions)),
});

/** One group; `undefined` when nothing in it is served. */
export function groupOf(kinds: Kinds, group: string): JsonMap | undefined {
  const versions = groupVersions(kinds).get(group);
  return versions === undefined
    ? undefined
    : { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group, versions) };
}

/** The resources of a group version; `undefined` when it is not served. */
export function resourceList(kinds: Kinds, group: string, version: string): JsonMap | undefined {
  const served = kinds.all().filter((kind) => kind.group === group && kind.version === version);
  const asked = reviews.filter((review) => review.group === group && review.version === version);
  if (served.length === 0 && asked.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf({ group, version }),
    resources: [
      ...served.flatMap((kind) => [resourceEntry(kind), ...subresourceEntries(kind)]),
      ...asked.map((review) => ({
        name: review.plural,
        singularName: review.kind.toLowerCase(),
        namespaced: false,
        kind: review.kind,
        verbs: ["create"],
      })),
    ],
  };
}

const resourceEntry = (kind: Kind): JsonMap => ({
  name: kind.plural,
  singularName: kind.singular,
  namespaced: kind.namespaced,
  kind: kind.kind,
  verbs: verbsOf(kind),
  ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
  ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
});

const subresourceEntries = (kind: Kind): readonly JsonMap[] => [
  ...(kind.hasStatus
    ? [
        {
          name: `${kind.plural}/status`,
          singularName: "",
          namespaced: kind.namespaced,
          kind: kind.kind,
          verbs: subresourceVerbs,
        },
      ]
    : []),
  ...(kind.scale === undefined
    ? []
    : [
        {
          name: `${kind.plural}/scale`,
          singularName: "",
          namespaced: kind.namespaced,
          group: "autoscaling",
          version: "v1",
          kind: "Scale",
          verbs: subresourceVerbs,
        },
      ]),
];

/** Everything below `/api` or below `/apis` in one answer. */
export function aggregated(kinds: Kinds, scope: "core" | "groups"): JsonMap {
  const groups: ReadonlyMap<string, readonly string[]> =
    scope === "core" ? new Map([["", ["v1"]]]) : groupVersions(kinds);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: [...groups].map(([group, versions]) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versions.map((version) => ({
        version,
        freshness: "Current",
        resources: aggregatedResources(kinds, group, version),
      })),
    })),
  };
}

function aggregatedResources(kinds: Kinds, group: string, version: string): readonly Json[] {
  const served = kinds.all().filter((kind) => kind.group === group && kind.version === version);
  const scope = (namespaced: boolean): string => (namespaced ? "Namespaced" : "Cluster");
  return [
    ...served.map((kind): JsonMap => {
      const subresources = [
        ...(kind.hasStatus ? ["status"] : []),
        ...(kind.scale === undefined ? [] : ["scale"]),
      ].map((subresource) => ({
        subresource,
        responseKind:
          subresource === "scale"
            ? { group: "autoscaling", version: "v1", kind: "Scale" }
            : { group, version, kind: kind.kind },
        verbs: subresourceVerbs,
      }));
      return {
        resource: kind.plural,
        responseKind: { group, version, kind: kind.kind },
        scope: scope(kind.namespaced),
        singularResource: kind.singular,
        verbs: verbsOf(kind),
        ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
        ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    }),
    ...reviews
      .filter((review) => review.group === group && review.version === version)
      .map((review) => ({
        resource: review.plural,
        responseKind: { group, version, kind: review.kind },
        scope: "Cluster",
        singularResource: review.kind.toLowerCase(),
        verbs: ["create"],
      })),
  ];
}
