import type { Clock } from "../../proto/kit/clock.ts";
import type { ResourceType } from "../domain/kube-object.ts";
import { unexpectedAnswer, type Api } from "./api.ts";
import { isRecord, listOf, recordOf, textOf, type JsonRecord } from "./json.ts";
import { SharedWork } from "./shared-work.ts";
import { ApiServerUnavailable } from "./trouble.ts";

export type Discovery = {
  /**
   * Where a kind is served: at `version`, or at the group's preferred one when that is empty.
   *
   * `undefined` only when the API server says so twice, in its list of everything and where the kind itself
   * would be. A group it cannot tell about throws ApiServerUnavailable unless the kind is remembered from
   * before.
   */
  readonly find: (
    group: string,
    kind: string,
    version: string,
    signal: AbortSignal,
  ) => Promise<ResourceType | undefined>;
  readonly forget: (group: string) => void;
};

type Group = {
  /** Every served kind, by version in order of preference. */
  readonly versions: readonly {
    readonly version: string;
    readonly types: readonly ResourceType[];
  }[];
  /** Why part of the group could not be told; `undefined` when all of it was. */
  readonly broken: string | undefined;
};

/** A kind that is not there is not asked for again sooner than this, however many want it. */
const missPauseMs = 2_000;

const aggregated =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/**
 * Which kinds the API server serves, remembered per group and asked again on a miss.
 *
 * One request tells of all groups where the server can do that; older servers are asked group by group, and
 * only for groups somebody wants.
 */
export function openDiscovery(api: Api, clock: Pick<Clock, "nowMs">): Discovery {
  const groups = new Map<string, Group | undefined>();
  const askedAtMs = new Map<string, number>();
  /** When the group was last asked itself, or found to have no place of its own to ask. */
  const confirmedAtMs = new Map<string, number>();
  const confirmWork = new SharedWork<string, void>();
  const groupWork = new SharedWork<string, void>();
  const rootWork = new SharedWork<string, JsonRecord>();

  async function readRoot(root: string, signal: AbortSignal): Promise<JsonRecord> {
    const answer = await api.call(
      { verb: "discovery", method: "GET", path: root, accept: aggregated },
      signal,
    );
    if (answer.status !== 200) throw unexpectedAnswer(answer, `discovery at ${root}`);
    return recordOf(answer.body);
  }

  async function refresh(group: string, signal: AbortSignal): Promise<void> {
    const root = group === "" ? "/api" : "/apis";
    const body = await rootWork.run(root, async () => await readRoot(root, signal), signal);
    if (textOf(body["kind"]) === "APIGroupDiscoveryList") {
      const told = listOf(body["items"]).map(readAggregatedGroup);
      for (const [name, found] of told) remember(name, found);
      if (!told.some(([name]) => name === group)) remember(group, undefined);
      return;
    }
    const versions = group === "" ? coreVersions(body) : groupVersions(body, group);
    if (versions === undefined) return remember(group, undefined);
    remember(group, await readGroup(api, group, versions, signal));
    confirmedAtMs.set(group, clock.nowMs());
  }

  /**
   * Looks for a kind that the list of everything does not have where it would be itself.
   *
   * For the first seconds of its life an API server leaves out of that list what it has not read yet, such as
   * every CustomResourceDefinition. To a question about one group it then answers 503, and 404 only once it
   * knows. Servers of other groups that do not answer are listed as such, or not at all.
   */
  async function confirm(group: string, signal: AbortSignal): Promise<void> {
    const path = `/apis/${group}`;
    const answer = await api.call({ verb: "discovery", method: "GET", path }, signal);
    if (answer.status === 200) {
      const versions = versionsOfGroup(recordOf(answer.body));
      remember(group, await readGroup(api, group, versions, signal));
    } else if (answer.status !== 404) {
      throw unexpectedAnswer(answer, `discovery at ${path}`);
    }
    confirmedAtMs.set(group, clock.nowMs());
  }

  function remember(name: string, found: Group | undefined): void {
    askedAtMs.set(name, clock.nowMs());
    const before = groups.get(name);
    groups.set(
      name,
      found?.broken === undefined || before === undefined ? found : patched(before, found),
    );
  }

  const isRecent = (atMs: number | undefined): boolean =>
    atMs !== undefined && clock.nowMs() - atMs < missPauseMs && clock.nowMs() >= atMs;

  function known(group: string, kind: string, version: string): ResourceType | undefined {
    const held = groups.get(group);
    const found = pick(held, kind, version);
    if (found === undefined && held?.broken !== undefined)
      throw new ApiServerUnavailable(
        `discovery of group ${JSON.stringify(group)} is incomplete: ${held.broken}`,
      );
    return found;
  }

  return {
    find: async (group, kind, version, signal) => {
      const found = pick(groups.get(group), kind, version);
      if (found !== undefined) return found;
      if (!isRecent(askedAtMs.get(group)))
        await groupWork.run(group, async () => await refresh(group, signal), signal);
      const told = known(group, kind, version);
      // The core group is part of the server itself, and there from its first moment.
      if (told !== undefined || group === "" || isRecent(confirmedAtMs.get(group))) return told;
      await confirmWork.run(group, async () => await confirm(group, signal), signal);
      return known(group, kind, version);
    },
    forget: (group) => {
      groups.delete(group);
      askedAtMs.delete(group);
      confirmedAtMs.delete(group);
    },
  };
}

function pick(group: Group | undefined, kind: string, version: string): ResourceType | undefined {
  for (const served of group?.versions ?? []) {
    if (version !== "" && served.version !== version) continue;
    const found = served.types.find((type) => type.kind === kind);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What was known before stays for the versions that could not be told this time. */
function patched(before: Group, found: Group): Group {
  const told = new Set(found.versions.map(({ version }) => version));
  const kept = before.versions.filter(({ version }) => !told.has(version));
  return { versions: [...found.versions, ...kept], broken: found.broken };
}

function readAggregatedGroup(item: unknown): readonly [name: string, group: Group] {
  const name = textOf(recordOf(recordOf(item)["metadata"])["name"]);
  const versions: { readonly version: string; readonly types: readonly ResourceType[] }[] = [];
  let broken: string | undefined;
  for (const entry of listOf(recordOf(item)["versions"]).map(recordOf)) {
    const version = textOf(entry["version"]);
    const types = listOf(entry["resources"]).flatMap((resource) =>
      readAggregatedResource(resource, name, version),
    );
    if (textOf(entry["freshness"]) === "Stale")
      broken = `version ${version} is stale; the server behind it does not answer`;
    if (types.length > 0 || textOf(entry["freshness"]) !== "Stale")
      versions.push({ version, types });
  }
  return [name, { versions, broken }];
}

function readAggregatedResource(
  input: unknown,
  group: string,
  version: string,
): readonly ResourceType[] {
  const resource = recordOf(input);
  const kind = textOf(recordOf(resource["responseKind"])["kind"]);
  const plural = textOf(resource["resource"]);
  if (kind === "" || plural === "") return [];
  return [
    {
      group,
      version,
      kind,
      plural,
      namespaced: resource["scope"] === "Namespaced",
      verbs: verbsOf(resource["verbs"]),
    },
  ];
}

const coreVersions = (body: JsonRecord): readonly string[] =>
  listOf(body["versions"]).filter((version) => typeof version === "string");

/** The group's versions, the preferred one first; `undefined` when the server has no such group. */
function groupVersions(body: JsonRecord, group: string): readonly string[] | undefined {
  const entry = listOf(body["groups"]).find((item) => isRecord(item) && item["name"] === group);
  if (!isRecord(entry)) return undefined;
  return versionsOfGroup(entry);
}

function versionsOfGroup(entry: JsonRecord): readonly string[] {
  const preferred = textOf(recordOf(entry["preferredVersion"])["version"]);
  const versions = listOf(entry["versions"]).map((item) => textOf(recordOf(item)["version"]));
  return [preferred, ...versions.filter((version) => version !== preferred)].filter(
    (version) => version !== "",
  );
}

async function readGroup(
  api: Api,
  group: string,
  versions: readonly string[],
  signal: AbortSignal,
): Promise<Group> {
  const told = await Promise.all(
    versions.map(async (version) => {
      const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
      try {
        const answer = await api.call({ verb: "discovery", method: "GET", path }, signal);
        if (answer.status !== 200) throw unexpectedAnswer(answer, `discovery at ${path}`);
        return { version, types: readResources(answer.body, group, version) };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ApiServerUnavailable)) throw error;
        return { version, types: undefined, problem: error.message };
      }
    }),
  );
  const broken = told.flatMap(({ problem }) => problem ?? []);
  return {
    versions: told.flatMap(({ version, types }) =>
      types === undefined ? [] : [{ version, types }],
    ),
    broken: broken.length === 0 ? undefined : broken.join("; "),
  };
}

function readResources(body: unknown, group: string, version: string): readonly ResourceType[] {
  return listOf(recordOf(body)["resources"]).flatMap((input) => {
    const resource = recordOf(input);
    const plural = textOf(resource["name"]);
    const kind = textOf(resource["kind"]);
    // A slash marks a subresource, which has a kind of its own and is not what anybody means by it.
    if (plural === "" || kind === "" || plural.includes("/")) return [];
    const verbs = verbsOf(resource["verbs"]);
    return [{ group, version, kind, plural, namespaced: resource["namespaced"] === true, verbs }];
  });
}

const verbsOf = (value: unknown): readonly string[] =>
  listOf(value).filter((verb) => typeof verb === "string");
