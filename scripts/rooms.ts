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

type Source = { readonly file: string; readonly text: string };

/** Every violation in the checkout at `root`, and every grant of the map that nobody there uses. */
export function walkRooms(root: string): readonly Violation[] {
  const sources = globSync("{hub,spoke,proto,scripts,test}/**/*.{ts,tsx}", { cwd: root })
    .map((file) => file.replaceAll("\\", "/"))
    .toSorted()
    .map((file): Source => ({ file, text: readFileSync(join(root, file), "utf8") }));
  return [
    ...sources.flatMap(({ file, text }) => violationsIn(file, text)),
    ...rooms.flatMap((room) => unusedGrants(room, sources)),
  ];
}

/** Files, packages and modules of Node that a room names and has not, or does not import. */
export function unusedGrants(room: Room, sources: readonly Source[]): readonly Violation[] {
  const inside = sources.filter(({ file }) => roomOf(file) === room);
  const imported = new Set(
    inside.flatMap(({ text }) => importsOf(text)).flatMap(({ from }) => [from, packageOf(from)]),
  );
  const modules = typeof room.node === "string" ? [] : room.node;
  const unused = [
    ...room.files.filter(
      (prefix) => !prefix.endsWith("/") && !inside.some(({ file }) => file === prefix),
    ),
    ...[...room.packages, ...modules].filter((name) => name !== "*" && !imported.has(name)),
  ];
  return unused.map((name) => ({
    file: "scripts/room-map.ts",
    line: 1,
    what: `grants ${name} to ${room.name}`,
    rule: "the map names only what there is",
  }));
}

if (import.meta.main) {
  const violations = walkRooms(join(import.meta.dirname, ".."));
  for (const { file, line, what, rule } of violations)
    console.error(`${file}:${line} ${what}: ${rule}`);
  process.exit(violations.length === 0 ? 0 : 1);
}
