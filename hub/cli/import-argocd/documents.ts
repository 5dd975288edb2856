import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ExportedDocument } from "../../domain/import-argocd/exported.ts";
import { parseDocuments, yamlLimits, type YamlLimits } from "../../git/yaml.ts";
import { CliFailure, exitCodes, usage } from "../exit-codes.ts";
import { readAll } from "../prompt.ts";
import type { CliWorld } from "../world.ts";

/** An export of a whole namespace is one document, with the status of every Application in it. */
const exportLimits: YamlLimits = {
  ...yamlLimits,
  textCharsMost: 512 * 1024 * 1024,
  documentsMost: 100_000,
  nodesMost: 50_000_000,
  stringCharsMost: 512 * 1024 * 1024,
};

/** Every document of files and folders of YAML and JSON; `-` is standard input. */
export async function readExported(
  world: CliWorld,
  places: readonly string[],
): Promise<readonly ExportedDocument[]> {
  const documents: ExportedDocument[] = [];
  for (const place of places) {
    if (place === "-") documents.push(...documentsIn("standard input", await readAll(world)));
    else for (const file of filesAt(place)) documents.push(...documentsIn(file, textOf(file)));
  }
  return documents;
}

/** The documents of one text. What is wrong with it is said without a word of what it holds. */
export function documentsIn(place: string, text: string): readonly ExportedDocument[] {
  const parsed = parseDocuments(text, exportLimits);
  if (!parsed.ok) {
    const { line, column, reason } = parsed.problem;
    // A reader quotes what it stumbles over, and an export holds Secrets.
    const plain = reason.replaceAll(/"[^"]*"|'[^']*'|<[^>]*>/g, "…");
    throw new CliFailure(
      exitCodes.usage,
      `${place} is not YAML or JSON: line ${line}, column ${column}: ${plain}`,
      { hint: "export with kubectl get … -o yaml" },
    );
  }
  const { value: documents } = parsed;
  return documents.map(({ value }, index) => ({
    place: documents.length === 1 ? place : `${place} (document ${index + 1})`,
    value,
  }));
}

function filesAt(place: string): readonly string[] {
  const found = read(place, () => statSync(place));
  if (!found.isDirectory()) return [place];
  const files = read(place, () => readdirSync(place, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(^|\/)\.[^/.][^/]*\//.test(file.slice(place.length)))
    .toSorted();
  if (files.length === 0) throw usage(`${place} has no .yaml, .yml or .json file in it`);
  return files;
}

const textOf = (file: string): string => read(file, () => readFileSync(file, "utf8"));

function read<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an error";
    throw new CliFailure(exitCodes.usage, `${place} cannot be read (${code})`, { cause: error });
  }
}
