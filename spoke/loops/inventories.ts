import type { ApplicationName } from "../../proto/words/ids.ts";
import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type { InventoryStore } from "../domain/cluster.ts";
import type { InventoryEntry } from "../domain/inventory.ts";

/**
 * What every application of this cluster owns, as it is in the cluster or about to be.
 *
 * The one writer of the inventory store. Changes are seen by everybody at once, so two applications that
 * want one object cannot both claim it; they are durable after `save`.
 */
export class Inventories {
  readonly #store: InventoryStore;
  readonly #entries = new Map<ApplicationName, Map<ObjectKey, InventoryEntry>>();
  readonly #claims = new Map<ObjectKey, readonly ApplicationName[]>();
  /** What the store holds, as text; nothing for applications it does not know. */
  readonly #saved = new Map<ApplicationName, string>();

  constructor(store: InventoryStore) {
    this.#store = store;
  }

  async load(signal: AbortSignal): Promise<void> {
    for (const [application, entries] of await this.#store.readAll(signal)) {
      this.#entries.set(application, new Map(entries.map((entry) => [entry.key, entry])));
      for (const { key } of entries) this.#addClaim(application, key);
      this.#saved.set(application, this.#text(application));
    }
  }

  of(application: ApplicationName): ReadonlyMap<ObjectKey, InventoryEntry> {
    return this.#entries.get(application) ?? none;
  }

  set(application: ApplicationName, entry: InventoryEntry): void {
    const entries = this.#entries.get(application) ?? new Map<ObjectKey, InventoryEntry>();
    this.#entries.set(application, entries.set(entry.key, entry));
    this.#addClaim(application, entry.key);
  }

  delete(application: ApplicationName, key: ObjectKey): void {
    this.#entries.get(application)?.delete(key);
    const left = (this.#claims.get(key) ?? []).filter((name) => name !== application);
    if (left.length === 0) this.#claims.delete(key);
    else this.#claims.set(key, left);
  }

  /**
   * The other application an object belongs to: whoever applied it, else whoever claimed it first. Of the
   * others only those count that still hold on to it.
   */
  otherOwner(
    key: ObjectKey,
    application: ApplicationName,
    holdsOn: (application: ApplicationName) => boolean = () => true,
  ): ApplicationName | undefined {
    const claims = this.claimants(key).filter((name) => name === application || holdsOn(name));
    const owner = claims.find((name) => this.of(name).get(key)?.uid !== "") ?? claims[0];
    return owner === application ? undefined : owner;
  }

  /** Applications that have to do with an object. */
  claimants(key: ObjectKey): readonly ApplicationName[] {
    return this.#claims.get(key) ?? [];
  }

  /** Whether other applications than this one own something in a namespace. Looks at everything; asked rarely. */
  isUsedByOthers(namespace: string, application: ApplicationName): boolean {
    for (const [name, entries] of this.#entries) {
      if (name === application) continue;
      for (const key of entries.keys())
        if (objectKeyParts(key).namespace === namespace) return true;
    }
    return false;
  }

  /** Makes the store hold what we hold. Does nothing when it already does. */
  async save(application: ApplicationName, signal: AbortSignal): Promise<void> {
    const text = this.#text(application);
    if (text === (this.#saved.get(application) ?? "[]")) return;
    // Until the answer is here nobody knows what the store holds.
    this.#saved.set(application, "unknown");
    await this.#store.write(application, this.#sorted(application), signal);
    this.#saved.set(application, text);
  }

  async forget(application: ApplicationName, signal: AbortSignal): Promise<void> {
    if (this.#saved.has(application)) await this.#store.forget(application, signal);
    this.#saved.delete(application);
    for (const key of this.of(application).keys()) this.delete(application, key);
    this.#entries.delete(application);
  }

  #addClaim(application: ApplicationName, key: ObjectKey): void {
    const claims = this.#claims.get(key) ?? [];
    if (!claims.includes(application)) this.#claims.set(key, [...claims, application]);
  }

  #sorted(application: ApplicationName): readonly InventoryEntry[] {
    return [...this.of(application).values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  #text(application: ApplicationName): string {
    return JSON.stringify(
      this.#sorted(application).map(({ key, version, uid, applied, fingerprint }) => [
        key,
        version,
        uid,
        applied,
        fingerprint,
      ]),
    );
  }
}

const none: ReadonlyMap<ObjectKey, InventoryEntry> = new Map();
