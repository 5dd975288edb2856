import { spawn } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Takes down what a test started, also when the test process is killed: a shell that reads from a pipe we hold
 * sees its end however we went, and then kills the processes listed and removes the folder.
 */
export type Guard = {
  readonly add: (processId: number) => void;
  /** To be called when it has ended: its number may soon be somebody else's. */
  readonly remove: (processId: number) => void;
  /** Everything was stopped in order: nothing left to do but to remove the folder. */
  readonly release: () => void;
};

export function startGuard(folder: string): Guard {
  const list = join(folder, "processes");
  const living = new Set<number>();
  // Whole at every moment: who reads it does so when we are gone, in the middle of a line perhaps.
  const write = (): void => {
    writeFileSync(`${list}.new`, [...living].map((id) => `${id}\n`).join(""));
    renameSync(`${list}.new`, list);
  };
  write();
  const shell = spawn(
    "/bin/sh",
    [
      "-c",
      'read -r word; [ "$word" = released ] || for id in $(cat "$1/processes"); do kill -9 "$id" 2>/dev/null; done; rm -rf "$1"',
      "guard",
      folder,
    ],
    // A group of its own: Ctrl-C in the terminal reaches us, and the guard then sees us go.
    { stdio: ["pipe", "ignore", "ignore"], detached: true },
  );
  shell.stdin.on("error", () => undefined);
  shell.unref();
  return {
    add: (processId) => {
      living.add(processId);
      write();
    },
    remove: (processId) => {
      if (living.delete(processId)) write();
    },
    release: () => {
      living.clear();
      shell.stdin.end("released\n");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
