import { randomBytes } from "node:crypto";
import type { Database } from "./database.ts";
import type { Store } from "./store.ts";

/** What is decided once for a hub: of several that ask first at once, all get the same. */
export function createHubSettings(
  database: Database,
  random: (bytes: number) => Buffer = randomBytes,
): Store["hub"] {
  return {
    id: (signal) =>
      database.write(async ({ db }) => {
        const known = await db
          .selectFrom("hub_settings")
          .select("value")
          .where("name", "=", "id")
          .executeTakeFirst();
        if (known !== undefined) return known.value;
        const value = random(8).toString("hex");
        await db.insertInto("hub_settings").values({ name: "id", value }).execute();
        return value;
      }, signal),
  };
}
