import { writeSync } from "node:fs";
import { openStore } from "../../../hub/store/store.ts";
import {
  addCluster,
  clusterId,
  publish,
  putBundle,
  record,
  report,
  write,
} from "../../contract/store/builders.ts";

/*
 * Run by durability.test.ts as a process of its own: writes for ever, and says what was acknowledged only
 * after it was. Names count on from the number given.
 */

const [, , folder = "", from = "0"] = process.argv;
const store = await openStore({ folder });
const bundle = await putBundle(store, { one: 1 });

const acknowledged = (what: string) => writeSync(1, `${what}\n`);

for (let at = Number(from); ; at += 1) {
  const cluster = clusterId(`c${at}`);
  await addCluster(store, `c${at}`, { env: "prod" });
  acknowledged(`cluster ${at}`);
  await publish(store, [write(`web-${at}`, cluster, bundle)]);
  acknowledged(`application ${at}`);
  await record(store, cluster, [report(`web-${at}`)]);
  acknowledged(`report ${at}`);
}
