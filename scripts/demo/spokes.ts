import { readFileSync } from "node:fs";
import { runSpoke } from "../../spoke/main.ts";

/** Runs several spokes in one process, each as if it were alone; the file lists the words of each. */
export async function runSpokes(file: string): Promise<number> {
  const spokes = JSON.parse(readFileSync(file, "utf8")) as readonly (readonly string[])[];
  const codes = await Promise.all(spokes.map((words) => runSpoke(words)));
  return Math.max(...codes);
}
