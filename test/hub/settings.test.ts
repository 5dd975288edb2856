import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { hubSettingHelp, readHubSettings } from "../../hub/settings.ts";

const sources = (words: readonly string[], environment = {}, file?: Record<string, unknown>) => ({
  words,
  environment,
  file,
});

suite("hub settings", () => {
  test("a flag wins over the environment, which wins over the file", () => {
    const read = readHubSettings(
      sources(
        ["--fleet-repository", "https://git.example/fleet", "--poll-ms=5000"],
        { WHEELHOUSE_POLL_MS: "6000", WHEELHOUSE_LOG_LEVEL: "debug" },
        { pollMs: 7000, logLevel: "error", fleetRevision: "main" },
      ),
      "/srv",
    );
    assert.ok(read.ok);
    assert.equal(read.value.pollMs, 5000);
    assert.equal(read.value.logLevel, "debug");
    assert.equal(read.value.fleetRevision, "main");
    assert.equal(read.value.dataFolder, "/srv/wheelhouse-data");
  });

  test("all problems are reported together, each naming its setting", () => {
    const read = readHubSettings(
      sources(
        [
          "--poll-ms",
          "soon",
          "--link-listen",
          "everywhere",
          "--http-tls-key-file",
          "k",
          "--speed",
          "9",
        ],
        {},
        { repositoryCredentials: [{ urlPrefix: "ftp://x" }], colour: "red" },
      ),
      "/srv",
    );
    assert.ok(!read.ok);
    assert.deepEqual(read.problem, [
      'link-listen must be host:port, got "everywhere"',
      "fleet-repository is required (--fleet-repository, WHEELHOUSE_FLEET_REPOSITORY or fleetRepository in the file)",
      'poll-ms must be a whole number from 1000 to 3600000, got "soon"',
      "repositoryCredentials[0] must be {urlPrefix, username, passwordFile} or {urlPrefix, tokenFile}, with an http or https URL",
      "http-tls-certificate-file and http-tls-key-file must be given together",
      "there is no setting --speed",
      "there is no setting colour (settings file)",
    ]);
  });

  const addresses = ["http://u:secret@git.example/f", "file:///srv/fleet", "git@git.example:fleet"];
  for (const address of addresses)
    test(`the fleet repository ${address.replace("secret", "…")} is refused without repeating it`, () => {
      const read = readHubSettings(sources(["--fleet-repository", address]), "/");
      assert.ok(!read.ok);
      assert.equal(read.problem.length, 1);
      assert.match(read.problem[0] ?? "", /^fleet-repository must /);
      assert.ok(!(read.problem[0] ?? "").includes("secret"));
    });

  const paths = [
    [".", ""],
    ["./fleet/", "fleet"],
    ["/clusters/eu/", "clusters/eu"],
  ] as const;
  for (const [given, expected] of paths)
    test(`the fleet path ${JSON.stringify(given)} is read as ${JSON.stringify(expected)}`, () => {
      const read = readHubSettings(
        sources(["--fleet-repository", "https://git.example/f", "--fleet-path", given]),
        "/",
      );
      assert.ok(read.ok);
      assert.equal(read.value.fleetPath, expected);
    });

  test("every setting that is read is explained, and every explained one is read", () => {
    const words = hubSettingHelp.flatMap(([name]) => [`--${name}`, "?"]);
    const read = readHubSettings(sources(words), "/");
    assert.ok(!read.ok);
    assert.deepEqual(
      read.problem.filter((problem) => problem.startsWith("there is no setting")),
      [],
    );
  });
});
