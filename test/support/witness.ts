import { Agent, request } from "node:https";
import type { KubeAccess, KubeJson } from "./kube-client.ts";

/** One change of an object, as its cluster's API told it. */
export type Witnessed = {
  readonly change: "added" | "modified" | "deleted";
  readonly object: KubeJson;
  /** Of all changes in this cluster, of every kind: what is larger came later. */
  readonly at: number;
};

/** Who saw everything that happened to some collections of a cluster, in the order in which it happened there. */
export type Witness = {
  /** So far, in order. Throws when a watch has ended: something may have been missed then. */
  readonly record: () => readonly Witnessed[];
  readonly stop: () => void;
};

/** Watches the collections at these paths from now on; what is there already is not told. */
export async function witness(
  { url, caPem, token }: KubeAccess,
  paths: readonly string[],
): Promise<Witness> {
  const agent = new Agent({ keepAlive: true, ca: caPem });
  const seen: Witnessed[] = [];
  const stopped = new AbortController();
  let ended: unknown;

  const ask = (path: string): Promise<AsyncIterable<Buffer>> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      request(`${url}${path}`, { agent, headers, signal: stopped.signal }, (response) => {
        if (response.statusCode === 200) resolve(response);
        else reject(new Error(`GET ${path}: ${response.statusCode}`));
      })
        .on("error", reject)
        .end();
    });

  const begin = async (path: string): Promise<void> => {
    let text = "";
    for await (const chunk of await ask(`${path}?limit=1`)) text += chunk.toString("utf8");
    const { metadata } = JSON.parse(text) as { metadata: { resourceVersion: string } };
    const changes = await ask(`${path}?watch=true&resourceVersion=${metadata.resourceVersion}`);
    const listen = async (): Promise<void> => {
      for await (const line of linesIn(changes)) seen.push(witnessed(line));
      throw new Error(`the watch of ${path} ended`);
    };
    listen().catch((error: unknown) => {
      ended ??= error;
    });
  };

  await Promise.all(paths.map(begin));
  return {
    record: () => {
      if (ended !== undefined && !stopped.signal.aborted)
        throw new Error("the witness looked away", { cause: ended });
      return seen.toSorted((a, b) => a.at - b.at);
    },
    stop: () => {
      stopped.abort();
      agent.destroy();
    },
  };
}

const changes: Readonly<Record<string, Witnessed["change"]>> = {
  ADDED: "added",
  MODIFIED: "modified",
  DELETED: "deleted",
};

function witnessed(line: string): Witnessed {
  const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: KubeJson };
  const change = changes[type];
  if (change === undefined) throw new Error(`a watch told ${line}`);
  return { change, object, at: Number(object.metadata.resourceVersion) };
}

async function* linesIn(chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let partial = "";
  for await (const chunk of chunks) {
    const lines = (partial + decoder.decode(chunk, { stream: true })).split("\n");
    partial = lines.pop() ?? "";
    yield* lines.filter((line) => line !== "");
  }
}
