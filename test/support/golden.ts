import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");

/**
 * Compares a text with a file that is checked in, named from the top of the repository.
 *
 * `npm run golden` writes the files instead; they are reviewed like code.
 */
export function assertGolden(file: string, text: string): void {
  const path = join(root, file);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  assert.equal(text, readGolden(path), `${file} differs; npm run golden rewrites it`);
}

function readGolden(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
