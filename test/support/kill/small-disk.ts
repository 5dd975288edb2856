import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, in memory, that can be full. */
export type SmallDisk = {
  readonly folder: string;
  /** Leaves so many bytes free at most. */
  readonly fill: (leaveBytes?: number) => void;
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
    fill: (leaveBytes = 0) => {
      clear();
      const { bavail, bsize } = statfsSync(folder);
      const pages = Math.max(0, bavail - Math.ceil(leaveBytes / bsize));
      writeFileSync(ballast, Buffer.alloc(pages * bsize));
    },
    stop: () => {
      // Lazily: whatever was killed a moment ago may hold a file yet.
      execFileSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const mount = (folder: string, megabytes: number): void => {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], {
    stdio: "ignore",
  });
};
