/** The hub's HTTP API as a story asks it: JSON in, JSON out, everything but success thrown. */
export type HubClient = {
  readonly get: <T>(path: string) => Promise<T>;
  readonly send: <T>(
    method: "POST" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
  ) => Promise<T>;
  /** Every item of a list that comes in pages. */
  readonly all: <T>(path: string) => Promise<readonly T[]>;
};

export function hubClient(hub: { readonly url: string; readonly adminToken: string }): HubClient {
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${hub.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${hub.adminToken}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  return {
    get: (path) => ask("GET", path),
    send: ask,
    all: async <T>(path: string) => {
      const items: T[] = [];
      for (let cursor: string | undefined; ;) {
        const separator = path.includes("?") ? "&" : "?";
        const page = await ask<{ readonly items: readonly T[]; readonly next?: string }>(
          "GET",
          `${path}${separator}limit=500${cursor === undefined ? "" : `&after=${cursor}`}`,
        );
        items.push(...page.items);
        if (page.next === undefined || page.next === null) return items;
        cursor = encodeURIComponent(page.next);
      }
    },
  };
}
