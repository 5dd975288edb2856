import type { ApplicationName } from "../../proto/words/ids.ts";
import type { LeftApplication } from "../domain/plan/input.ts";
import { describeOrigin, originKey, type Origin } from "../domain/origin.ts";
import type { PublishedApplication } from "../domain/records.ts";
import { keepsBecause, lastWords } from "./publish-words.ts";
import type { PublishNeeds } from "./publish.ts";

/** What belongs to origins that are gone from Git, during one pass. */
export class LeftBehind {
  readonly #needs: Pick<PublishNeeds, "findSet" | "owners" | "named">;
  /** By origin: whether what nobody takes over goes with it. */
  readonly #goes = new Map<string, boolean>();
  /** By origin: why it lets go of nothing. */
  readonly #waits = new Map<string, string>();
  #unsaid: Origin | undefined;

  constructor(needs: Pick<PublishNeeds, "findSet" | "owners" | "named">) {
    this.#needs = needs;
  }

  /** Whether nothing is. */
  get isEmpty(): boolean {
    return this.#goes.size === 0;
  }

  /** Learns which origins are gone from Git. Until then nothing is left behind. */
  async learn(removed: readonly Origin[], signal: AbortSignal): Promise<void> {
    for (const origin of removed) {
      const row =
        origin.kind === "application-set"
          ? await this.#needs.findSet(origin.name, signal)
          : undefined;
      this.#goes.set(originKey(origin), keepsBecause(lastWords(row)) === undefined);
    }
  }

  /** What is left behind under these names. */
  async under(
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ): Promise<readonly PublishedApplication[]> {
    if (this.isEmpty) return [];
    const left = await this.among(await this.#needs.owners(names, signal), signal);
    return left.map(({ published }) => published);
  }

  /** The same, for who knows already whose the names are. */
  async among(
    owners: ReadonlyMap<ApplicationName, Origin>,
    signal: AbortSignal,
  ): Promise<readonly LeftApplication[]> {
    if (this.isEmpty) return [];
    const names = [...owners].flatMap(([name, owner]) =>
      this.#goes.has(originKey(owner)) ? [name] : [],
    );
    if (names.length === 0) return [];
    const left = await this.#needs.named(names, signal);
    return left.map((published) => ({
      published,
      goes: this.#goes.get(originKey(published.draft.origin)) === true,
    }));
  }

  /** Remembers what an origin wanted and could not have, and why, in words that follow "it". */
  deny(
    taker: Origin,
    names: Iterable<ApplicationName>,
    owners: ReadonlyMap<ApplicationName, Origin>,
    why: string,
  ): void {
    for (const name of names) {
      const owner = owners.get(name);
      if (owner !== undefined && !this.#waits.has(originKey(owner)))
        this.#waits.set(originKey(owner), `${describeOrigin(taker)} wants ${name} and ${why}`);
    }
  }

  /** Remembers an origin that may want anything: it fell over before it could say. */
  mistrust(taker: Origin): void {
    this.#unsaid ??= taker;
  }

  /** Why an origin that is gone lets go of nothing for now, in words that follow "because". */
  waitsBecause(origin: Origin): string | undefined {
    const unsaid =
      this.#unsaid === undefined
        ? undefined
        : `${describeOrigin(this.#unsaid)} could not be published and may want what it made`;
    return this.#waits.get(originKey(origin)) ?? unsaid;
  }
}
