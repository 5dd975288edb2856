import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { textMetrics } from "../../spoke/metrics.ts";

suite("textMetrics", () => {
  test("counters, gauges and histograms are printed in the Prometheus text format", () => {
    const metrics = textMetrics();
    const requests = metrics.counter("wheelhouse_spoke_requests_total", "Requests sent.", ["verb"]);
    const held = metrics.gauge("wheelhouse_spoke_applications", "Applications held.");
    const seconds = metrics.histogram("wheelhouse_spoke_sync_seconds", "Length of a sync.", [1, 5]);
    requests.add(1, { verb: "get" });
    requests.add(2, { verb: "get" });
    requests.add(1, { verb: 'o"d\\d\n' });
    held.set(4);
    seconds.observe(1);
    seconds.observe(3.5);
    seconds.observe(9);
    assert.equal(
      metrics.exposition().text,
      `# HELP wheelhouse_spoke_requests_total Requests sent.
# TYPE wheelhouse_spoke_requests_total counter
wheelhouse_spoke_requests_total{verb="get"} 3
wheelhouse_spoke_requests_total{verb="o\\"d\\\\d\\n"} 1
# HELP wheelhouse_spoke_applications Applications held.
# TYPE wheelhouse_spoke_applications gauge
wheelhouse_spoke_applications 4
# HELP wheelhouse_spoke_sync_seconds Length of a sync.
# TYPE wheelhouse_spoke_sync_seconds histogram
wheelhouse_spoke_sync_seconds_bucket{le="1"} 1
wheelhouse_spoke_sync_seconds_bucket{le="5"} 2
wheelhouse_spoke_sync_seconds_bucket{le="+Inf"} 3
wheelhouse_spoke_sync_seconds_sum 13.5
wheelhouse_spoke_sync_seconds_count 3
`,
    );
  });

  test("a metric without labels is there before anything happened", () => {
    const metrics = textMetrics();
    metrics.counter("wheelhouse_spoke_starts_total", "Starts.");
    assert.match(metrics.exposition().text, /^wheelhouse_spoke_starts_total 0$/m);
  });

  test("sampled values are read at every scrape and forget labels that are gone", () => {
    const metrics = textMetrics();
    let states = ["Healthy", "Degraded"];
    metrics.sampled("wheelhouse_spoke_by_health", "Applications.", ["health"], () =>
      states.map((health) => [{ health }, 1] as const),
    );
    assert.match(metrics.exposition().text, /Degraded/);
    states = ["Healthy"];
    assert.doesNotMatch(metrics.exposition().text, /Degraded/);
  });

  test("misuse is a bug, loudly", () => {
    const metrics = textMetrics();
    const counter = metrics.counter("wheelhouse_spoke_a_total", "A.", ["verb"]);
    assert.throws(() => metrics.gauge("wheelhouse_spoke_a_total", "Again."), TypeError);
    assert.throws(() => metrics.gauge("wheelhouse_hub_b", "Of the other half."), TypeError);
    assert.throws(() => counter.add(1), TypeError);
    assert.throws(() => counter.add(1, { verb: "get", more: "x" }), TypeError);
    assert.throws(() => counter.add(-1, { verb: "get" }), RangeError);
    assert.throws(() => metrics.histogram("wheelhouse_spoke_c", "C.", [2, 1]), RangeError);
  });
});
