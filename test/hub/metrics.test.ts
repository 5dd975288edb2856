import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { promMetrics, secondsBuckets } from "../../hub/metrics.ts";

suite("promMetrics", () => {
  test("shows counters, gauges and histograms in the text exposition", async () => {
    const metrics = promMetrics({ processMetrics: false });
    const counter = metrics.counter("wheelhouse_hub_fetches_total", "Fetches", ["outcome"]);
    counter.add(2, { outcome: "ok" });
    metrics.gauge("wheelhouse_hub_clusters", "Clusters").set(3);
    metrics
      .histogram("wheelhouse_hub_generate_seconds", "Generation", secondsBuckets)
      .observe(0.02);
    const { text, contentType } = await metrics.exposition();
    assert.match(contentType, /^text\/plain/);
    assert.match(text, /^wheelhouse_hub_fetches_total\{outcome="ok"\} 2$/m);
    assert.match(text, /^wheelhouse_hub_clusters 3$/m);
    assert.match(text, /^wheelhouse_hub_generate_seconds_bucket\{le="0.05"\} 1$/m);
  });

  test("a sampled gauge is read when scraped, and forgets labels that are gone", async () => {
    const metrics = promMetrics({ processMetrics: false });
    let states: readonly (readonly [string, number])[] = [
      ["attached", 2],
      ["detached", 1],
    ];
    metrics.sampled("wheelhouse_hub_spokes", "Spokes", ["state"], () =>
      states.map(([state, count]) => [{ state }, count] as const),
    );
    assert.match((await metrics.exposition()).text, /state="detached"\} 1/);
    states = [["attached", 3]];
    const { text } = await metrics.exposition();
    assert.match(text, /state="attached"\} 3/);
    assert.doesNotMatch(text, /detached/);
  });

  test("one name is asked for once", () => {
    const metrics = promMetrics({ processMetrics: false });
    metrics.gauge("wheelhouse_hub_x", "X");
    assert.throws(() => metrics.gauge("wheelhouse_hub_x", "X"));
  });

  test("process metrics are there unless left out", async () => {
    assert.match(
      (await promMetrics().exposition()).text,
      /wheelhouse_hub_process_resident_memory_bytes/,
    );
  });
});
