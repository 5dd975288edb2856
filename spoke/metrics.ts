import type { Labels, MetricsRegistry } from "../proto/kit/metrics.ts";

/** One registry. Names are `wheelhouse_spoke_…`. */
export type Metrics = MetricsRegistry & {
  /** Everything registered, in the Prometheus text format. */
  readonly exposition: () => { readonly contentType: string; readonly text: string };
};

type Sample = { readonly suffix: string; readonly labels: Labels; readonly value: number };

type Family = {
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: () => Iterable<Sample>;
};

const nameShape = /^wheelhouse_spoke_[a-z0-9_]+$/;

/** Metrics of the spoke, kept and printed by ourselves: a page of code instead of a package in memory. */
export function textMetrics(): Metrics {
  const families = new Map<string, Family>();

  function register(name: string, family: Family): void {
    if (!nameShape.test(name))
      throw new TypeError(`metric name ${JSON.stringify(name)} is not ours`);
    if (families.has(name)) throw new TypeError(`metric ${name} is registered twice`);
    families.set(name, family);
  }

  return {
    counter: (name, help, labels = []) => {
      const values = seriesOf<number>(name, labels, 0);
      register(name, { help, type: "counter", samples: () => plainSamples(values) });
      return {
        add: (amount, given = {}) => {
          if (!(amount >= 0)) throw new RangeError(`counter ${name} cannot grow by ${amount}`);
          values.set(given, (values.get(given) ?? 0) + amount);
        },
      };
    },
    gauge: (name, help, labels = []) => {
      const values = seriesOf<number>(name, labels, 0);
      register(name, { help, type: "gauge", samples: () => plainSamples(values) });
      return { set: (value, given = {}) => values.set(given, value) };
    },
    histogram: (name, help, buckets, labels = []) => {
      if (buckets.some((bound, index) => index > 0 && bound <= (buckets[index - 1] ?? bound)))
        throw new RangeError(`the buckets of ${name} do not grow`);
      const values = seriesOf<Observed>(name, labels, emptyObserved(buckets));
      register(name, {
        help,
        type: "histogram",
        samples: () => histogramSamples(values, buckets),
      });
      return {
        observe: (value, given = {}) => {
          const before = values.get(given) ?? emptyObserved(buckets);
          values.set(given, {
            counts: before.counts.map((count, index) =>
              value <= (buckets[index] ?? Number.POSITIVE_INFINITY) ? count + 1 : count,
            ),
            sum: before.sum + value,
          });
        },
      };
    },
    sampled: (name, help, labels, read) =>
      register(name, {
        help,
        type: "gauge",
        samples: () => {
          const values = seriesOf<number>(name, labels, undefined);
          for (const [given, value] of read()) values.set(given, value);
          return plainSamples(values);
        },
      }),
    exposition: () => ({
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      text: [...families].map(([name, family]) => printFamily(name, family)).join(""),
    }),
  };
}

type Observed = {
  /** Cumulative, one per bucket and one more for everything. */
  readonly counts: readonly number[];
  readonly sum: number;
};

const emptyObserved = (buckets: readonly number[]): Observed => ({
  counts: [...buckets, 0].map(() => 0),
  sum: 0,
});

type Series<V> = {
  readonly get: (labels: Labels) => V | undefined;
  readonly set: (labels: Labels, value: V) => void;
  readonly all: () => Iterable<readonly [labels: Labels, value: V]>;
};

/** Values by their labels. `first` is there from the start when there are no labels to wait for. */
function seriesOf<V>(name: string, labelNames: readonly string[], first: V | undefined): Series<V> {
  const values = new Map<string, readonly [labels: Labels, value: V]>();
  const keyOf = (labels: Labels): string => {
    const given = Object.keys(labels);
    if (given.length !== labelNames.length || !labelNames.every((label) => label in labels))
      throw new TypeError(
        `metric ${name} has the labels ${labelNames.join(", ") || "(none)"}, got ${given.join(", ") || "(none)"}`,
      );
    return JSON.stringify(labelNames.map((label) => labels[label]));
  };
  if (labelNames.length === 0 && first !== undefined) values.set(keyOf({}), [{}, first]);
  return {
    get: (labels) => values.get(keyOf(labels))?.[1],
    set: (labels, value) => void values.set(keyOf(labels), [labels, value]),
    all: () => values.values(),
  };
}

function* plainSamples(series: Series<number>): Iterable<Sample> {
  for (const [labels, value] of series.all()) yield { suffix: "", labels, value };
}

function* histogramSamples(series: Series<Observed>, buckets: readonly number[]): Iterable<Sample> {
  for (const [labels, { counts, sum }] of series.all()) {
    for (const [index, count] of counts.entries()) {
      const bound = buckets[index];
      const le = bound === undefined ? "+Inf" : String(bound);
      yield { suffix: "_bucket", labels: { ...labels, le }, value: count };
    }
    yield { suffix: "_sum", labels, value: sum };
    yield { suffix: "_count", labels, value: counts.at(-1) ?? 0 };
  }
}

function printFamily(name: string, { help, type, samples }: Family): string {
  const lines = [...samples()].map(
    ({ suffix, labels, value }) => `${name}${suffix}${printLabels(labels)} ${printValue(value)}\n`,
  );
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function printValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
