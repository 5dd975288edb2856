import type { Turns } from "../../proto/kit/turns.ts";
import { joinApiVersion } from "../../proto/words/object-key.ts";
import type { KubeObject, ResourceType } from "../domain/kube-object.ts";
import { unexpectedAnswer, type Api } from "./api.ts";
import { isKubeObject, isRecord, listOf, recordOf, textOf } from "./json.ts";
import { collectionPath } from "./resource-path.ts";
import { trimManagedFields } from "./trim.ts";
import { KindGone } from "./trouble.ts";

export type Listing = {
  readonly objects: readonly KubeObject[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
};

const pageSize = 500;

/** Lists that take longer than the server remembers them start over; ones that never fit end in trouble. */
const startsMost = 3;

/**
 * All objects of a type, page by page, without the field sets of other managers.
 *
 * `turns` bounds how many pages are held in memory at once. Throws KindGone when the type is not served.
 */
export async function listObjects(
  api: Api,
  type: ResourceType,
  query: { readonly namespace: string; readonly labelSelector: string },
  turns: Turns<object>,
  signal: AbortSignal,
): Promise<Listing> {
  for (let starts = 1; ; starts += 1) {
    const listing = await listOnce(api, type, query, turns, starts === startsMost, signal);
    if (listing !== "expired") return listing;
  }
}

/** The first objects of a list, as many as `most`, without the field sets of other managers. */
export async function listFirst(
  api: Api,
  type: ResourceType,
  query: { readonly namespace: string; readonly labelSelector: string },
  most: number,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const path = collectionPath(type, query.namespace);
  const { labelSelector } = query;
  const answer = await api.call(
    { verb: "list", method: "GET", path, query: { limit: String(most), labelSelector } },
    signal,
  );
  if (answer.status !== 200 || !isRecord(answer.body))
    throw unexpectedAnswer(answer, `list of ${path}`);
  return readPage(answer.body, type).objects;
}

async function listOnce(
  api: Api,
  type: ResourceType,
  { namespace, labelSelector }: { readonly namespace: string; readonly labelSelector: string },
  turns: Turns<object>,
  last: boolean,
  signal: AbortSignal,
): Promise<Listing | "expired"> {
  const path = collectionPath(type, namespace);
  const objects: KubeObject[] = [];
  let next = "";
  for (;;) {
    const query = {
      limit: String(pageSize),
      ...(labelSelector === "" ? {} : { labelSelector }),
      ...(next === "" ? {} : { continue: next }),
    };
    const page = await turns.take(
      {},
      async () => {
        const answer = await api.call({ verb: "list", method: "GET", path, query }, signal);
        if (answer.status === 410 && next !== "" && !last) return "expired";
        if (answer.status === 404) throw new KindGone(type.group, type.kind);
        if (answer.status !== 200 || !isRecord(answer.body))
          throw unexpectedAnswer(answer, `list of ${path}`);
        return readPage(answer.body, type);
      },
      signal,
    );
    if (page === "expired") return "expired";
    for (const object of page.objects) objects.push(object);
    if (page.next === "") return { objects, resourceVersion: page.resourceVersion };
    next = page.next;
  }
}

function readPage(
  body: { readonly [field: string]: unknown },
  type: ResourceType,
): Listing & { readonly next: string } {
  const apiVersion = joinApiVersion(type.group, type.version);
  const metadata = recordOf(body["metadata"]);
  const objects = listOf(body["items"]).flatMap((item) => {
    // Items of a typed list carry neither kind nor version of their own.
    const object = { apiVersion, kind: type.kind, ...recordOf(item) };
    return isKubeObject(object) ? [trimManagedFields(object)] : [];
  });
  return {
    objects,
    resourceVersion: textOf(metadata["resourceVersion"]),
    next: textOf(metadata["continue"]),
  };
}
