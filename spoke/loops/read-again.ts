import type { ObjectKey } from "../../proto/words/object-key.ts";
import { actingFor } from "./acting-for.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { PassNeeds, PassSettings } from "./ongoing-pass.ts";
import { sideBySide } from "./side-by-side.ts";

/** Reads what an application owns from the cluster, whatever its watches say. */
export async function readAgain(
  work: ApplicationWork,
  needs: Pick<PassNeeds, "cluster" | "inventories" | "objects" | "view">,
  settings: Pick<PassSettings, "objectsAtOnceMost">,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, inventories, objects, view } = needs;
  const keys = [...inventories.of(work.application).keys()];
  const read = async (key: ObjectKey): Promise<void> => {
    const known = view.live(work, key);
    const object = await actingFor(work, cluster).get(key, signal);
    if (object === undefined && known !== undefined) objects.remove(known.object);
    // A fingerprint is of one version, and only the watched one can be compared.
    else if (object !== undefined && object.apiVersion === known?.object.apiVersion)
      objects.putAnswer(object);
  };
  await sideBySide(keys, settings.objectsAtOnceMost, read, signal);
}
