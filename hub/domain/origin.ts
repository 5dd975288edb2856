/** Where an application comes from: the set that generates it, or its own document. */
export type Origin =
  | { readonly kind: "application-set"; readonly name: string }
  | { readonly kind: "application"; readonly name: string };

export const sameOrigin = (a: Origin, b: Origin): boolean => a.kind === b.kind && a.name === b.name;

/** One text for each origin. */
export const originKey = (origin: Origin): string => `${origin.kind} ${origin.name}`;

/** For people. */
export const describeOrigin = (origin: Origin): string =>
  origin.kind === "application-set"
    ? `ApplicationSet ${origin.name}`
    : `Application ${origin.name}`;
