import { Agent, request } from "node:https";

/** Where a cluster's API is and how to be let in. */
export type KubeAccess = { readonly url: string; readonly caPem: string; readonly token: string };

export type KubeJson = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
  };
  readonly [field: string]: unknown;
};

/** A cluster's API as a visitor uses it: plain requests, none of the project's own client code. */
export type KubeClient = {
  /** `undefined` when there is none. Throws on every other refusal. */
  readonly get: (path: string) => Promise<KubeJson | undefined>;
  readonly list: (path: string) => Promise<readonly KubeJson[]>;
  readonly create: (path: string, object: unknown) => Promise<KubeJson>;
  /** A merge patch, as a hand edit makes it. */
  readonly edit: (path: string, patch: unknown) => Promise<KubeJson>;
  readonly remove: (path: string) => Promise<void>;
  /** Any request; its answer's text. Throws on every refusal. */
  readonly raw: (method: string, path: string, body?: unknown) => Promise<string>;
  readonly close: () => void;
};

export function kubeClient(access: KubeAccess): KubeClient {
  const agent = new Agent({ keepAlive: true, ca: access.caPem });
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<{ readonly status: number; readonly text: string }> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        `${access.url}${path}`,
        {
          method,
          agent,
          headers: {
            authorization: `Bearer ${access.token}`,
            ...(body === undefined ? {} : { "content-type": type }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              text: Buffer.concat(chunks).toString("utf8"),
            }),
          );
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const expect = async (
    method: string,
    path: string,
    body?: unknown,
    type?: string,
  ): Promise<KubeJson> => {
    const { status, text } = await ask(method, path, body, type);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text) as KubeJson;
  };
  return {
    get: async (path) => {
      const { status, text } = await ask("GET", path);
      if (status === 404) return undefined;
      if (status >= 300) throw new Error(`GET ${path}: ${status} ${text}`);
      return JSON.parse(text) as KubeJson;
    },
    list: async (path) => {
      const list = (await expect("GET", path)) as unknown as {
        readonly items: readonly KubeJson[];
      };
      return list.items;
    },
    create: (path, object) => expect("POST", `${path}?fieldManager=visitor`, object),
    edit: (path, patch) =>
      expect("PATCH", `${path}?fieldManager=visitor`, patch, "application/merge-patch+json"),
    remove: async (path) => {
      await expect("DELETE", path);
    },
    raw: async (method, path, body) => {
      const { status, text } = await ask(method, path, body);
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
      return text;
    },
    close: () => agent.destroy(),
  };
}
