import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { fail, type Result } from "../../../proto/kit/result.ts";
import type { Json } from "../../../proto/words/digest.ts";
import { normalizedRepository } from "../../domain/app-project.ts";
import type { ApplicationSet } from "../../domain/application-set.ts";
import {
  repositoryFactKey,
  type Facts,
  type RepositoryFact,
  type RepositoryNeed,
} from "../../domain/facts.ts";
import { followLinks, type Standing } from "../../domain/follow-links.ts";
import { neededRepositories } from "../../domain/generate.ts";
import { withoutUserInfo } from "../../domain/import-argocd/finding.ts";
import { inWalkOrder } from "../../domain/patterns/walk-order.ts";
import { compareBytes } from "../../domain/template/value.ts";
import { parseOne } from "../../git/yaml.ts";
import { transliterate } from "../../transliterate.ts";
import { usage } from "../exit-codes.ts";

/** Clones on this machine, by the spelling all addresses of one repository share. */
export type Checkouts = ReadonlyMap<string, string>;

/** Reads `URL=FOLDER` words. */
export function checkoutsOf(words: readonly string[]): Checkouts {
  const folders = new Map<string, string>();
  for (const word of words) {
    const equals = word.lastIndexOf("=");
    if (equals < 1 || equals === word.length - 1)
      throw usage(`--checkout ${JSON.stringify(withoutUserInfo(word))} is not of the form URL=DIR`);
    folders.set(normalizedRepository(word.slice(0, equals)), word.slice(equals + 1));
  }
  return folders;
}

/** What one step of generation may name, the next may ask for; deeper than any nesting allows is a bug. */
const roundsMost = 10;

/**
 * What is known already, and everything a set asks of repositories, from clones. Whatever revision it names, it gets
 * what is checked out.
 */
export function gatherFacts(set: ApplicationSet, known: Facts, checkouts: Checkouts): Facts {
  let facts = known;
  for (let round = 0; round < roundsMost; round += 1) {
    const wanted = neededRepositories(set, facts, { decodeYaml: parseOne, transliterate });
    if (wanted.length === 0) break;
    const repositories = new Map(facts.repositories);
    const unreadable = new Map(facts.unreadable);
    for (const need of wanted) {
      const key = repositoryFactKey(need.repoURL, need.revision);
      const folder = checkouts.get(normalizedRepository(need.repoURL));
      if (folder === undefined)
        unreadable.set(
          key,
          `give a clone of ${withoutUserInfo(need.repoURL)} to compare with: --checkout URL=DIR`,
        );
      else repositories.set(key, repositoryIn(folder, need));
    }
    facts = { ...facts, repositories, unreadable };
  }
  return facts;
}

function repositoryIn(folder: string, need: RepositoryNeed): RepositoryFact {
  const files = filesBelow(folder);
  const listed = new Set(files);
  const read = (path: string): Result<Json, string> => {
    if (!listed.has(path)) return fail("it is not in the clone");
    const followed = followLinks(path, (at) => standingIn(folder, at));
    if (!followed.ok) return followed;
    return standingIn(folder, followed.value)?.kind === "other"
      ? parseOne(readFileSync(join(folder, followed.value), "utf8"))
      : fail("is a directory, not a file");
  };
  return {
    repoURL: need.repoURL,
    revision: need.revision,
    commit: "",
    directories: directoriesOf(files),
    files,
    documents: new Map(need.reads.map((path) => [path, read(path)])),
  };
}

/** Git's own folder is in no commit. */
function standingIn(folder: string, path: string): Standing | undefined {
  const place = join(folder, path);
  const found =
    path === ".git" || path.startsWith(".git/")
      ? undefined
      : lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) return { kind: "link", target: readlinkSync(place) };
  return { kind: found.isDirectory() ? "directory" : "other" };
}

/** Every file and symbolic link. What a link leads to is not walked: it may be anywhere, or the folder itself. */
function filesBelow(folder: string): readonly string[] {
  const found: string[] = [];
  const walk = (prefix: string): void => {
    for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
      const path = `${prefix}${entry.name}`;
      if (path === ".git") continue;
      if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
      else if (entry.isDirectory()) walk(`${path}/`);
    }
  };
  try {
    walk("");
  } catch {
    throw usage(`--checkout: ${folder} is no folder that can be read`);
  }
  return found.toSorted(compareBytes);
}

/** Git knows no empty directories; those under a dot directory are not offered to generators. */
function directoriesOf(files: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const file of files) {
    const parts = file.split("/").slice(0, -1);
    for (const [index, part] of parts.entries()) {
      if (part.startsWith(".")) break;
      found.add(parts.slice(0, index + 1).join("/"));
    }
  }
  return inWalkOrder([...found]);
}
