import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The program as it is published, made from the sources as they are now: it starts in a tenth of a second. */
export type PublishedProgram = {
  /** Words before the command's own, for `startProcess` and its like. */
  readonly front: readonly string[];
  /** Keeps what V8 compiled between starts. */
  readonly environment: Readonly<Record<string, string>>;
  readonly remove: () => void;
};

const root = join(import.meta.dirname, "../../..");

export async function publishProgram(): Promise<PublishedProgram> {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-program-"));
  const dist = join(folder, "dist");
  await promisify(execFile)(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    join(root, "scripts/build.ts"),
    dist,
  ]);
  // The one library that stays outside the bundle.
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    front: [join(dist, "wheelhouse.js")],
    environment: { NODE_COMPILE_CACHE: join(folder, "compiled") },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
