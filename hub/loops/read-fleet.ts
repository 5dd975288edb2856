import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { FleetDocument } from "../domain/fleet-documents.ts";
import { problem, type ProblemDraft } from "../domain/problem.ts";
import type { ListedFile, ReadYaml, SourceTree } from "../domain/source-tree.ts";
import type { Pace } from "./pace.ts";

/** A commit as publishing reads it. */
export type PublishTree = SourceTree & {
  /** Identity of all that is under a path; `undefined` when nothing is there. */
  readonly oidOf: (path: string) => string | undefined;
  /** Where a path leads inside the commit. Fails with the rest of a sentence: `leads out of the repository: …`. */
  readonly followLinks: (path: string) => Result<string, string>;
  readonly directories: () => readonly string[];
};

/** Documents of files by their content's id, so that only what changed is parsed again. */
export type ParsedFiles = Map<
  string,
  { readonly oid: string; readonly documents: readonly FleetDocument[] }
>;

const fleetFileBytesMost = 4 * 1024 * 1024;

const codes = {
  pathMissing: "WH-GEN-3121",
  fileUnreadable: "WH-GEN-3122",
} as const;

/**
 * Every YAML and JSON document under a path of the fleet repository. What cannot be read is among them as
 * such: nothing it may have held counts as gone.
 */
export async function readFleet(
  tree: PublishTree,
  path: string,
  readYaml: ReadYaml,
  parsed: ParsedFiles,
  pace: Pace,
  signal: AbortSignal,
): Promise<readonly FleetDocument[]> {
  const listed = tree.list(path, { recurse: true });
  if (listed === undefined)
    return [
      unreadable(
        path,
        problem(
          codes.pathMissing,
          `the fleet repository has no directory ${JSON.stringify(path)} at commit ${tree.commit}`,
        ),
      ),
    ];
  const documents: FleetDocument[] = [];
  const present = new Set<string>();
  for (const { path: file, kind, oid } of listed) {
    if (!/\.(ya?ml|json)$/.test(file) || inDotDirectory(file)) continue;
    present.add(file);
    const known = parsed.get(file);
    if (known !== undefined && known.oid === oid) {
      documents.push(...known.documents);
      continue;
    }
    await pace.breathe(signal);
    const found = kind === "file" ? readOne(tree, file, readYaml) : [notFollowed(file, kind)];
    parsed.set(file, { oid, documents: found });
    documents.push(...found);
  }
  for (const file of parsed.keys()) if (!present.has(file)) parsed.delete(file);
  return documents;
}

/** `.github` and the like hold YAML that is nobody's manifest. */
const inDotDirectory = (file: string): boolean => /(^|\/)\.[^/]+\//.test(file);

const unreadable = (file: string, draft: ProblemDraft): FleetDocument => ({
  kind: "unreadable",
  file,
  problem: draft,
});

const notFollowed = (file: string, kind: Exclude<ListedFile["kind"], "file">): FleetDocument =>
  unreadable(
    file,
    problem(
      codes.fileUnreadable,
      `${file} is a ${kind === "symlink" ? "symbolic link" : kind}, which is not followed`,
    ),
  );

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The text of a file, or what keeps us from it: `has 9 bytes, at most 8 are read`. */
export function readText(
  tree: PublishTree,
  path: string,
  bytesMost: number,
): Result<string, string> {
  const read = tree.readFile(path, bytesMost);
  if (!read.ok) {
    const { problem: why } = read;
    switch (why.kind) {
      case "too-large":
        return fail(`has ${why.bytes} bytes, at most ${why.bytesMost} are read`);
      case "not-a-file":
        return fail(`is a ${why.found}, not a file`);
      case "absent":
        return fail("cannot be read: it is absent");
      default:
        return unreachable(why, "reason not to read");
    }
  }
  try {
    return ok(utf8.decode(read.value));
  } catch {
    return fail("is not UTF-8 text");
  }
}

function readOne(tree: PublishTree, file: string, readYaml: ReadYaml): readonly FleetDocument[] {
  const text = readText(tree, file, fleetFileBytesMost);
  if (!text.ok) return [unreadable(file, problem(codes.fileUnreadable, `${file} ${text.problem}`))];
  const parsed = readYaml(text.value);
  if (!parsed.ok) {
    const { code, line, column, reason } = parsed.problem;
    return [unreadable(file, problem(code, `${file}: line ${line}, column ${column}: ${reason}`))];
  }
  return parsed.value.map(({ value }, index) => ({
    kind: "read",
    file,
    number: index + 1,
    value,
  }));
}
