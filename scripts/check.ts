import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";

/** `npm run check`: everything CI runs besides the tests, in order; stops at nothing, fails if anything failed. */

const root = join(import.meta.dirname, "..");
const bin = (name: string): string => join(root, "node_modules/.bin", name);
const script = (name: string, ...words: string[]): string[] => [
  process.execPath,
  "--disable-warning=ExperimentalWarning",
  join(root, "scripts", name),
  ...words,
];

const steps: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: "format", command: [bin("oxfmt"), "--check", "."] },
  { name: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings"] },
  { name: "types", command: [bin("tsc"), "-p", root] },
  { name: "rooms", command: script("rooms.ts") },
  { name: "schema and generated code", command: script("proto.ts", "--check") },
  { name: "tidy", command: script("tidy.ts") },
];

let failed = 0;
for (const { name, command } of steps) {
  const startedAtMs = performance.now();
  const [program = "", ...words] = command;
  const outcome = spawnSync(program, words, { cwd: root, stdio: "inherit" });
  const tookMs = Math.round(performance.now() - startedAtMs);
  const good = outcome.status === 0;
  if (!good) failed += 1;
  console.log(`${good ? "✔" : "✖"} ${name} (${tookMs} ms)`);
}

const lines = globSync("{hub,spoke,proto,scripts}/**/*.ts", { cwd: root }).length;
console.log(
  failed === 0 ? `all checks passed over ${lines} source files` : `${failed} checks failed`,
);
process.exit(failed === 0 ? 0 : 1);
