import { spawn } from "node:child_process";

/** What a commit does to a path: text makes a file, `undefined` removes it (a directory with all it holds). */
export type FileChange =
  | string
  | Uint8Array
  | undefined
  | { readonly symlink: string }
  | { readonly submodule: string };

export type CommitOrder = {
  readonly files: Readonly<Record<string, FileChange>>;
  readonly message?: string;
  /** `main` by default. */
  readonly branch?: string;
  /** Starts a new history with only these files, as a force-push does. */
  readonly rewrite?: boolean;
};

export type FleetRepository = {
  /** Adds a commit on a branch, as a push would, and returns its SHA. */
  readonly commit: (order: CommitOrder, signal: AbortSignal) => Promise<string>;
  readonly head: (revision: string, signal: AbortSignal) => Promise<string>;
  readonly moveBranch: (branch: string, commit: string, signal: AbortSignal) => Promise<void>;
  readonly removeBranch: (branch: string, signal: AbortSignal) => Promise<void>;
  readonly tag: (
    name: string,
    revision: string,
    manner: "annotated" | "light",
    signal: AbortSignal,
  ) => Promise<void>;
  /** Packs everything with deltas. */
  readonly collectGarbage: (signal: AbortSignal) => Promise<void>;
};

/** Makes commits straight in a bare repository, without a work tree: one short process a commit. */
export function fleetRepository(folder: string): FleetRepository {
  let sequence = 0;
  const head = async (revision: string, signal: AbortSignal): Promise<string> =>
    (await runGit(folder, ["rev-parse", "--verify", revision], "", signal)).toString().trim();
  return {
    head,
    commit: async (order, signal) => {
      const branch = order.branch ?? "main";
      const parent =
        order.rewrite === true
          ? undefined
          : await head(`refs/heads/${branch}`, signal).catch(() => undefined);
      sequence += 1;
      // Distinct times keep two commits of the same tree apart.
      const when = `${1_760_000_000 + sequence} +0000`;
      const parts: (string | Uint8Array)[] = [
        `commit refs/heads/${branch}\n`,
        `committer Fleet <fleet@example.org> ${when}\n`,
        ...dataOf(order.message ?? "change"),
      ];
      if (parent !== undefined) parts.push(`from ${parent}\n`);
      for (const [path, change] of Object.entries(order.files)) parts.push(...lineOf(path, change));
      parts.push("\n");
      await runGit(
        folder,
        ["fast-import", "--quiet", "--force", "--date-format=raw"],
        Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part))),
        signal,
      );
      return head(`refs/heads/${branch}`, signal);
    },
    moveBranch: async (branch, commit, signal) => {
      await runGit(folder, ["update-ref", `refs/heads/${branch}`, commit], "", signal);
    },
    removeBranch: async (branch, signal) => {
      await runGit(folder, ["update-ref", "-d", `refs/heads/${branch}`], "", signal);
    },
    tag: async (name, revision, manner, signal) => {
      const extra = manner === "annotated" ? ["-a", "-m", name] : [];
      await runGit(folder, ["tag", "-f", ...extra, name, revision], "", signal);
    },
    collectGarbage: async (signal) => {
      await runGit(folder, ["gc", "--quiet", "--aggressive", "--prune=now"], "", signal);
    },
  };
}

function lineOf(path: string, change: FileChange): readonly (string | Uint8Array)[] {
  const quoted = JSON.stringify(path);
  if (change === undefined) return [`D ${quoted}\n`];
  if (typeof change === "string" || change instanceof Uint8Array)
    return [`M 100644 inline ${quoted}\n`, ...dataOf(change)];
  if ("symlink" in change) return [`M 120000 inline ${quoted}\n`, ...dataOf(change.symlink)];
  return [`M 160000 ${change.submodule} ${quoted}\n`];
}

function dataOf(content: string | Uint8Array): readonly (string | Uint8Array)[] {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return [`data ${bytes.length}\n`, bytes, "\n"];
}

/** Runs git with nothing of the machine's own configuration. Throws with what it said when it fails. */
export async function runGit(
  folder: string,
  args: readonly string[],
  input: string | Uint8Array,
  signal: AbortSignal,
): Promise<Buffer> {
  const child = spawn("git", args, {
    cwd: folder,
    signal,
    env: {
      PATH: process.env["PATH"],
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
      GIT_AUTHOR_NAME: "Fleet",
      GIT_AUTHOR_EMAIL: "fleet@example.org",
      GIT_COMMITTER_NAME: "Fleet",
      GIT_COMMITTER_EMAIL: "fleet@example.org",
    },
  });
  const output: Buffer[] = [];
  const complaint: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => complaint.push(chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const ended = Promise.withResolvers<number | null>();
  child.once("error", ended.reject);
  child.once("close", ended.resolve);
  const code = await ended.promise;
  if (code !== 0)
    throw new Error(
      `git ${args[0] ?? ""} ended with ${code}: ${Buffer.concat(complaint).toString().trim()}`,
    );
  return Buffer.concat(output);
}
