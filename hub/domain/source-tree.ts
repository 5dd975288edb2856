import type { Result } from "../../proto/kit/result.ts";

/** A commit of a repository, as it is read for manifests. Paths have no slash at their ends; none leads out of it. */
export type SourceTree = {
  readonly commit: string;
  readonly entryAt: (path: string) => { readonly kind: string } | undefined;
  /** All that is under a directory and is none, links as what they are; `undefined` when there is no such directory. */
  readonly list: (
    path: string,
    manner: { readonly recurse: boolean },
  ) => readonly ListedFile[] | undefined;
  readonly readFile: (path: string, bytesMost: number) => Result<Uint8Array, WhyUnread>;
};

export type ListedFile = {
  readonly path: string;
  readonly kind: "file" | "symlink" | "submodule";
  /** Identity of its content. */
  readonly oid: string;
};

type WhyUnread =
  | { readonly kind: "absent" }
  | { readonly kind: "not-a-file"; readonly found: string }
  | { readonly kind: "too-large"; readonly bytes: number; readonly bytesMost: number };

/** Every document of a YAML or JSON text, or where and why it cannot be read. */
export type ReadYaml = (
  text: string,
) => Result<
  readonly { readonly value: unknown }[],
  { readonly code: string; readonly line: number; readonly column: number; readonly reason: string }
>;
