// Completes package-lock.json after `npm install`: node scripts/complete-lock.mjs.
//
// npm leaves out optional platform packages (binaries of other systems) that the registry in use does not have, and
// then `npm ci` refuses the lock file on every system. An entry with the version its parent pins and the systems it is
// for is enough: elsewhere it is passed over, and where it is wanted it is fetched.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./node.mjs";

const file = join(root, "package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8"));

const systems = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const processors = [
  "arm64",
  "armv7",
  "arm",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64",
];

/** The first of `known` that the name holds as a whole word. */
const wordOf = (name, known) =>
  known.find((word) => name.split(/[-/]/).some((part) => part === word));

let added = 0;
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    if (lock.packages[place] !== undefined || !/^\d/.test(version)) continue;
    const os = wordOf(name, systems);
    const cpu = wordOf(name, processors);
    if (os === undefined || cpu === undefined) continue;
    lock.packages[place] = {
      version,
      cpu: [cpu === "armv7" ? "arm" : cpu],
      ...(parent.dev === true ? { dev: true } : {}),
      optional: true,
      os: [os],
    };
    added += 1;
  }
}

const [own, ...others] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([
  own,
  ...others.toSorted(([a], [b]) => a.localeCompare(b, "en")),
]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(
  added === 0
    ? "the lock file was complete"
    : `${added} packages of other systems added to the lock file`,
);
