/** How many requests a cluster has answered, by what they asked for. */
import type { ResourcePath, Verb } from "./request.ts";

export type RequestCounts = {
  readonly [verb in Verb]: number;
} & {
  /** Of those: applies that were only tried. They count under `dryRunApply` and not under `apply`. */
  readonly dryRunApply: number;
  /** Other writes that were only tried. They do not count under their verb either. */
  readonly dryRunOther: number;
  /** Discovery, version, health. */
  readonly discovery: number;
};

export type RequestRecord = {
  readonly verb: Verb | "discovery";
  /** `deployments.apps`, `configmaps`; empty for discovery. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  /** Who was authenticated, and who they then acted as. */
  readonly user: string;
  readonly impersonated: string;
  readonly userAgent: string;
};

export type RequestSnapshot = {
  readonly total: number;
  /** Requests that may change something: create, update, patch, apply, delete; tries not included. */
  readonly writes: number;
  readonly byVerb: RequestCounts;
  readonly byResource: { readonly [resource: string]: RequestCounts };
};

type Counts = { -readonly [verb in keyof RequestCounts]: number };

const noRequests = (): Counts => ({
  get: 0,
  list: 0,
  watch: 0,
  create: 0,
  update: 0,
  patch: 0,
  apply: 0,
  delete: 0,
  deletecollection: 0,
  dryRunApply: 0,
  dryRunOther: 0,
  discovery: 0,
});

export const resourceName = (path: Pick<ResourcePath, "group" | "plural">): string =>
  path.group === "" ? path.plural : `${path.plural}.${path.group}`;

const recentMost = 500;

/** Counts every request that came in, also those that were refused. */
export class RequestCounters {
  #byVerb = noRequests();
  #byResource = new Map<string, Counts>();
  #recent: RequestRecord[] = [];

  count(record: RequestRecord): void {
    const column = columnOf(record);
    this.#byVerb[column] += 1;
    if (record.resource !== "") {
      let counts = this.#byResource.get(record.resource);
      if (counts === undefined) this.#byResource.set(record.resource, (counts = noRequests()));
      counts[column] += 1;
    }
    this.#recent.push(record);
    if (this.#recent.length > recentMost * 2) this.#recent = this.#recent.slice(-recentMost);
  }

  snapshot(): RequestSnapshot {
    const byVerb = { ...this.#byVerb };
    const { create, update, patch, apply, delete: deleted, deletecollection } = byVerb;
    return {
      total: Object.values(byVerb).reduce((sum, count) => sum + count, 0),
      writes: create + update + patch + apply + deleted + deletecollection,
      byVerb,
      byResource: Object.fromEntries(
        [...this.#byResource].map(([resource, counts]) => [resource, { ...counts }]),
      ),
    };
  }

  /** The newest requests, oldest first; a few hundred are kept. */
  recent(): readonly RequestRecord[] {
    return this.#recent.slice(-recentMost);
  }

  reset(): void {
    this.#byVerb = noRequests();
    this.#byResource = new Map();
    this.#recent = [];
  }
}

function columnOf({ verb, dryRun }: RequestRecord): keyof Counts {
  if (!dryRun) return verb;
  return verb === "apply" ? "dryRunApply" : "dryRunOther";
}
