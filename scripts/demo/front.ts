import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunningHub } from "../../test/support/processes.ts";

/** Words for Node that run `wheelhouse`: the checkout's front door, or the bundle this very process runs. */
export function frontDoor(): readonly string[] {
  const checkout = join(import.meta.dirname, "../wheelhouse.ts");
  return existsSync(checkout)
    ? ["--disable-warning=ExperimentalWarning", checkout]
    : [process.argv[1] ?? ""];
}

/** Leaves `wh` in the demo's folder: the command line, already logged in to the demo's hub. */
export function writeCommand(folder: string, hub: RunningHub): void {
  const words = [process.execPath, ...frontDoor()].map(quote).join(" ");
  const script = [
    "#!/bin/sh",
    `export WH_SERVER=${quote(hub.url)} WH_TOKEN=${quote(hub.adminToken)}`,
    `export WHEELHOUSE_DEMO_FOLDER=${quote(folder)}`,
    `exec ${words} "$@"`,
    "",
  ].join("\n");
  writeFileSync(join(folder, "wh"), script, { mode: 0o700 });
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
