#!/usr/bin/env node
// The `wheelhouse` command in a checkout: finds a Node that runs TypeScript and hands over.
import { join } from "node:path";
import { findNode, nodeFlags, root, runInForeground } from "./node.mjs";

const node = findNode();
if (node === undefined) {
  console.error(`wheelhouse: Node 22.18 or newer is needed (this is ${process.version})`);
  process.exit(1);
}
runInForeground(node, [
  ...nodeFlags,
  join(root, "scripts", "wheelhouse.ts"),
  ...process.argv.slice(2),
]);
