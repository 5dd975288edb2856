import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from "prom-client";
import type { MetricsRegistry } from "../proto/kit/metrics.ts";

/** One registry. Names are `wheelhouse_hub_…`. */
export type Metrics = MetricsRegistry & {
  /** The text exposition of everything registered. */
  readonly exposition: () => Promise<{ readonly contentType: string; readonly text: string }>;
};

/** Buckets for things that take from a millisecond to half a minute. */
export const secondsBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30] as const;

/** `processMetrics` adds Node's own: memory, event loop delay, garbage collection. */
export function promMetrics({ processMetrics = true } = {}): Metrics {
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry, prefix: "wheelhouse_hub_" });
  const common = (name: string, help: string, labels: readonly string[] = []) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter: (name, help, labels) => {
      const counter = new PromCounter(common(name, help, labels));
      return { add: (amount, values = {}) => counter.inc({ ...values }, amount) };
    },
    gauge: (name, help, labels) => {
      const gauge = new PromGauge(common(name, help, labels));
      return { set: (value, values = {}) => gauge.set({ ...values }, value) };
    },
    histogram: (name, help, buckets, labels) => {
      const histogram = new PromHistogram({
        ...common(name, help, labels),
        buckets: [...buckets],
      });
      return { observe: (value, values = {}) => histogram.observe({ ...values }, value) };
    },
    sampled: (name, help, labels, read) => {
      const gauge: PromGauge = new PromGauge({
        ...common(name, help, labels),
        collect: () => {
          gauge.reset();
          for (const [values, value] of read()) gauge.set({ ...values }, value);
        },
      });
    },
    exposition: async () => ({
      contentType: registry.contentType,
      text: await registry.metrics(),
    }),
  };
}
