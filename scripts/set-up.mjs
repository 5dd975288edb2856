// Installs what is missing, then runs a script of this project: node scripts/set-up.mjs scripts/demo.ts [words].
// Plain JavaScript that any Node from 18 on can load, because it runs before there is anything else.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findNode, nodeFlags, root, runInForeground } from "./node.mjs";

const words = process.argv.slice(2);

function stop(sentence) {
  console.error(`wheelhouse: ${sentence}`);
  process.exit(1);
}

/** What node_modules was installed from; a different lock file means installing again. */
const stampFile = join(root, "node_modules", ".wheelhouse-installed");
const stamp = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .update(`${process.platform} ${process.arch}`)
  .digest("hex");

function installIfNeeded() {
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  if (
    spawnSync("npm", ["--version"], { stdio: "ignore", shell: process.platform === "win32" })
      .status !== 0
  )
    stop("npm is not on the PATH; it comes with Node.js");
  console.error("Setting up: installing packages from the lock file (once, about 200 MB) …");
  const startedAt = Date.now();
  const install = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (install.status !== 0)
    stop(
      "npm ci failed (see above); check the network and the package registry, then run the same command again",
    );
  writeFileSync(stampFile, stamp);
  console.error(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

const major = Number(process.versions.node.split(".")[0]);
if (major < 20) stop(`Node 20 or newer is needed to start; this is ${process.version}`);
if (words.length === 0) stop("usage: node scripts/set-up.mjs SCRIPT [words]");
if (spawnSync("git", ["--version"], { stdio: "ignore" }).status !== 0)
  stop("git is not on the PATH; install it with your system's package manager");
installIfNeeded();
const node = findNode();
if (node === undefined)
  stop(
    `there is no packaged Node for ${process.platform}-${process.arch}; run this with Node 22.18 or newer (this is ${process.version})`,
  );
const [script = "", ...rest] = words;
runInForeground(node, [...nodeFlags, join(root, script), ...rest]);
