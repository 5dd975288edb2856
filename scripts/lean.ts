/**
 * What keeps a spoke small, in flags that V8 only obeys from the start; docs/decisions/0016 has the figures.
 *
 * New objects get 1 MB before they are looked through instead of up to 16; code is compiled once and simply, since a
 * spoke mostly waits; and `gc` can be asked for at rest.
 */
const leanFlags = [
  "--max-semi-space-size=1",
  "--optimize-for-size",
  "--no-opt",
  "--no-maglev",
  "--expose-gc",
];

/** Flags of V8 come and go, and one it does not know ends the process: only lines that `try-bundle.sh` tries get them. */
const knownLines = ["22", "24", "26"];

/**
 * Begins this process anew with what it lacks of the lean flags: same process id, words, environment and open files.
 * Flags that were given stay as they are. Returns when nothing is missing, and where that cannot be.
 */
export function becomeLean(): void {
  const isGiven = (flag: string): boolean =>
    process.execArgv.some((given) => given.split("=")[0] === flag.split("=")[0]);
  const missing = leanFlags.filter((flag) => !isGiven(flag));
  const [line = ""] = process.versions.node.split(".");
  if (missing.length === 0 || !knownLines.includes(line)) return;
  // Windows cannot.
  if (typeof process.execve !== "function" || process.platform === "win32") return;
  const words = [...process.execArgv, ...missing, ...process.argv.slice(1)];
  process.execve(process.execPath, [process.execPath, ...words], process.env);
}
