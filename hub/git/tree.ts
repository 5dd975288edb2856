import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { followLinks, type Standing } from "../domain/follow-links.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import { inWalkOrder } from "../domain/patterns/walk-order.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";
import type { ObjectStore } from "./objects.ts";

export type TreeEntryKind = "directory" | "file" | "symlink" | "submodule";

export type TreeEntry = {
  readonly name: string;
  readonly kind: TreeEntryKind;
  readonly oid: string;
};

/** A path below the root, without a slash at either end; the root itself is the empty text. */
export type ListedEntry = {
  readonly path: string;
  readonly kind: Exclude<TreeEntryKind, "directory">;
  readonly oid: string;
};

export type ReadProblem =
  | { readonly kind: "absent" }
  | { readonly kind: "not-a-file"; readonly found: TreeEntryKind }
  | { readonly kind: "too-large"; readonly bytes: number; readonly bytesMost: number };

export type TreeLimits = {
  /** Entries of all trees that one listing may visit. */
  readonly entriesMost: number;
  readonly depthMost: number;
};

/** The longest path an operating system takes. */
const linkBytesMost = 4096;

const treeLimits: TreeLimits = { entriesMost: 1_000_000, depthMost: 100 };

/**
 * One commit as a read-only listing.
 *
 * Symbolic links and submodules are listed as what they are. Only `followLinks` follows a link, and none leads out.
 * Names come back as in the tree; listings of files are in order of bytes. Everything throws MirrorDamaged when an object is missing.
 */
export type CommitTree = {
  readonly commit: string;
  /** Identity of everything under a path: equal ids, equal content. `undefined` when there is no such path. */
  readonly oidOf: (path: string) => string | undefined;
  readonly entryAt: (path: string) => TreeEntry | undefined;
  /** Where a path leads inside the commit. Fails with the rest of a sentence: `leads out of the repository: …`. */
  readonly followLinks: (path: string) => Result<string, string>;
  /**
   * Every directory but the root, without those whose name or whose parent's name begins with a dot, as a walk
   * meets them.
   */
  readonly directories: () => readonly string[];
  /** Everything under a directory that is not a directory; `undefined` when there is no such directory. */
  readonly list: (
    path: string,
    manner: { readonly recurse: boolean },
  ) => readonly ListedEntry[] | undefined;
  readonly readFile: (path: string, bytesMost: number) => Result<Uint8Array, ReadProblem>;
};

/** Opens a commit. `undefined` when the repository has no such commit. */
export function openCommit(
  objects: ObjectStore,
  commit: string,
  limits: TreeLimits = treeLimits,
): CommitTree | undefined {
  const object = objects.read(commit);
  if (object === undefined || object.type !== "commit") return undefined;
  const root = treeOfCommit(object.bytes);
  const parsed = new Map<string, readonly TreeEntry[]>();

  const entriesOf = (oid: string): readonly TreeEntry[] => {
    const kept = parsed.get(oid);
    if (kept !== undefined) return kept;
    const tree = objects.read(oid);
    if (tree === undefined || tree.type !== "tree")
      throw new MirrorDamaged(`tree ${oid} is missing`);
    const entries = parseTree(tree.bytes, oid);
    parsed.set(oid, entries);
    return entries;
  };

  const entryAt = (path: string): TreeEntry | undefined => {
    let entry: TreeEntry = { name: "", kind: "directory", oid: root };
    for (const name of path.split("/")) {
      if (name === "" || name === ".") continue;
      if (entry.kind !== "directory") return undefined;
      const next = entriesOf(entry.oid).find((candidate) => candidate.name === name);
      if (next === undefined) return undefined;
      entry = next;
    }
    return entry;
  };

  const bytesOf = (oid: string, bytesMost: number): Result<Uint8Array, number> => {
    const size = objects.size(oid);
    if (size === undefined) throw new MirrorDamaged(`file ${oid} is missing`);
    if (size > bytesMost) return fail(size);
    const blob = objects.read(oid);
    if (blob === undefined) throw new MirrorDamaged(`file ${oid} is missing`);
    return ok(blob.bytes);
  };

  const standingAt = (path: string): Standing | undefined => {
    const entry = entryAt(path);
    if (entry === undefined) return undefined;
    switch (entry.kind) {
      case "symlink": {
        const target = bytesOf(entry.oid, linkBytesMost);
        return target.ok
          ? { kind: "link", target: Buffer.from(target.value).toString("utf8") }
          : { kind: "other" };
      }
      case "directory":
        return { kind: "directory" };
      case "file":
      case "submodule":
        return { kind: "other" };
      default:
        return unreachable(entry.kind, "tree entry");
    }
  };

  const walk = (
    oid: string,
    path: string,
    enter: (name: string) => boolean,
    visit: (path: string, entry: TreeEntry) => void,
  ): void => {
    let seen = 0;
    const inside = (tree: string, prefix: string, depth: number): void => {
      if (depth > limits.depthMost)
        throw new MirrorDamaged(`${prefix} is nested deeper than ${limits.depthMost} directories`);
      for (const entry of entriesOf(tree)) {
        seen += 1;
        if (seen > limits.entriesMost)
          throw new MirrorDamaged(`more than ${limits.entriesMost} entries under ${path}`);
        const full = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
        if (entry.kind === "directory" && !enter(entry.name)) continue;
        visit(full, entry);
        if (entry.kind === "directory") inside(entry.oid, full, depth + 1);
      }
    };
    inside(oid, path, 0);
  };

  return {
    commit,
    oidOf: (path) => entryAt(path)?.oid,
    entryAt,
    followLinks: (path) => {
      const entry = entryAt(path);
      // Nearly every path is a file's: the parts of it need not be looked at one by one.
      return entry?.kind === "file" ? ok(path) : followLinks(path, standingAt);
    },
    directories: () => {
      const found: string[] = [];
      walk(
        root,
        "",
        (name) => !name.startsWith("."),
        (path, entry) => {
          if (entry.kind === "directory") found.push(path);
        },
      );
      return inWalkOrder(found);
    },
    list: (path, { recurse }) => {
      const start = entryAt(path);
      if (start === undefined || start.kind !== "directory") return undefined;
      const found: ListedEntry[] = [];
      walk(
        start.oid,
        trimSlashes(path),
        () => recurse,
        (full, { kind, oid }) => {
          if (kind !== "directory") found.push({ path: full, kind, oid });
        },
      );
      return found.toSorted((a, b) => byBytes(a.path, b.path));
    },
    readFile: (path, bytesMost) => {
      const entry = entryAt(path);
      if (entry === undefined) return fail({ kind: "absent" });
      if (entry.kind !== "file") return fail({ kind: "not-a-file", found: entry.kind });
      const read = bytesOf(entry.oid, bytesMost);
      return read.ok ? read : fail({ kind: "too-large", bytes: read.problem, bytesMost });
    },
  };
}

/** Order of UTF-8 bytes, as Git and Go sort paths; UTF-16 order differs beyond the basic plane. */
export function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  if (isPlain(a) && isPlain(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const isPlain = (text: string): boolean => !/[\uD800-\uFFFF]/.test(text);

const trimSlashes = (path: string): string =>
  path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/");

/** The tree a commit names. Throws MirrorDamaged when the bytes are not a commit's. */
export function treeOfCommit(bytes: Uint8Array): string {
  const tree = /^tree ([0-9a-f]{40})\n/.exec(
    Buffer.from(bytes.subarray(0, 46)).toString("latin1"),
  )?.[1];
  if (tree === undefined) throw new MirrorDamaged("a commit names no tree");
  return tree;
}

/** What an annotated tag points at. `undefined` when the bytes are not a tag's. */
export const targetOfTag = (bytes: Uint8Array): string | undefined =>
  /^object ([0-9a-f]{40})\n/.exec(Buffer.from(bytes.subarray(0, 48)).toString("latin1"))?.[1];

const kinds: ReadonlyMap<string, TreeEntryKind> = new Map([
  ["40000", "directory"],
  ["040000", "directory"],
  ["100644", "file"],
  ["100755", "file"],
  ["100664", "file"],
  ["120000", "symlink"],
  ["160000", "submodule"],
]);

/** Entries of a tree object. Throws MirrorDamaged for bytes that are none, or a name that is a path. */
export function parseTree(bytes: Uint8Array, oid: string): readonly TreeEntry[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: TreeEntry[] = [];
  for (let at = 0; at < buffer.length;) {
    const space = buffer.indexOf(0x20, at);
    const end = buffer.indexOf(0, space);
    const mode = buffer.toString("latin1", at, space);
    const name = buffer.toString("utf8", space + 1, end);
    const kind = kinds.get(mode);
    const bad = name === "" || name === "." || name === ".." || name.includes("/");
    if (space === -1 || end === -1 || end + 21 > buffer.length || kind === undefined || bad)
      throw new MirrorDamaged(`tree ${oid} has a bad entry ${JSON.stringify(`${mode} ${name}`)}`);
    entries.push({ name, kind, oid: buffer.toString("hex", end + 1, end + 21) });
    at = end + 21;
  }
  return entries;
}
