import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import type { ImportPlan } from "../../domain/import-argocd/plan-import.ts";
import {
  clusterCommands,
  reportText,
  type ImportReport,
} from "../../domain/import-argocd/report.ts";
import { parseOne } from "../../git/yaml.ts";
import { CliFailure, exitCodes, usage } from "../exit-codes.ts";

/** Makes sure that a folder is there and that nothing in it can be overwritten by accident. */
export function prepareFolder(folder: string, force: boolean): void {
  let found: readonly string[];
  try {
    mkdirSync(folder, { recursive: true });
    found = readdirSync(folder).filter((name) => name !== ".git");
  } catch (error) {
    throw new CliFailure(exitCodes.usage, `${folder} cannot be used as a folder`, { cause: error });
  }
  if (found.length > 0 && !force)
    throw usage(`${folder} is not empty`, "choose another --to, or add --force to write over it");
}

/** Writes the fleet repository and its report. Nothing that is there is removed. */
export function writeImport(
  folder: string,
  plan: ImportPlan,
  report: ImportReport,
): readonly string[] {
  const texts = new Map<string, string>();
  for (const { path, document } of plan.files) texts.set(path, documentText(document));
  texts.set("clusters.sh", clustersScript(plan));
  texts.set("REPORT.md", reportText(report));
  for (const [path, text] of texts) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return [...texts.keys()];
}

/** A document as YAML that is read back as the very same; as JSON where YAML would be read otherwise. */
export function documentText(document: Json): string {
  const text = stringify(document, {
    version: "1.1",
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
  const back = parseOne(text);
  return back.ok && canonicalJson(back.value) === canonicalJson(document)
    ? text
    : `${canonicalJson(document)}\n`;
}

const clustersScript = (plan: ImportPlan): string =>
  [
    "# Registers the clusters Argo CD knows. Each line prints what to run in its cluster, with a token that",
    "# is good for an hour: run them one by one, when you are about to join that cluster.",
    ...clusterCommands(plan),
    "",
  ].join("\n");
