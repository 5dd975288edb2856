/** Label values come from closed sets or from the fleet, never from messages, commits or applications. */
export type Labels = Readonly<Record<string, string>>;

/** Only grows. Names end in `_total`, or in a unit and `_total`. */
export type Counter = { readonly add: (amount: number, labels?: Labels) => void };

export type Gauge = { readonly set: (value: number, labels?: Labels) => void };

/** Observes base units: seconds, bytes. */
export type Histogram = { readonly observe: (value: number, labels?: Labels) => void };

/** Makes metrics of one registry. Asking twice for one name is a bug and throws. */
export type MetricsRegistry = {
  readonly counter: (name: string, help: string, labels?: readonly string[]) => Counter;
  readonly gauge: (name: string, help: string, labels?: readonly string[]) => Gauge;
  readonly histogram: (
    name: string,
    help: string,
    /** Upper bounds, growing; one without a bound is added. */
    buckets: readonly number[],
    labels?: readonly string[],
  ) => Histogram;
  /** A gauge whose values are read when somebody scrapes; labels that are gone disappear. */
  readonly sampled: (
    name: string,
    help: string,
    labels: readonly string[],
    read: () => Iterable<readonly [labels: Labels, value: number]>,
  ) => void;
};
