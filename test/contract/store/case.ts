import type { Store } from "../../../hub/store/store.ts";

/** Registers a case. `work` is given an empty store, which is closed when it is done. */
export type Case = (name: string, work: (store: Store) => Promise<void>) => void;
