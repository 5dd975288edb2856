import { objectKeyParts } from "../../proto/words/object-key.ts";
import type { DesiredObject } from "../domain/plan.ts";
import { namespaceKey } from "./doomed-namespaces.ts";
import type { OngoingPass } from "./ongoing-pass.ts";

/** Makes the destination namespace when the policy says so. It is not ours: no marker, no inventory, no prune. */
export async function ensureNamespace(
  { work, desired, bundle, needs }: OngoingPass,
  created: readonly DesiredObject[],
  signal: AbortSignal,
): Promise<void> {
  if (!desired.policy.createNamespace) return;
  const { cluster, log } = needs;
  const name = desired.destinationNamespace || "default";
  const key = namespaceKey(name);
  const isNeeded = created.some((object) => objectKeyParts(object.key).namespace === name);
  if (!isNeeded || bundle.objects.some((object) => object.key === key)) return;
  if ((await cluster.get(key, signal)) !== undefined) return;
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  const outcome = await cluster.apply(namespace, { force: false, dryRun: false }, signal);
  const { application } = work;
  log.info("namespace created", { application, namespace: name, outcome: outcome.kind });
}
