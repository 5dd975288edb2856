import { readFileSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DiskUnavailable } from "./disk-unavailable.ts";

/**
 * A folder whose files are replaced whole or not at all, and stay replaced after a power loss.
 *
 * One process writes to it. Every function throws DiskUnavailable when the file system will not do it; what
 * was there before is then still there.
 */
export type DurableFolder = {
  /** `undefined` when there is no such file. */
  readonly read: (name: string, signal: AbortSignal) => Promise<Buffer | undefined>;
  /** Durable when it resolves. Once begun it is not aborted. */
  readonly replace: (name: string, content: Uint8Array, signal: AbortSignal) => Promise<void>;
  readonly rename: (from: string, to: string, signal: AbortSignal) => Promise<void>;
  /** Fine when there is no such file. Not durable by itself: a file removed may be back after a power loss. */
  readonly remove: (name: string, signal: AbortSignal) => Promise<void>;
  /** Finished files only. What crashes left behind is cleared away on the first call. */
  readonly list: (signal: AbortSignal) => Promise<readonly string[]>;
};

const unfinished = ".writing-";

export function durableFolder(folder: string): DurableFolder {
  let ready: Promise<void> | undefined;
  let count = 0;
  const writing = new Set<string>();
  const syncFolder = sharedSync(folder);

  /** Makes the folder and clears away what an earlier process left half-written. */
  async function prepare(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder))
      if (name.startsWith(unfinished) && !writing.has(name))
        // A disk that is read-only still holds the last good state, rubbish or not.
        await rm(join(folder, name)).catch(() => {});
  }

  async function attempt<T>(what: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    for (let tries = 1; ; tries += 1) {
      try {
        await prepared();
        return await work();
      } catch (error) {
        if (!isSystemError(error)) throw error;
        if (error.code !== "ENOENT" || tries > 1)
          throw new DiskUnavailable(`${what} in ${folder} failed`, { cause: error });
        // Perhaps the folder was taken away under us; then it is made again.
        ready = undefined;
      }
    }
  }

  async function prepared(): Promise<void> {
    ready ??= prepare();
    try {
      await ready;
    } catch (error) {
      // What cannot be made now may be possible later.
      ready = undefined;
      throw error;
    }
  }

  async function read(name: string): Promise<Buffer | undefined> {
    try {
      // Small files, most of them just written: four trips through the thread pool cost ten times the reading,
      // and a first sync reads thousands.
      return readFileSync(join(folder, name));
    } catch (error) {
      if (isSystemError(error) && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  async function replace(name: string, content: Uint8Array): Promise<void> {
    count += 1;
    const temporary = `${unfinished}${process.pid}-${count}`;
    const path = join(folder, temporary);
    writing.add(temporary);
    try {
      const file = await open(path, "w", 0o600);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(path, join(folder, name));
    } catch (error) {
      // On a full disk the half-written file is what stands in the way.
      await rm(path, { force: true }).catch(() => {});
      throw error;
    } finally {
      writing.delete(temporary);
    }
    await syncFolder();
  }

  return {
    read: async (name, signal) => await attempt(`reading ${name}`, () => read(name), signal),
    replace: async (name, content, signal) =>
      await attempt(`writing ${name}`, () => replace(name, content), signal),
    rename: async (from, to, signal) =>
      await attempt(
        `renaming ${from}`,
        async () => {
          await rename(join(folder, from), join(folder, to));
          await syncFolder();
        },
        signal,
      ),
    remove: async (name, signal) =>
      await attempt(`removing ${name}`, () => rm(join(folder, name), { force: true }), signal),
    list: async (signal) =>
      await attempt(
        "listing",
        async () => (await readdir(folder)).filter((name) => !name.startsWith(unfinished)),
        signal,
      ),
  };
}

/**
 * Makes a folder's entries durable, once for everybody who asks while a sync is running.
 *
 * A sync that began before a caller's rename may miss it, so such a caller waits for the next one.
 */
function sharedSync(folder: string): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function sync(): Promise<void> {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  function start(): Promise<void> {
    next = undefined;
    const mine = sync().finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  }

  return async () => {
    if (running === undefined) {
      await start();
      return;
    }
    next ??= running.catch(() => {}).then(start);
    await next;
  };
}

const isSystemError = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && "code" in error && typeof error.code === "string";
