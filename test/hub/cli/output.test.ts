import assert from "node:assert/strict";
import test, { after, suite } from "node:test";
import type { RolloutState, RolloutStatus } from "../../../hub/domain/rollout/rollout.ts";
import { setConditions } from "../../../hub/domain/set-status.ts";
import { app, atMs, publish, setRecord } from "../../contract/store/builders.ts";
import { assertGolden } from "../../support/golden.ts";
import { openCli } from "./fixture.ts";

/** What people and scripts see, command by command: the files are read like code. */
suite("what the command line prints", async () => {
  const cli = await openCli();
  after(() => cli.close());

  const commands: readonly (readonly [file: string, words: string, terminal?: "terminal"])[] = [
    ["help", "--help"],
    ["help-get", "get --help"],
    ["help-cluster", "cluster add --help"],
    ["status", "status"],
    ["status-by-label", "status --by env"],
    ["status-terminal", "status --by env", "terminal"],
    ["status-ascii", "status --by env --ascii"],
    ["status-json", "status -o json"],
    ["get-clusters", "get clusters"],
    ["get-clusters-wide", "get clusters -o wide"],
    ["get-clusters-terminal", "get clusters", "terminal"],
    ["get-clusters-sorted", "get clusters --sort-by=-degraded --limit 2"],
    ["get-clusters-json", "get clusters dev-1 -o json"],
    ["get-clusters-yaml", "get clusters -l env=prod,region=eu -o yaml"],
    ["get-apps", "get apps"],
    ["get-apps-wide", "get apps -o wide"],
    ["get-apps-terminal", "get apps", "terminal"],
    ["get-apps-filtered", "get apps --health degraded,unknown --set web --sort-by -name"],
    ["get-apps-names", "get apps -l app=web -o name"],
    ["get-apps-lines", "get apps --cluster dev-1 -o jsonl"],
    ["get-apps-no-headers", "get apps --cluster dev-1 --no-headers"],
    ["get-apps-none", "get apps --project nobody"],
    ["get-sets", "get sets"],
    ["get-resources-by-image", "get resources --image registry.example/shop/web:* -o wide"],
    ["get-repos", "get repos"],
    ["get-events", "get events --kind cluster-added,cluster-detached"],
    ["describe-app", "describe app/web-prod-1"],
    ["describe-app-terminal", "describe app/web-prod-1", "terminal"],
    ["describe-app-held-back", "describe app/lost"],
    ["describe-app-by-cluster", "describe web@dev-1"],
    ["describe-cluster", "describe cluster/dev-1"],
    ["describe-set", "describe set/web"],
    ["describe-set-broken", "describe broken"],
    ["describe-repo", "describe repo/https://git.example/other.git"],
    ["describe-app-yaml", "describe app/web-dev-1 -o yaml"],
    ["token-list", "token list"],
    ["sync", "sync app/web-dev-1 web@prod-1"],
    ["refresh", "refresh app/web-dev-1 repo/https://git.example/fleet.git"],
    ["cluster-add", "cluster add eu-1 --label env=prod --label region=eu"],
    ["cluster-join-manifest", "cluster join eu-1 --manifest"],
    ["cluster-join-command", "cluster join eu-1 --command --life 30m"],
    ["api", "api GET /v1/clusters?limit=1"],
    ["error-unknown-app", "describe app/nothing"],
    ["error-fields", "cluster add Not_A_Label --label env=n/a"],
  ];
  for (const [file, words, terminal] of commands)
    test(`wheelhouse ${words}${terminal === undefined ? "" : " on a terminal"}`, async () => {
      const ran = await cli.run(words.split(" "), {
        terminal: terminal !== undefined,
        columns: 110,
        // Signs without colour: escape sequences make a golden file unreadable.
        environment: { TERM: "dumb" },
      });
      const talk = ran.stderr === "" ? "" : `--- standard error\n${ran.stderr}`;
      const text = `$ wheelhouse ${words}\n${ran.stdout}${talk}--- exit ${ran.code}\n`;
      assertGolden(`test/golden/cli/${file}.txt`, text.replaceAll(cli.url, "http://hub.example"));
    });

  test("colour only goes to a terminal that wants it", async () => {
    const escape = "\u001b[";
    const on = await cli.run(["get", "apps"], { terminal: true });
    assert.ok(on.stdout.includes(escape));
    const off = [
      await cli.run(["get", "apps"]),
      await cli.run(["get", "apps", "--no-color"], { terminal: true }),
      await cli.run(["get", "apps"], { terminal: true, environment: { NO_COLOR: "1" } }),
    ];
    for (const { stdout } of off) {
      assert.ok(!stdout.includes(escape));
      assert.ok(!stdout.includes("●"));
    }
  });

  test("-q says nothing but data, and errors", async () => {
    const quiet = await cli.run(["get", "apps", "--limit", "1", "-q"]);
    assert.deepEqual([quiet.code, quiet.stderr], [0, ""]);
    const failed = await cli.run(["get", "apps", "nothing", "-q"]);
    assert.match(failed.stderr, /^error: /);
  });

  test("a list that is cut says so", async () => {
    const cut = await cli.run(["get", "apps", "--limit", "2"]);
    assert.equal(cut.stderr, "showing 2 of many; --limit 0 shows all\n");
    assert.equal((await cli.run(["get", "apps", "--limit", "0"])).stderr, "");
  });

  test("every table row of json can be fed back by its name", async () => {
    const names = (await cli.run(["get", "apps", "-o", "name"])).stdout.trim().split("\n");
    for (const name of names)
      assert.equal((await cli.run(["describe", name, "-o", "name"])).stdout.trim(), name);
  });
});

suite("what the command line prints of a rollout", async () => {
  const cli = await openCli();
  after(() => cli.close());
  const status = (application: string, state: RolloutState, step: number): RolloutStatus => ({
    application: app(application),
    status: state,
    step,
    message: "",
    targetRevisions: [],
    sinceMs: undefined,
  });

  const rows: readonly {
    readonly name: string;
    readonly issue?: string;
    readonly statuses: readonly RolloutStatus[];
  }[] = [
    {
      name: "rolling",
      statuses: [
        status("rolling-a", "Healthy", 1),
        status("rolling-b", "Healthy", 1),
        status("rolling-c", "Waiting", 10),
        status("rolling-d", "Waiting", 2),
        status("rolling-e", "Progressing", 2),
        status("rolling-f", "Waiting", 2),
      ],
    },
    {
      name: "stuck",
      issue: "No steps defined for rollout",
      statuses: [status("stuck-a", "Waiting", -1), status("stuck-b", "Healthy", -1)],
    },
  ];
  for (const { name, issue, statuses } of rows)
    test(`wheelhouse describe set/${name}`, async () => {
      const conditions = setConditions(
        { fault: undefined, ungenerated: undefined, rollout: { kind: "known", statuses, issue } },
        [],
        atMs,
      );
      await publish(cli.hub.store, [], {
        origin: { kind: "application-set", name },
        set: setRecord(name, { conditions }),
        rollout: { kind: "changed", written: statuses, dropped: [] },
      });
      const { stdout } = await cli.run(["describe", `set/${name}`]);
      assertGolden(`test/golden/cli/describe-set-${name}.txt`, stdout);
    });
});
