// Without the look behind it would try every slash of a run that something follows, each to the run's end.
const trailingSlashes = /(?<!\/)\/+$/;

export const withoutTrailingSlashes = (text: string): string => text.replace(trailingSlashes, "");
