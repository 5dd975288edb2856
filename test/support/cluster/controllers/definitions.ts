/** CustomResourceDefinitions: a new kind is served once its names are accepted, and leaves with its objects. */
import { withConditions, type Condition } from "../conditions.ts";
import { kindsOf } from "../custom.ts";
import { isMap, mapAt, mapsAt, textAt, type Json } from "../json.ts";
import { builtIn, kindKey } from "../kinds.ts";
import { isTerminating, type KubeObject } from "../object.ts";
import { itself, type Controller, type Host } from "./host.ts";

const definitions = builtIn("apiextensions.k8s.io/customresourcedefinitions");

const cleanup = "customresourcecleanup.apiextensions.k8s.io";

export function createDefinitionController(host: Host): Controller {
  const { store, kinds, watches, time } = host.world;
  /** The resource version each kind was first served at. */
  const servedSince = new Map<string, number>();
  /** The spec that is served now, so that a change of status changes nothing. */
  const servedSpec = new Map<string, Json>();

  const keyOf = (definition: KubeObject): string =>
    kindKey(textAt(definition, "spec", "group"), textAt(definition, "spec", "names", "plural"));

  /** Another definition of the group that already has one of the names. */
  const takenName = (definition: KubeObject): string | undefined => {
    const names = mapAt(definition, "spec", "names");
    for (const other of kinds.all()) {
      if (other.group !== textAt(definition, "spec", "group")) continue;
      if (other.custom?.definition === definition.metadata.name) continue;
      if (other.kind === textAt(names, "kind")) return other.kind;
      if (other.plural === textAt(names, "plural")) return other.plural;
    }
    return undefined;
  };

  const serve = (definition: KubeObject): void => {
    const { name } = definition.metadata;
    const taken = takenName(definition);
    if (taken === undefined && servedSpec.get(name) !== definition["spec"]) {
      const since = servedSince.get(name) ?? store.version;
      servedSince.set(name, since);
      servedSpec.set(name, definition["spec"] ?? null);
      kinds.define(name, kindsOf(definition, since));
    }
    const conditions: readonly Condition[] =
      taken === undefined
        ? [
            {
              type: "NamesAccepted",
              status: "True",
              reason: "NoConflicts",
              message: "no conflicts found",
            },
            {
              type: "Established",
              status: "True",
              reason: "InitialNamesAccepted",
              message: "the initial names have been accepted",
            },
          ]
        : [
            {
              type: "NamesAccepted",
              status: "False",
              reason: "KindConflict",
              message: `${JSON.stringify(taken)} is already in use`,
            },
            {
              type: "Established",
              status: "False",
              reason: "NotAccepted",
              message: "not all names are accepted",
            },
          ];
    const stored = mapsAt(definition, "spec", "versions").find(
      (version) => version["storage"] === true,
    );
    const before = mapAt(definition, "status")["storedVersions"];
    const earlier = Array.isArray(before) ? before : [];
    const storedName = textAt(stored, "name");
    host.setStatus(
      definitions.key,
      definition,
      {
        conditions: withConditions(definition, time.stamp(), conditions),
        acceptedNames:
          taken === undefined ? mapAt(definition, "spec", "names") : { plural: "", kind: "" },
        storedVersions: earlier.includes(storedName) ? earlier : [...earlier, storedName],
      },
      "kube-apiserver",
    );
  };

  const retire = (definition: KubeObject): void => {
    const key = keyOf(definition);
    const [kind] = kinds.ofDefinition(definition.metadata.name);
    const objects = store.list(key);
    if (kind !== undefined) {
      for (const object of objects) if (!isTerminating(object)) host.remove(kind, object);
    }
    if (store.list(key).length > 0) {
      host.setStatus(
        definitions.key,
        definition,
        {
          ...mapAt(definition, "status"),
          conditions: withConditions(definition, time.stamp(), [
            {
              type: "Terminating",
              status: "True",
              reason: "InstanceDeletionInProgress",
              message: "CustomResource deletion is in progress",
            },
          ]),
        },
        "kube-apiserver",
      );
      return;
    }
    const finalizers = (definition.metadata.finalizers ?? []).filter((one) => one !== cleanup);
    host.setMeta(definitions, definition, {
      finalizers: finalizers.length === 0 ? undefined : finalizers,
    });
  };

  const forget = (name: string): void => {
    const [kind] = kinds.ofDefinition(name);
    kinds.undefine(name);
    servedSince.delete(name);
    servedSpec.delete(name);
    if (kind !== undefined) watches.closeKind(kind.key);
  };

  return {
    name: definitions.plural,
    concerns: (change) => {
      if (change.kind === definitions.key) return itself(definitions.key)(change);
      if (change.is !== undefined) return [];
      // The last object of a kind may be what its definition waits for.
      const custom = kinds.byKey(change.kind)?.custom;
      return custom === undefined ? [] : [{ namespace: "", name: custom.definition }];
    },
    reconcile: ({ name }) => {
      const definition = store.get(definitions.key, "", name);
      if (definition === undefined) forget(name);
      else if (isTerminating(definition)) retire(definition);
      else if (isMap(definition["spec"])) serve(definition);
    },
  };
}
