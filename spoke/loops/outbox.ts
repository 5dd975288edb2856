import { desiredRoot } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, Generation } from "../../proto/words/ids.ts";
import type { Ack, CommandResult, Report } from "../../proto/words/link-messages.ts";
import { reportDigest, type ApplicationReport } from "../../proto/words/report.ts";
import { bytesOfReport } from "../domain/bounded-report.ts";

/** How much goes into one report, so that a full resend neither blocks the stream nor grows without end. */
const batchApplicationsMost = 500;
const batchResourcesMost = 5_000;
/** Far from what either end takes in one message, which a report alone may come near to. */
const batchBytesMost = 4 * 1024 * 1024;
const resultsMost = 100;
const begunMost = 1_000;

/** What the hub wants on this cluster, as the spoke last heard it; a new value whenever that changed. */
type Wanted = {
  readonly applications: { readonly has: (application: ApplicationName) => boolean };
  /** Among `applications`, what the hub does not know. */
  readonly strays: { readonly has: (application: ApplicationName) => boolean };
};

type Kept = { readonly report: ApplicationReport; readonly digest: Digest };
type Batch = {
  readonly sequence: number;
  readonly applications: ReadonlySet<ApplicationName>;
  readonly gone: ReadonlySet<ApplicationName>;
};

/**
 * What the hub has still to hear: the newest report per application, acknowledgements, command results.
 *
 * Outlives sessions. Everything coalesces by application or by command, so its size is bounded by what the
 * cluster runs. One batch of reports is on its way at a time; what it holds counts as unsaid until the hub
 * has it on disk. Written and read by the link loop only.
 */
export class Outbox {
  readonly #reports = new Map<ApplicationName, Kept>();
  readonly #changed = new Set<ApplicationName>();
  readonly #gone = new Set<ApplicationName>();
  readonly #acks = new Map<string, Ack>();
  /** Tombstones carried out, until the hub has recorded it. */
  readonly #removed = new Map<ApplicationName, Generation>();
  /** Kept after they were said: the hub asks again when it missed one. */
  readonly #results = new Map<string, CommandResult>();
  readonly #unsaidResults = new Set<string>();
  /** Commands that began in this process, whose results have come or will. */
  readonly #begun = new Set<string>();
  #onItsWay: Batch | undefined;
  #sequence = 0;
  #root: { readonly of: Wanted; readonly root: Digest } | undefined;
  readonly #wanted: () => Wanted;

  constructor(wanted: () => Wanted) {
    this.#wanted = wanted;
  }

  /** `undefined`: there is nothing to say of it any more. Returns whether that is news. */
  setReport(application: ApplicationName, report: ApplicationReport | undefined): boolean {
    const before = this.#reports.get(application);
    if (report === undefined) {
      this.#reports.delete(application);
      this.#changed.delete(application);
      this.#gone.add(application);
      this.#root = undefined;
      return true;
    }
    const digest = reportDigest(report);
    if (before?.digest === digest) return false;
    this.#reports.set(application, { report, digest });
    this.#changed.add(application);
    this.#gone.delete(application);
    this.#root = undefined;
    return true;
  }

  /** An applied or healthy acknowledgement; a newer one of the same application replaces it. */
  addAck(ack: Extract<Ack, { kind: "applied" | "healthy" }>): void {
    this.#acks.set(`${ack.kind} ${ack.application}`, ack);
  }

  addRemoved(application: ApplicationName, generation: Generation): void {
    this.#removed.set(application, generation);
    this.#acks.set(`removed ${application}`, { kind: "removed", application, generation });
    this.setReport(application, undefined);
  }

  addResult(result: CommandResult): void {
    this.#results.delete(result.id);
    this.#results.set(result.id, result);
    this.#unsaidResults.add(result.id);
    for (const id of this.#results.keys()) {
      if (this.#results.size <= resultsMost) break;
      this.#results.delete(id);
      this.#unsaidResults.delete(id);
    }
  }

  begin(commandId: string): void {
    this.#begun.add(commandId);
    const [oldest] = this.#begun;
    if (this.#begun.size > begunMost && oldest !== undefined) this.#begun.delete(oldest);
  }

  /** The hub asks for a command's result again. False when there is none and none will come. */
  repeatResult(commandId: string): boolean {
    if (this.#results.has(commandId)) this.#unsaidResults.add(commandId);
    return this.#results.has(commandId) || this.#begun.has(commandId);
  }

  /**
   * What the hub holds once it has heard everything. It is told how a removal goes, and keeps reports only of what
   * it wants.
   */
  statusRoot(): Digest {
    const of = this.#wanted();
    if (this.#root?.of === of) return this.#root.root;
    const kept = [...this.#reports].filter(([name]) => isKept(name, of));
    const root = desiredRoot(new Map(kept.map(([name, { digest }]) => [name, digest])));
    this.#root = { of, root };
    return root;
  }

  /**
   * A session begins; nothing is on its way any more. When the hub's root is ours it has every report that it
   * keeps, otherwise it gets them all.
   */
  beginSession(hubStatusRoot: Digest): void {
    this.#giveBack();
    this.#sequence = 0;
    const wanted = this.#wanted();
    const hasAll = hubStatusRoot === this.statusRoot();
    for (const name of this.#reports.keys())
      if (hasAll && isKept(name, wanted)) this.#changed.delete(name);
      else this.#changed.add(name);
    for (const [application, generation] of this.#removed) this.addRemoved(application, generation);
  }

  /**
   * The hub says which reports it holds. When that is not what it was told, and nothing is unsaid or on its way
   * that would explain it, it is told everything again. Returns whether it is.
   */
  sayAllUnless(hubStatusRoot: Digest): boolean {
    const explained = this.#onItsWay !== undefined || this.#changed.size > 0 || this.#gone.size > 0;
    if (explained || hubStatusRoot === this.statusRoot()) return false;
    for (const name of this.#reports.keys()) this.#changed.add(name);
    return this.#changed.size > 0;
  }

  /** Has the newest reports of these said once more. */
  sayAgain(applications: readonly ApplicationName[]): void {
    for (const name of applications) if (this.#reports.has(name)) this.#changed.add(name);
  }

  /** The next thing to say; `undefined` when there is none, or when the hub must first confirm a report. */
  next(): { readonly kind: "ack"; readonly ack: Ack } | CommandResult | Report | undefined {
    // Results and acknowledgements go before the report, which repeats what they say at more length.
    for (const id of this.#unsaidResults) {
      this.#unsaidResults.delete(id);
      const result = this.#results.get(id);
      if (result !== undefined) return result;
    }
    for (const [key, ack] of this.#acks) {
      this.#acks.delete(key);
      return { kind: "ack", ack };
    }
    return this.#onItsWay === undefined ? this.#nextReport() : undefined;
  }

  #nextReport(): Report | undefined {
    if (this.#changed.size === 0 && this.#gone.size === 0) return undefined;
    const applications: ApplicationReport[] = [];
    let resources = 0;
    let bytes = 0;
    for (const name of this.#changed) {
      const report = this.#reports.get(name)?.report;
      if (report === undefined) continue;
      resources += report.resources.length;
      bytes += bytesOfReport(report);
      const isFull =
        resources > batchResourcesMost ||
        bytes > batchBytesMost ||
        applications.length >= batchApplicationsMost;
      if (isFull && applications.length > 0) break;
      applications.push(report);
      this.#changed.delete(name);
    }
    const gone = [...this.#gone];
    this.#gone.clear();
    this.#sequence += 1;
    this.#onItsWay = {
      sequence: this.#sequence,
      applications: new Set(applications.map(({ application }) => application)),
      gone: new Set(gone),
    };
    return { kind: "report", sequence: this.#sequence, applications, gone };
  }

  /** The hub has everything up to `sequence` on disk. Returns the tombstones it now knows to be carried out. */
  confirm(sequence: number): readonly (readonly [ApplicationName, Generation])[] {
    const batch = this.#onItsWay;
    if (batch === undefined || sequence < batch.sequence) return [];
    this.#onItsWay = undefined;
    return [...batch.gone].flatMap((name) => {
      const generation = this.#removed.get(name);
      if (generation === undefined) return [];
      this.#removed.delete(name);
      return [[name, generation] as const];
    });
  }

  #giveBack(): void {
    const batch = this.#onItsWay;
    this.#onItsWay = undefined;
    for (const name of batch?.applications ?? [])
      if (this.#reports.has(name)) this.#changed.add(name);
    for (const name of batch?.gone ?? []) if (!this.#reports.has(name)) this.#gone.add(name);
  }
}

const isKept = (application: ApplicationName, { applications, strays }: Wanted): boolean =>
  applications.has(application) && !strays.has(application);
