import { Trouble } from "../../proto/kit/trouble.ts";

/** The database cannot be used at the moment; `cause` says why. */
export class StoreUnavailable extends Trouble {
  override readonly name = "StoreUnavailable";

  constructor(doing: string, cause: unknown) {
    super(`the store could not be ${doing}`, { cause });
  }
}

/** The folder holds something this program must not touch. Waiting does not help. */
export class StoreUnusable extends Error {
  override readonly name = "StoreUnusable";
}

/** The cluster is not registered, or was removed while somebody still spoke for it. */
export class UnknownCluster extends Error {
  override readonly name = "UnknownCluster";

  constructor(cluster: string) {
    super(`cluster ${cluster} is not registered`);
  }
}
