import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { textAt } from "../../support/cluster/json.ts";
import { eventually } from "../../support/eventually.ts";
import { accepted, Bench, configMap, configMapsPath, messageOf, type ApiServer } from "./bench.ts";

/** An API server whose history goes: at once when asked to forget, or by itself within seconds. */
export type ForgetfulApiServer = ApiServer & { readonly forget: () => void };

/** What an API server says to those who come back for what it no longer knows. */
export function forgettingContract(
  name: string,
  connect: () => Promise<ForgetfulApiServer>,
  options: { readonly skip?: string | undefined } = {},
): void {
  const skip = options.skip ?? false;
  void suite(`Kubernetes API contract, forgetting: ${name}`, { skip }, () => {
    let server: ForgetfulApiServer;
    let bench: Bench;
    before(async () => {
      server = await connect();
      bench = new Bench(server);
    });
    after(async () => {
      bench.close();
      await server.stop();
    });

    test("a continue token from too long ago: 410 Expired, and a list from the start works", async () => {
      const path = configMapsPath(await bench.namespace());
      for (const letter of ["a", "b", "c"])
        accepted(await bench.api.create(path, configMap(letter)), 201);
      const first = accepted(await bench.api.get(path, { limit: "2" }), 200);
      const token = textAt(first, "metadata", "continue");
      const reply = await eventually(
        async () => {
          // History moves on with what is written, and what is long past is forgotten.
          await bench.api.create(path, configMap(`later-${Date.now()}`));
          server.forget();
          const next = await bench.api.get(path, { limit: "2", continue: token });
          assert.equal(next.code, 410, JSON.stringify(next.body));
          return next;
        },
        { withinMs: 60_000, everyMs: 250, what: "an expired continue token" },
      );
      assert.equal(textAt(reply.body, "reason"), "Expired");
      assert.match(messageOf(reply), /^The provided continue parameter is too old/);
      accepted(await bench.api.get(path, { limit: "2" }), 200);
    });

    test("a list at exactly a version from too long ago: 410 Expired", async () => {
      const path = configMapsPath(await bench.namespace());
      accepted(await bench.api.create(path, configMap("a")), 201);
      const before = accepted(await bench.api.get(path), 200);
      const query = {
        resourceVersion: textAt(before, "metadata", "resourceVersion"),
        resourceVersionMatch: "Exact",
      };
      const reply = await eventually(
        async () => {
          await bench.api.create(path, configMap(`later-${Date.now()}`));
          server.forget();
          const again = await bench.api.get(path, query);
          assert.equal(again.code, 410, JSON.stringify(again.body));
          return again;
        },
        { withinMs: 60_000, everyMs: 250, what: "an expired version" },
      );
      assert.equal(textAt(reply.body, "reason"), "Expired");
    });
  });
}
