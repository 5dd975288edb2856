/** Requests in a row, as data: what is sent to one cluster can be sent to another, word for word. */
import type { Json, JsonMap } from "../../../support/cluster/json.ts";
import type { KubeClient, Query, Reply } from "../client.ts";

export type Verb =
  | "get"
  | "create"
  | "update"
  | "delete"
  | "merge"
  | "json"
  | "strategic"
  | "apply";

/** A body, or how it is made from the replies so far: an update sends back what the same cluster said. */
export type Body = Json | ((earlier: readonly Reply[]) => Json);

export type Step = {
  readonly verb: Verb;
  readonly path: string;
  readonly body?: Body;
  readonly query?: Query;
  readonly headers?: { readonly [name: string]: string };
};

export type Script = { readonly name: string; readonly steps: readonly Step[] };

const methods: { readonly [verb in Verb]: string } = {
  get: "GET",
  create: "POST",
  update: "PUT",
  delete: "DELETE",
  merge: "PATCH",
  json: "PATCH",
  strategic: "PATCH",
  apply: "PATCH",
};

const contentTypes: { readonly [verb in Verb]?: string } = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** One reply for each step, in order. */
export async function play(api: KubeClient, steps: readonly Step[]): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (const { verb, path, body, query = {}, headers = {} } of steps) {
    const sent = typeof body === "function" ? body(replies) : body;
    const contentType = contentTypes[verb];
    replies.push(
      await api.send(methods[verb], path, sent, {
        query,
        headers: {
          ...(contentType === undefined ? {} : { "content-type": contentType }),
          ...headers,
        },
      }),
    );
  }
  return replies;
}

/** What the cluster said last, to be sent back changed. */
export const lastObject = (earlier: readonly Reply[]): JsonMap =>
  earlier.findLast((reply) => reply.code < 300)?.body ?? {};

export const stepText = ({ verb, path, query = {}, body }: Step): string => {
  const search = new URLSearchParams(query).toString();
  const sent = typeof body === "function" ? "(made from earlier replies)" : JSON.stringify(body);
  return `${verb} ${path}${search === "" ? "" : `?${search}`} ${sent ?? ""}`.trimEnd();
};
