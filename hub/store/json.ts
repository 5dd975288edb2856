/** Reads what this store wrote itself; the caller names the shape because it wrote it. */
export const readJson = (text: string): unknown => JSON.parse(text);

export const writeJson = (value: unknown): string => JSON.stringify(value);
