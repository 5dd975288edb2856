import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, in memory, that can be full. */
export type SmallDisk = {
  readonly folder: string;
  /** Takes every page that is free, whoever else writes meanwhile. */
  readonly fill: () => void;
  /** The space is back. */
  readonly clear: () => void;
  readonly stop: () => void;
};

/** `undefined` when this user may mount a file system here; otherwise what it needs, in words. */
export function whyNoSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-disk-"));
  try {
    mount(folder, 1);
    execFileSync("umount", [folder]);
    return undefined;
  } catch {
    return "needs the right to mount a tmpfs: run as root with CAP_SYS_ADMIN";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function openSmallDisk(megabytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-disk-"));
  mount(folder, megabytes);
  const ballast = join(folder, "ballast");
  const clear = (): void => rmSync(ballast, { force: true });
  return {
    folder,
    clear,
    fill: () => {
      clear();
      takeAll(ballast, statfsSync(folder).bsize);
    },
    stop: () => {
      // Lazily: whatever was killed a moment ago may hold a file yet.
      execFileSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Page by page: how much is free may change between a look and a write, as others write here too.
 */
const takeAll = (file: string, pageBytes: number): void => {
  const page = Buffer.alloc(pageBytes);
  const descriptor = openSync(file, "w");
  try {
    for (;;) writeSync(descriptor, page);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(descriptor);
  }
};

const mount = (folder: string, megabytes: number): void => {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], {
    stdio: "ignore",
  });
};
