import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";

/** Which applications of this cluster declare which object, by the bundles last read. */
export class Declarations {
  readonly #byApplication = new Map<ApplicationName, ReadonlySet<ObjectKey>>();
  readonly #byKey = new Map<ObjectKey, readonly ApplicationName[]>();

  /** Takes in all that an application declares now, and returns the keys for which that is news. */
  set(application: ApplicationName, keys: Iterable<ObjectKey>): readonly ObjectKey[] {
    const before = this.#byApplication.get(application) ?? none;
    const now = new Set(keys);
    const added = [...now].filter((key) => !before.has(key));
    const dropped = [...before].filter((key) => !now.has(key));
    for (const key of added) this.#byKey.set(key, [...this.of(key), application]);
    for (const key of dropped) {
      const left = this.others(key, application);
      if (left.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, left);
    }
    if (now.size === 0) this.#byApplication.delete(application);
    else this.#byApplication.set(application, now);
    return [...added, ...dropped];
  }

  of(key: ObjectKey): readonly ApplicationName[] {
    return this.#byKey.get(key) ?? [];
  }

  others(key: ObjectKey, application: ApplicationName): readonly ApplicationName[] {
    return this.of(key).filter((name) => name !== application);
  }
}

const none: ReadonlySet<ObjectKey> = new Set();
