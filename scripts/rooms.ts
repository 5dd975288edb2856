import { globSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { rooms, type Room } from "./room-map.ts";

/** One import that breaks the map: where it stands, what it says, and the sentence it breaks. */
export type Violation = {
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly rule: string;
};

/** The room a file is in: the one with the longest matching prefix. `undefined`: no room has it. */
export function roomOf(file: string): Room | undefined {
  let best: { readonly room: Room; readonly length: number } | undefined;
  for (const room of rooms) {
    for (const prefix of room.files) {
      const matches = prefix.endsWith("/") ? file.startsWith(prefix) : file === prefix;
      if (matches && (best === undefined || prefix.length > best.length))
        best = { room, length: prefix.length };
    }
  }
  return best?.room;
}

type Import = { readonly from: string; readonly line: number; readonly typeOnly: boolean };

const importForms =
  /(?:^|\n)[ \t]*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;

/** Every static, dynamic and re-exporting import of a source text, with line numbers from 1. */
export function importsOf(source: string): readonly Import[] {
  const found: Import[] = [];
  for (const match of source.matchAll(importForms)) {
    const end = match.index + match[0].length;
    const line = source.slice(0, end).split("\n").length;
    found.push({ from: match[2] ?? match[3] ?? "", line, typeOnly: match[1] !== undefined });
  }
  return found;
}

/** What the imports of one file break, given its path from the root with forward slashes. */
export function violationsIn(file: string, source: string): readonly Violation[] {
  const room = roomOf(file);
  if (room === undefined)
    return [
      {
        file,
        line: 1,
        what: "is in no room",
        rule: "every file belongs to a room of scripts/room-map.ts",
      },
    ];
  return importsOf(source)
    .filter((one) => !isAllowed(one, file, room))
    .map((one) => ({ file, line: one.line, what: `imports ${one.from}`, rule: room.rule }));
}

function isAllowed(one: Import, file: string, room: Room): boolean {
  if (one.from.startsWith("node:"))
    return room.node === "all" || (room.node !== "none" && room.node.includes(one.from));
  if (one.from.startsWith(".")) {
    const target = posix.normalize(posix.join(dirname(file), one.from));
    return (
      roomOf(target) === room ||
      room.may.some((prefix) =>
        prefix.endsWith("/") ? target.startsWith(prefix) : target === prefix,
      )
    );
  }
  return room.packages.includes("*") || room.packages.includes(packageOf(one.from));
}

const packageOf = (from: string): string =>
  from.startsWith("@") ? from.split("/").slice(0, 2).join("/") : (from.split("/")[0] ?? from);

/** Every violation in the checkout at `root`. */
export function walkRooms(root: string): readonly Violation[] {
  return globSync("{hub,spoke,proto,scripts,test}/**/*.{ts,tsx}", { cwd: root })
    .map((file) => file.replaceAll("\\", "/"))
    .toSorted()
    .flatMap((file) => violationsIn(file, readFileSync(join(root, file), "utf8")));
}

if (import.meta.main) {
  const violations = walkRooms(join(import.meta.dirname, ".."));
  for (const { file, line, what, rule } of violations)
    console.error(`${file}:${line} ${what}: ${rule}`);
  process.exit(violations.length === 0 ? 0 : 1);
}
