import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

export const readPage = (file: string): string => readFileSync(join(root, file), "utf8");

/** The TypeScript that runs, generated files aside: file → text. */
export function sourcesIn(folders: readonly string[]): ReadonlyMap<string, string> {
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }));
  return new Map(
    files
      .map((file) => file.replaceAll("\\", "/"))
      .filter((file) => !file.startsWith("proto/gen/"))
      .toSorted()
      .map((file) => [file, readPage(file)]),
  );
}
