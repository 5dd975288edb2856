import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { promMetrics } from "../../hub/metrics.ts";
import { readPage, sourcesIn } from "./pages.ts";

/** One line per metric: `name kind (labels)`, so that a difference reads well. */
function registeredMetrics(): readonly string[] {
  // The name and help of a registration, for histograms the buckets, and the labels if there are any.
  const registration =
    /\.(counter|gauge|histogram|sampled)\(\s*"(wheelhouse_\w+)",\s*"[^"]*"(?:,\s*(?!\[)\w+)?(?:,\s*\[([^\]]*)\])?/g;
  return [...sourcesIn(["hub", "spoke"]).values()].flatMap((text) =>
    [...text.matchAll(registration)].map(([, kind = "", name = "", labels = ""]) =>
      described(name, kind === "sampled" ? "gauge" : kind, labels.replaceAll('"', "")),
    ),
  );
}

/** Every mention of a metric in the code; each must have been understood above. */
const mentionedNames = (): readonly string[] =>
  [...sourcesIn(["hub", "spoke"]).values()].flatMap((text) =>
    [...text.matchAll(/"(wheelhouse_(?:hub|spoke)_[a-z]\w*)"/g)].map(([, name]) => name ?? ""),
  );

const described = (name: string, kind: string, labels: string): string =>
  `${name} ${kind} (${labels
    .split(/[\s,]+/)
    .filter((label) => label !== "")
    .join(", ")})`;

suite("docs/metrics.md", async () => {
  const page = readPage("docs/metrics.md");
  const [ours = "", ofProcess = ""] = page.split("## Of the hub's process");
  const rows = (text: string): readonly string[] =>
    [...text.matchAll(/^\| `(\w+)` \| (\w+) \| [^|]+ \| ([^|]*)\|/gm)].map(
      ([, name = "", kind = "", labels = ""]) => described(name, kind, labels.replaceAll("`", "")),
    );
  const exposed = (await promMetrics().exposition()).text;

  test("the search understands every metric that the code names", () => {
    const understood = registeredMetrics().map((line) => line.split(" ")[0] ?? "");
    assert.ok(understood.length >= 7);
    assert.deepEqual(understood.toSorted(), mentionedNames().toSorted());
  });

  test("has every metric of hub and spoke with its kind and labels, and no other", () => {
    assert.deepEqual(rows(ours).toSorted(), registeredMetrics().toSorted());
  });

  test("has every metric of the hub's process with its kind", () => {
    const written = new Set(rows(ofProcess).map((line) => line.split(" (")[0]));
    const kinds = [...exposed.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
    assert.ok(kinds.length > 10);
    const missing = kinds
      .map(([, name, kind]) => `${name} ${kind}`)
      .filter((line) => !written.has(line));
    assert.deepEqual(missing, []);
  });

  // What only Linux has is in the page everywhere.
  test("names nothing of the process that Linux does not have", { skip: linuxOnly() }, () => {
    const names = rows(ofProcess).map((line) => line.split(" ")[0] ?? "");
    const stale = names.filter((name) => !exposed.includes(`# TYPE ${name} `));
    assert.deepEqual(stale, []);
  });
});

function linuxOnly(): string | false {
  return process.platform === "linux" ? false : "metrics of /proc are on Linux only; run it there";
}
