import { join, resolve } from "node:path";
import { casesFolder, judgeFolder, type CategoryCount } from "./judge.ts";

/**
 * `npm run conformance -- [--corpus DIR] [--json]`: runs the cases of Argo CD's ApplicationSet engine against
 * ours. Exits 1 when one fails, 2 when there are none.
 */

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const words = process.argv.slice(2);
const isJson = words.includes("--json");
const given = words[words.indexOf("--corpus") + 1];
const corpus =
  words.includes("--corpus") && given !== undefined
    ? resolve(given)
    : join(import.meta.dirname, "../../../shared/conformance");

const folder = casesFolder(corpus);
if (folder === undefined) {
  process.stderr.write(`there are no cases in ${corpus}\n`);
  process.exit(2);
}

const judgement = judgeFolder(folder);
const { categories, total, listed, failures } = judgement;
if (isJson)
  say(JSON.stringify({ ...judgement, categories: Object.fromEntries(categories) }, undefined, 2));
else {
  const line = (name: string, count: CategoryCount): string =>
    `${name.padEnd(42)}${String(count.passed).padStart(7)}${String(count.listed).padStart(7)}${String(count.failed).padStart(7)}`;
  say(`${"".padEnd(42)} passed listed failed`);
  for (const [name, count] of [...categories].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    say(line(name, count));
  say(line("all", total));
  if (listed.length > 0) say("\nlisted, with what is done instead:");
  for (const { id, because } of listed) say(`  ${id}\n    ${because}`);
  for (const { id, difference } of failures) say(`\nfailed: ${id}\n${difference}`);
}
process.exitCode = failures.length === 0 ? 0 : 1;
