import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";

/**
 * `npm run build`: what we publish, in dist/. One package of plain JavaScript that Node 22.18 and later run,
 * split so that a spoke never loads the hub. Only better-sqlite3 stays outside: it is a native library.
 * Another folder may be named instead.
 */

const root = join(import.meta.dirname, "..");
const dist = resolve(process.argv[2] ?? join(root, "dist"));
const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

/**
 * Imported as a module, `node:http` is asked for all it exports, its WebSocket too, and loads a browser's worth of
 * code that we never use: 2 MB in every spoke. Required, it loads what is used.
 */
const httpAsRequired: Plugin = {
  name: "http-as-required",
  setup: (bundle) => {
    bundle.onResolve({ filter: /^(node:)?http$/ }, ({ kind, path }) =>
      kind === "import-statement" ? { path, namespace: "as-required" } : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: "as-required" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const result = await build({
  absWorkingDir: root,
  entryPoints: {
    wheelhouse: "scripts/wheelhouse.ts",
    // Runs in a thread of its own, so it cannot be a chunk.
    "fetch-worker": "hub/git/fetch-worker.ts",
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  minify: true,
  legalComments: "none",
  platform: "node",
  format: "esm",
  target: "node22",
  external: ["better-sqlite3", "pino-pretty"],
  plugins: [httpAsRequired],
  chunkNames: "chunks/[name]-[hash]",
  // Packages written as CommonJS still ask for require, __filename and __dirname.
  banner: {
    js: [
      'import { createRequire as __createRequire } from "node:module";',
      'import { fileURLToPath as __fileURLToPath } from "node:url";',
      'import { dirname as __dirnameOf } from "node:path";',
      "const require = __createRequire(import.meta.url);",
      "const __filename = __fileURLToPath(import.meta.url);",
      "const __dirname = __dirnameOf(__filename);",
    ].join("\n"),
  },
  metafile: true,
  logLevel: "warning",
});

writeFileSync(
  join(dist, "package.json"),
  `${JSON.stringify(
    {
      name: "wheelhouse",
      version: own.version,
      description: own.description,
      license: own.license,
      type: "module",
      engines: { node: ">=22.18" },
      bin: { wheelhouse: "wheelhouse.js", wh: "wheelhouse.js" },
      dependencies: { "better-sqlite3": own.dependencies["better-sqlite3"] },
    },
    null,
    2,
  )}\n`,
);
for (const file of ["README.md", "LICENSE"])
  if (existsSync(join(root, file))) cpSync(join(root, file), join(dist, file));
cpSync(join(root, "scripts/demo/fleet"), join(dist, "fleet"), { recursive: true });
const entry = join(dist, "wheelhouse.js");
writeFileSync(entry, `#!/usr/bin/env node\n${readFileSync(entry, "utf8")}`, { mode: 0o755 });

for (const [file, { bytes }] of Object.entries(result.metafile.outputs).toSorted(
  (a, b) => b[1].bytes - a[1].bytes,
))
  if (bytes > 50_000) console.log(`${(bytes / 1024).toFixed(0).padStart(6)} KB  ${file}`);
console.log(
  `${(statSync(entry).size / 1024).toFixed(0).padStart(6)} KB  ${entry} (the front door)`,
);
