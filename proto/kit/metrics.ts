/** Label values come from closed sets or from the fleet, never from messages, commits or applications. */
export type Labels = Readonly<Record<string, string>>;

/** Only grows. Names end in `_total`, or in a unit and `_total`. */
export type Counter = { readonly add: (amount: number, labels?: Labels) => void };

export type Gauge = { readonly set: (value: number, labels?: Labels) => void };

/** Observes base units: seconds, bytes. */
export type Histogram = { readonly observe: (value: number, labels?: Labels) => void };
