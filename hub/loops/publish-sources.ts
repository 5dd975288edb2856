import type { Clock } from "../../proto/kit/clock.ts";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import type { Blob, Bundle } from "../../proto/words/bundle.ts";
import type { Digest, Json } from "../../proto/words/digest.ts";
import type { ApplicationSource } from "../domain/application.ts";
import { makeBundle } from "../domain/bundle.ts";
import type { Rendered } from "../domain/plan/input.ts";
import { repositoryFactKey, type RepositoryFact, type RepositoryNeed } from "../domain/facts.ts";
import type { GenerateNeeds } from "../domain/generate.ts";
import type { Manifest } from "../domain/manifest.ts";
import { problem, type ProblemDraft } from "../domain/problem.ts";
import { compareBytes } from "../domain/template/value.ts";
import type { Pace } from "./pace.ts";
import { readText, type PublishTree } from "./read-fleet.ts";

/** What rendering gave, as the cache keeps it. */
export type RememberedRendering = Result<
  { readonly bundle: Digest; readonly objects: number },
  ProblemDraft
>;

/** What reading repositories and rendering need of the outside. */
export type SourceNeeds = {
  /** A commit that is here; `undefined` when it is not (any more). */
  readonly openCommit: (
    url: string,
    commit: string,
    signal: AbortSignal,
  ) => Promise<PublishTree | undefined>;
  readonly render: (
    tree: PublishTree,
    source: ApplicationSource,
    signal: AbortSignal,
  ) => Promise<Result<readonly Manifest[], ProblemDraft>>;
  readonly renderings: {
    readonly get: (tree: string, source: ApplicationSource) => RememberedRendering | undefined;
    readonly put: (tree: string, source: ApplicationSource, made: RememberedRendering) => void;
  };
  /** One YAML document as Go reads it. */
  readonly decodeYaml: GenerateNeeds["decodeYaml"];
  /** ASCII for text in any script. */
  readonly transliterate: GenerateNeeds["transliterate"];
  readonly putBundle: (
    bundle: Digest,
    blobs: readonly Blob[],
    entries: Bundle,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<number>;
  readonly clock: Clock;
};

/** What passes remember of repositories; none of it ever changes, so it may be kept. */
export type FactMemory = {
  /** What is in a repository at a commit, by `repositoryFactKey` and commit. */
  readonly listings: Map<string, Listing>;
  /** What files hold, by the identity of their content. */
  readonly documents: Map<string, Result<Json, string>>;
};

type Listing = { readonly directories: readonly string[]; readonly files?: readonly string[] };

export const emptyFactMemory = (): FactMemory => ({ listings: new Map(), documents: new Map() });

const listingsMost = 256;
const documentsMost = 20_000;

/** Largest file that a generator reads. */
const documentBytesMost = 4 * 1024 * 1024;

/** What we keep of a repository cannot be read; it will be fetched again. */
export const copyUnusable = "WH-GIT-3008";

function troubleAsProblem(error: unknown, url: string): ProblemDraft {
  if (!(error instanceof Trouble)) throw error;
  return problem(copyUnusable, `the copy of ${url} cannot be read: ${describeError(error)}`);
}

/** Forgets the oldest beyond `most`. */
function remember<T>(memory: Map<string, T>, key: string, value: T, most: number): void {
  memory.delete(key);
  memory.set(key, value);
  const [oldest] = memory.keys();
  if (memory.size > most && oldest !== undefined) memory.delete(oldest);
}

function listingOf(tree: PublishTree, withFiles: boolean): Listing {
  const directories = tree.directories();
  if (!withFiles) return { directories };
  const files = (tree.list("", { recurse: true }) ?? []).map(({ path }) => path);
  return { directories, files: files.toSorted(compareBytes) };
}

const treeKey = (url: string, commit: string): string => `${url} ${commit}`;

/** Reads and renders what one pass asks for, each thing once. */
export class PassSources {
  readonly #needs: SourceNeeds;
  readonly #facts: FactMemory;
  readonly #pace: Pace;
  readonly #trees = new Map<string, Promise<PublishTree | undefined>>();
  /** Renderings put into the store during this pass. */
  readonly #rendered = new Map<string, RememberedRendering>();

  /** `open` is a commit that was opened already. */
  constructor(
    needs: SourceNeeds,
    facts: FactMemory,
    pace: Pace,
    open: { readonly url: string; readonly commit: string; readonly tree: PublishTree },
  ) {
    this.#needs = needs;
    this.#facts = facts;
    this.#pace = pace;
    this.#trees.set(treeKey(open.url, open.commit), Promise.resolve(open.tree));
  }

  /** What generators ask of a repository, at a commit. */
  async fact(
    need: RepositoryNeed,
    commit: string,
    signal: AbortSignal,
  ): Promise<Result<RepositoryFact, ProblemDraft>> {
    const { repoURL, revision } = need;
    const key = `${repositoryFactKey(repoURL, revision)} ${commit}`;
    const known = this.#facts.listings.get(key);
    const isListed = known !== undefined && (!need.lists || known.files !== undefined);
    if (isListed && need.reads.length === 0) return ok({ repoURL, revision, commit, ...known });
    const opened = await this.#reading(repoURL, commit, (tree) => tree, signal);
    if (!opened.ok) return opened;
    const tree = opened.value;
    let listing = known;
    if (listing === undefined || !isListed) {
      const read = this.#guarded(repoURL, () => listingOf(tree, need.lists));
      if (!read.ok) return read;
      listing = read.value;
      remember(this.#facts.listings, key, listing, listingsMost);
      await this.#pace.breathe(signal);
    }
    const documents = new Map<string, Result<Json, string>>();
    for (const path of need.reads) {
      const document = this.#guarded(repoURL, () => this.#document(tree, path));
      if (!document.ok) return document;
      documents.set(path, document.value);
      await this.#pace.breathe(signal);
    }
    return ok({ repoURL, revision, commit, ...listing, documents });
  }

  /** What a file holds, or the file that a symbolic link leads to. */
  #document(tree: PublishTree, asked: string): Result<Json, string> {
    const followed = tree.followLinks(asked);
    if (!followed.ok) return followed;
    const path = followed.value;
    const oid = tree.oidOf(path);
    const known = oid === undefined ? undefined : this.#facts.documents.get(oid);
    if (known !== undefined) return known;
    const text = readText(tree, path, documentBytesMost);
    const document = text.ok ? this.#needs.decodeYaml(text.value) : text;
    if (oid !== undefined) remember(this.#facts.documents, oid, document, documentsMost);
    return document;
  }

  /** A bundle that the store surely has: rendered in this pass, or in `offered`. */
  async render(
    source: ApplicationSource,
    commit: string,
    offered: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<Result<Rendered, ProblemDraft>> {
    const found = await this.#reading(
      source.repoURL,
      commit,
      (tree) => ({ tree, oid: tree.oidOf(source.path) }),
      signal,
    );
    if (!found.ok) return found;
    const { tree, oid } = found.value;
    const withRevision = (made: RememberedRendering): Result<Rendered, ProblemDraft> =>
      made.ok ? ok({ ...made.value, revision: commit }) : made;
    // A path that is not there has no identity, and the message names the commit.
    const key =
      oid === undefined ? undefined : JSON.stringify([oid, source.path, { ...source.directory }]);
    const now = key === undefined ? undefined : this.#rendered.get(key);
    if (now !== undefined) return withRevision(now);
    const before = oid === undefined ? undefined : this.#needs.renderings.get(oid, source);
    if (before !== undefined && (!before.ok || offered.has(before.value.bundle)))
      return withRevision(before);

    const made = await this.#renderNow(tree, source, signal);
    if (oid !== undefined && key !== undefined && (made.ok || made.problem.code !== copyUnusable)) {
      this.#rendered.set(key, made);
      this.#needs.renderings.put(oid, source, made);
    }
    return withRevision(made);
  }

  async #renderNow(
    tree: PublishTree,
    source: ApplicationSource,
    signal: AbortSignal,
  ): Promise<RememberedRendering> {
    let manifests: Result<readonly Manifest[], ProblemDraft>;
    try {
      manifests = await this.#needs.render(tree, source, signal);
    } catch (error) {
      signal.throwIfAborted();
      return fail(troubleAsProblem(error, source.repoURL));
    }
    if (!manifests.ok) return manifests;
    await this.#pace.breathe(signal);
    const { digest, bundle, blobs } = makeBundle(manifests.value);
    await this.#needs.putBundle(digest, blobs, bundle, this.#needs.clock.nowMs(), signal);
    return ok({ bundle: digest, objects: bundle.entries.length });
  }

  /** A copy that cannot be read fails only who asks. */
  #guarded<T>(url: string, read: () => T): Result<T, ProblemDraft> {
    try {
      return ok(read());
    } catch (error) {
      return fail(troubleAsProblem(error, url));
    }
  }

  /** Reads from a commit of a repository; a copy that cannot be read fails only who asks. */
  async #reading<T>(
    url: string,
    commit: string,
    read: (tree: PublishTree) => T,
    signal: AbortSignal,
  ): Promise<Result<T, ProblemDraft>> {
    try {
      const key = treeKey(url, commit);
      const opening = this.#trees.get(key) ?? this.#needs.openCommit(url, commit, signal);
      this.#trees.set(key, opening);
      const tree = await opening;
      if (tree !== undefined) return ok(read(tree));
      return fail(problem(copyUnusable, `commit ${commit} of ${url} is not here any more`));
    } catch (error) {
      signal.throwIfAborted();
      return fail(troubleAsProblem(error, url));
    }
  }
}
