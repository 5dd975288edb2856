import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { openStore } from "../../../hub/store/store.ts";
import { storeContract } from "../../contract/store/store-contract.ts";

const folder = await mkdtemp(join(tmpdir(), "wheelhouse-store-"));
after(() => rm(folder, { recursive: true, force: true }));

let stores = 0;

storeContract("SQLite", () => {
  stores += 1;
  return openStore({ folder: join(folder, String(stores)) });
});
