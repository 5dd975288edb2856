import test, { suite } from "node:test";
import type { Store } from "../../../hub/store/store.ts";
import { applicationSetCases } from "./application-sets.ts";
import { applicationCases } from "./applications.ts";
import { blobCases } from "./blobs.ts";
import type { Case } from "./case.ts";
import { clusterCases } from "./clusters.ts";
import { commandCases } from "./commands.ts";
import { desiredSetCases } from "./desired-sets.ts";
import { enrollmentCases } from "./enrollments.ts";
import { eventCases } from "./events.ts";
import { fleetCases } from "./fleet.ts";
import { hubCases } from "./hub.ts";
import { identityCases } from "./identities.ts";
import { leavingCases } from "./leaving.ts";
import { originCases } from "./origins.ts";
import { publishingCases } from "./publishing.ts";
import { reportCases } from "./reports.ts";
import { repositoryCases } from "./repositories.ts";
import { sessionCases } from "./sessions.ts";
import { tokenCases } from "./tokens.ts";

const groups: readonly (readonly [noun: string, ...cases: readonly ((it: Case) => void)[]])[] = [
  ["hub", hubCases],
  ["clusters", clusterCases],
  ["enrollments", enrollmentCases],
  ["identities", identityCases],
  ["sessions", sessionCases],
  ["blobs", blobCases],
  ["publishing", publishingCases, leavingCases, originCases],
  ["application sets", applicationSetCases],
  ["desired sets", desiredSetCases],
  ["reports", reportCases],
  ["applications", applicationCases],
  ["fleet", fleetCases],
  ["repositories", repositoryCases],
  ["commands", commandCases],
  ["tokens", tokenCases],
  ["events", eventCases],
];

/** What every store must do, whatever database it lies in. `open` gives an empty one each time. */
export function storeContract(title: string, open: () => Promise<Store>): void {
  const it: Case = (name, work) => {
    test(name, async () => {
      const store = await open();
      try {
        await work(store);
      } finally {
        store.close();
      }
    });
  };

  for (const [noun, ...cases] of groups)
    suite(`${title}: ${noun}`, () => {
      for (const register of cases) register(it);
    });
}
