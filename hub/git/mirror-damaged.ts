import { Trouble } from "../../proto/kit/trouble.ts";

/** What lies on disk is not a repository we can read. A mirror is only a copy: it is made again. */
export class MirrorDamaged extends Trouble {
  override readonly name = "MirrorDamaged";

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}
