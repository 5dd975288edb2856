import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import { messageOf, unexpectedAnswer, type Answer, type Api, type ApiCall } from "./api.ts";
import { ApiServerUnavailable } from "./trouble.ts";

/** Manager of the spoke's own objects, apart from the manager of what it applies for applications. */
const ownManager = "wheelhouse-spoke-state";

/** Creates or updates one of the spoke's own objects, and the spoke's namespace when it is missing. */
export async function applyOwn(
  api: Api,
  namespace: string,
  path: string,
  object: Json,
  signal: AbortSignal,
): Promise<void> {
  const answer = await callInOwnNamespace(api, namespace, applyCall(path, object), signal);
  if (answer.status !== 200 && answer.status !== 201)
    throw unexpectedAnswer(answer, `apply of ${path}`);
}

/** A call that may be the first in the spoke's namespace: when that is missing, it is made first. */
export async function callInOwnNamespace(
  api: Api,
  namespace: string,
  call: ApiCall,
  signal: AbortSignal,
): Promise<Answer> {
  const answer = await api.call(call, signal);
  if (answer.status !== 404 || !/^namespaces? ".*" not found$/.test(messageOf(answer)))
    return answer;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  const made = await api.call(applyCall(path, object), signal);
  if (made.status !== 200 && made.status !== 201)
    throw new ApiServerUnavailable(
      `namespace ${JSON.stringify(namespace)} is missing and could not be created: ${messageOf(made)}`,
      { status: made.status },
    );
  return await api.call(call, signal);
}

const applyCall = (path: string, object: Json): ApiCall => ({
  verb: "apply",
  method: "PATCH",
  path,
  query: { fieldManager: ownManager, force: "true" },
  body: canonicalJson(object),
  contentType: "application/apply-patch+yaml",
});
