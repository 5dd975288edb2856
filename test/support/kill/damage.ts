import {
  closeSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { wholeFrom } from "./seed.ts";

/** What can become of a file that nobody meant to change. */
export const damageKinds = ["flip", "flip-many", "cut", "empty", "zeroes", "gone"] as const;

export type DamageKind = (typeof damageKinds)[number];

/** Damages a file at a place that chance decides, and says what was done. */
export function damage(path: string, kind: DamageKind, random: () => number): string {
  const { size } = statSync(path);
  if (kind === "gone" || size === 0) {
    rmSync(path);
    return `${path}: gone`;
  }
  const at = wholeFrom(random, 0, size - 1);
  switch (kind) {
    case "flip":
      flip(path, at, random);
      return `${path}: a bit of byte ${at} of ${size}`;
    case "flip-many": {
      const count = 50;
      for (let time = 0; time < count; time += 1)
        flip(path, wholeFrom(random, 0, size - 1), random);
      return `${path}: ${count} bits of ${size} bytes`;
    }
    case "cut":
      truncateSync(path, at);
      return `${path}: cut at ${at} of ${size}`;
    case "empty":
      truncateSync(path, 0);
      return `${path}: emptied`;
    case "zeroes": {
      const length = Math.min(512, size - at);
      write(path, at, Buffer.alloc(length));
      return `${path}: ${length} zeroes from ${at} of ${size}`;
    }
    default:
      return unreachable(kind, "damage");
  }
}

function flip(path: string, at: number, random: () => number): void {
  const file = openSync(path, "r");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  closeSync(file);
  byte[0] = (byte[0] ?? 0) ^ (1 << wholeFrom(random, 0, 7));
  write(path, at, byte);
}

function write(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** Every file below a folder, sorted. */
export const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
