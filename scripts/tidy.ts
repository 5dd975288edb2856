import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Dead code and unused packages (knip), stray markers, broken links, one title per document. */

const root = join(import.meta.dirname, "..");
const problems: string[] = [];

const sources = globSync("{hub,spoke,proto,scripts,test}/**/*.{ts,mjs}", { cwd: root }).filter(
  // This file names the markers it looks for.
  (file) => !file.startsWith("proto/gen/") && file !== "scripts/tidy.ts",
);
const markers = /\b(TODO|FIXME|XXX)\b|@ts-ignore/;
for (const file of sources) {
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  for (const [index, line] of lines.entries()) {
    if (markers.test(line))
      problems.push(`${file}:${index + 1} has a stray marker: ${line.trim()}`);
  }
}

const documents = [...globSync("*.md", { cwd: root }), ...globSync("docs/**/*.md", { cwd: root })];
for (const file of documents) {
  const text = readFileSync(join(root, file), "utf8");
  const prose = text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, "");
  const titles = prose.match(/^# .+$/gm) ?? [];
  if (titles.length !== 1) problems.push(`${file} has ${titles.length} titles; a document has one`);
  for (const link of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    const problem = problemOfLink(file, link[1] ?? "");
    if (problem !== undefined) problems.push(problem);
  }
}

for (const problem of problems) console.error(problem);
const knip = spawnSync(join(root, "node_modules/.bin/knip"), ["--no-progress"], {
  cwd: root,
  stdio: "inherit",
});
process.exit(problems.length === 0 && knip.status === 0 ? 0 : 1);

function problemOfLink(file: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? file : join(dirname(file), path);
  if (!existsSync(join(root, target))) return `${file} links to ${link}, which does not exist`;
  if (anchor === undefined || !target.endsWith(".md")) return undefined;
  const headings = readFileSync(join(root, target), "utf8").match(/^#+ .+$/gm) ?? [];
  return headings.map(anchorOf).includes(anchor)
    ? undefined
    : `${file} links to ${link}, but there is no such heading`;
}

/** How a heading is addressed: lower case, punctuation gone, spaces as dashes. */
function anchorOf(heading: string): string {
  return heading
    .replace(/^#+ /, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
