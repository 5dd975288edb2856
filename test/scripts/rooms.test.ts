import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { importsOf, roomOf, unusedGrants, violationsIn } from "../../scripts/rooms.ts";

suite("rooms", () => {
  const rows = [
    {
      name: "domain may use the words",
      file: "hub/domain/x.ts",
      source: `import type { Digest } from "../../proto/words/digest.ts";`,
      expect: [],
    },
    {
      name: "domain may not read files",
      file: "hub/domain/x.ts",
      source: `const a = 1;\nimport { readFileSync } from "node:fs";`,
      expect: ["hub/domain/x.ts:2 imports node:fs"],
    },
    {
      name: "domain may not wait on a clock",
      file: "spoke/domain/x.ts",
      source: `import { systemClock } from "../../proto/kit/clock.ts";`,
      expect: ["spoke/domain/x.ts:1 imports ../../proto/kit/clock.ts"],
    },
    {
      name: "an edge may not import another edge",
      file: "hub/git/x.ts",
      source: `import {\n  openStore,\n} from "../store/store.ts";`,
      expect: ["hub/git/x.ts:3 imports ../store/store.ts"],
    },
    {
      name: "a loop may not import an edge, not even lazily",
      file: "spoke/loops/x.ts",
      source: `const kube = await import("../kube/api.ts");`,
      expect: ["spoke/loops/x.ts:1 imports ../kube/api.ts"],
    },
    {
      name: "hub and spoke never meet, types included",
      file: "hub/compose.ts",
      source: `import type { KubeObject } from "../spoke/domain/kube-object.ts";`,
      expect: ["hub/compose.ts:1 imports ../spoke/domain/kube-object.ts"],
    },
    {
      name: "a package stays in its room",
      file: "hub/http/x.ts",
      source: `export { sql } from "kysely/helpers";`,
      expect: ["hub/http/x.ts:1 imports kysely/helpers"],
    },
    {
      name: "a package is at home in its room",
      file: "hub/store/x.ts",
      source: `import { Kysely } from "kysely";`,
      expect: [],
    },
    {
      name: "a file outside every room is an error",
      file: "hub/misc/x.ts",
      source: "",
      expect: ["hub/misc/x.ts:1 is in no room"],
    },
  ];
  for (const { name, file, source, expect } of rows) {
    test(name, () =>
      assert.deepEqual(
        violationsIn(file, source).map((one) => `${one.file}:${one.line} ${one.what}`),
        expect,
      ),
    );
  }

  test("what a room is granted and does not use is named", () => {
    const room = roomOf("hub/settings.ts");
    assert.ok(room !== undefined);
    const granted = { ...room, files: [...room.files, "hub/setting.ts"], packages: ["yaml"] };
    const unused = unusedGrants(granted, []).map(({ what }) => what.split(" to ")[0]);
    assert.deepEqual(unused, [
      "grants hub/settings.ts",
      "grants hub/setting.ts",
      "grants yaml",
      "grants node:path",
    ]);
    assert.deepEqual(
      unusedGrants(room, [{ file: "hub/settings.ts", text: `import { join } from "node:path";` }]),
      [],
    );
  });

  test("the longest prefix decides the room", () => {
    assert.equal(roomOf("scripts/demo.ts")?.name, "the demo");
    assert.equal(roomOf("scripts/check.ts")?.name, "scripts");
  });

  test("finds imports for their side effect", () => {
    assert.deepEqual(
      importsOf(`import "reflect-metadata";\nimport x from "y";`).map((one) => one.from),
      ["reflect-metadata", "y"],
    );
  });
});
