import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, matchesGlob, relative, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { containerfileProblems, readContainerfile, type Stage } from "./containerfile.ts";

/**
 * Carries out the steps of the Containerfile in folders that stand for its stages, then runs hub and spoke from the
 * last of them as the image would: as its user when we may, on files nobody can write, with a volume each. Without a
 * container, so that the file cannot rot where there is none. Stages begin with Node and npm and nothing else.
 */

const root = join(import.meta.dirname, "..");
const stages = readContainerfile(readFileSync(join(root, "Containerfile"), "utf8"));
const problems = containerfileProblems(stages);
for (const problem of problems) console.error(`Containerfile: ${problem}`);
if (problems.length > 0) process.exit(1);

const mayBeAnybody = process.getuid?.() === 0;
const scratch = mkdtempSync(join(tmpdir(), "wheelhouse-image-"));
// Another user has to find its way in.
chmodSync(scratch, 0o755);
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const ignored = readFileSync(join(root, ".containerignore"), "utf8")
  .split("\n")
  .filter((line) => line !== "");
const wayOut = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|(https?|no)_proxy|npm_config_.*)$/i.test(name),
  ),
);
const folderOf = (stage: string): string => join(scratch, stage === "" ? "image" : stage);
type Outcome = {
  readonly folder: string;
  readonly workdir: string;
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
};

function build(stage: Stage): Outcome {
  const folder = folderOf(stage.name);
  const bin = join(folder, "usr/local/bin");
  mkdirSync(bin, { recursive: true });
  if (/(^|\/)node:/.test(stage.image)) layOutNode(bin, stage.image);
  let workdir = "/";
  let user = "0:0";
  let entrypoint: readonly string[] = [];
  const environment: Record<string, string> = {};
  for (const { word, flags, text, line } of stage.steps) {
    const words = text.split(/\s+/);
    switch (word) {
      case "WORKDIR":
        workdir = resolve(workdir, text);
        mkdirSync(join(folder, workdir), { recursive: true });
        break;
      case "USER":
        user = text;
        break;
      case "ENV":
        for (const pair of words) environment[pair.split("=")[0] ?? ""] = pair.split("=")[1] ?? "";
        break;
      case "COPY":
        copy(folder, workdir, flags, words);
        break;
      case "RUN":
        console.log(`  ${stage.name || "image"}, line ${line}: ${text}`);
        run(text, join(folder, workdir), { ...environment, PATH: `${bin}:/usr/bin:/bin` }, user);
        break;
      case "ENTRYPOINT":
        entrypoint = JSON.parse(text) as string[];
        break;
      default:
        break;
    }
  }
  return { folder, workdir, user, environment, entrypoint };
}

/** What the base image brings along: the Node we run on, if it is the one the file names, and its npm. */
function layOutNode(bin: string, imageName: string): void {
  const named = /node:([\d.]+)/.exec(imageName)?.[1];
  if (`v${named}` !== process.version)
    throw new Error(`the Containerfile names Node ${named}, and this is ${process.version}`);
  cpSync(process.execPath, join(bin, "node"));
  for (const name of ["npm", "npx"]) {
    const found = spawnSync("which", [name], { encoding: "utf8" }).stdout.trim();
    if (found !== "") symlinkSync(found, join(bin, name));
  }
}

function copy(
  folder: string,
  workdir: string,
  flags: Readonly<Record<string, string>>,
  words: readonly string[],
): void {
  const sources = words.slice(0, -1);
  const to = words.at(-1) ?? "";
  const target = join(folder, resolve(workdir, to));
  const isIntoFolder = to.endsWith("/") || sources.length > 1;
  for (const source of sources) {
    const from =
      flags["from"] === undefined ? join(root, source) : join(folderOf(flags["from"]), source);
    if (!existsSync(from)) throw new Error(`COPY ${source}: there is no such file`);
    const isFolder = statSync(from).isDirectory();
    const place = isFolder || !isIntoFolder ? target : join(target, basename(from));
    mkdirSync(dirname(place), { recursive: true });
    cpSync(from, place, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => flags["from"] !== undefined || !isIgnored(relative(root, path)),
    });
    give(place, flags["chown"]);
  }
}

const isIgnored = (path: string): boolean =>
  ignored.some((pattern) => matchesGlob(path, pattern) || path.split("/")[0] === pattern);

/** To whom the file says, else to root; when we are nobody, everything stays ours. */
function give(place: string, owner = "0:0"): void {
  if (!mayBeAnybody) return;
  const [user = 0, group = 0] = owner.split(":").map(Number);
  chownSync(place, user, group);
  if (!lstatSync(place).isDirectory()) return;
  for (const path of globSync("**", { cwd: place, withFileTypes: false }))
    if (!lstatSync(join(place, path)).isSymbolicLink()) chownSync(join(place, path), user, group);
  // Globs leave names with a dot at the front out.
  spawnSync("chown", ["-R", `${user}:${group}`, place]);
}

const identityOf = (user: string): { readonly uid?: number; readonly gid?: number } => {
  const [uid = 0, gid = 0] = user.split(":").map(Number);
  return mayBeAnybody ? { uid, gid } : {};
};

function run(
  text: string,
  cwd: string,
  environment: Readonly<Record<string, string>>,
  user: string,
): void {
  const ran = spawnSync("/bin/sh", ["-e", "-c", text], {
    cwd,
    // npm of the host, with its settings and its way out; nothing else of our own environment.
    env: {
      ...wayOut,
      // What was installed a moment ago need not come over the network again; and if it must, this machine
      // knows whom to trust better than the Node that is laid out here.
      npm_config_prefer_offline: "true",
      NODE_USE_SYSTEM_CA: "1",
      HOME: user === "0:0" ? (process.env["HOME"] ?? "/") : "/nonexistent",
      ...environment,
    },
    ...identityOf(user),
    encoding: "utf8",
  });
  if (ran.status !== 0) throw new Error(`${text}\n${ran.stdout}${ran.stderr}`);
}

async function runImage(built: Outcome): Promise<void> {
  const volume = join(scratch, "volume");
  for (const part of ["hub", "spoke", "tmp"]) {
    mkdirSync(join(volume, part), { recursive: true });
    give(join(volume, part), built.user);
  }
  // What a read-only root file system is to the program.
  spawnSync("chmod", ["-R", "a-w", built.folder]);
  const before = listing(built.folder);
  const kubeconfig = join(volume, "kubeconfig");
  writeFileSync(kubeconfig, nowhere);
  await runUntil(
    built,
    ["hub", "--fleet-repository", "http://127.0.0.1:9/fleet", "--data-folder", join(volume, "hub")]
      .concat(["--http-listen", "127.0.0.1:0", "--link-listen", "127.0.0.1:0"])
      .concat(["--ready-file", join(volume, "hub/ready.json")]),
    async () => {
      const { url } = JSON.parse(readFileSync(join(volume, "hub/ready.json"), "utf8")) as {
        readonly url: string;
      };
      return (await fetch(`${url}/readyz`)).status === 200;
    },
  );
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  await runUntil(
    built,
    ["spoke", "--hub-address", "127.0.0.1:9", "--state-folder", join(volume, "spoke")].concat([
      "--kubeconfig",
      kubeconfig,
      "--probe-host",
      "127.0.0.1",
      "--probe-port",
      `${port}`,
    ]),
    async () => (await fetch(`http://127.0.0.1:${port}/livez`)).status === 200,
  );
  checkCompileCache(built);
  if (listing(built.folder) !== before) throw new Error("something was written into the image");
  const bytes = Number(
    spawnSync("du", ["-sb", built.folder], { encoding: "utf8" }).stdout.split("\t")[0],
  );
  const as = mayBeAnybody ? `user ${built.user}` : "the user who runs this";
  console.log(
    `the image's hub and spoke run as ${as}; ${Math.round(bytes / 2 ** 20)} MiB on top of its base`,
  );
}

const nowhere = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "x",
  clusters: [{ name: "x", cluster: { server: "https://127.0.0.1:9" } }],
  users: [{ name: "x", user: { token: "x" } }],
  contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
});

const words = (built: Outcome): readonly string[] =>
  built.entrypoint.map((word) => (word.startsWith("/") ? join(built.folder, word) : word));

const environmentOf = (built: Outcome): Readonly<Record<string, string>> => ({
  TMPDIR: join(scratch, "volume/tmp"),
  ...Object.fromEntries(
    Object.entries(built.environment).map(([name, value]) => [
      name,
      value.startsWith("/") ? join(built.folder, value) : value,
    ]),
  ),
});

/** Starts the program, waits until it is as wanted, and stops it, which must end well. */
async function runUntil(
  built: Outcome,
  settings: readonly string[],
  isThere: () => Promise<boolean>,
): Promise<void> {
  const [program = "", ...front] = words(built);
  const child = spawn(program, [...front, ...settings], {
    cwd: join(built.folder, built.workdir),
    env: environmentOf(built),
    ...identityOf(built.user),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number>((done) => child.on("exit", (code) => done(code ?? 1)));
  const endsAtMs = Date.now() + 30_000;
  while (!(await isThere().catch(() => false))) {
    if (child.exitCode !== null || Date.now() > endsAtMs) {
      child.kill("SIGKILL");
      throw new Error(`${settings[0]} did not come up:\n${said.slice(-4_000)}`);
    }
    await pause(50);
  }
  child.kill("SIGTERM");
  const code = await ended;
  if (code !== 0) throw new Error(`${settings[0]} ended with ${code}:\n${said.slice(-4_000)}`);
}

/** The baked-in cache is one that Node takes. */
function checkCompileCache(built: Outcome): void {
  const [program = "", ...front] = words(built);
  const ran = spawnSync(program, [...front, "--version"], {
    env: { ...environmentOf(built), NODE_DEBUG_NATIVE: "COMPILE_CACHE" },
    ...identityOf(built.user),
    encoding: "utf8",
  });
  if (!/wheelhouse\.js.* was accepted/.test(`${ran.stdout}${ran.stderr}`))
    throw new Error(`the compile cache of the image is of no use:\n${ran.stderr.slice(0, 4_000)}`);
}

const listing = (folder: string): string =>
  spawnSync("find", [folder, "-printf", "%p %s %T@ %m\\n"], { encoding: "utf8" }).stdout;

const outcomes = stages.map((stage) => build(stage));
const image = outcomes.at(-1);
if (image === undefined) throw new Error("the Containerfile has no stage");
await runImage(image);
