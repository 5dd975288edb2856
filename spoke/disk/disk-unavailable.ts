import { Trouble } from "../../proto/kit/trouble.ts";

/** The state folder could not be read or written: full, read-only, gone; `cause` says which. */
export class DiskUnavailable extends Trouble {
  override readonly name = "DiskUnavailable";
}
