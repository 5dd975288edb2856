import type { Json } from "../../../../proto/words/digest.ts";
import { entrySets, type ModelWorld, type Spare } from "./model-generators.ts";
import { rendered } from "./model-templates.ts";
import { entriesOf, isJsonMap, ModelFailure, type ModelMap } from "./model-values.ts";

/** What a set comes to in the model: its Applications in order, and how often something was left out. */
export type ModelResult = { readonly documents: readonly Json[]; readonly failures: number };

/** With `spares` what fails is left out, without it the first failure is thrown. */
export function modelApplications(
  generators: readonly Json[],
  template: { readonly [key: string]: Json },
  world: ModelWorld,
  spares: boolean,
): ModelResult {
  let failures = 0;
  const spare: Spare = spares ? () => (failures += 1) : undefined;
  const documents = generators.flatMap((entry) =>
    tried(spare, () =>
      entrySets(entry, world, spare).flatMap((params) =>
        tried(spare, () => [application(template, params, world)]),
      ),
    ),
  );
  return { documents, failures };
}

export const modelParams = (generators: readonly Json[], world: ModelWorld): readonly ModelMap[] =>
  generators.flatMap((entry) => entrySets(entry, world, undefined));

function tried(spare: Spare, make: () => readonly Json[]): readonly Json[] {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ModelFailure) || spare === undefined) throw error;
    spare();
    return [];
  }
}

function application(
  template: { readonly [key: string]: Json },
  params: ModelMap,
  { mode }: ModelWorld,
): Json {
  const walk = (value: Json): Json => {
    if (typeof value === "string") return rendered(value, params, mode);
    if (Array.isArray(value)) return (value as readonly Json[]).map(walk);
    if (!isJsonMap(value)) return value;
    const made = new Map<string, Json>();
    for (const [key, item] of entriesOf(value)) {
      const name = rendered(key, params, mode);
      if (made.has(name)) throw new ModelFailure(`${name} twice`);
      made.set(name, walk(item));
    }
    return Object.fromEntries(made);
  };
  // Without params nothing is put in, and nothing is added.
  const isEmpty = params.size === 0;
  const made = isEmpty ? template : (walk(template) as { readonly [key: string]: Json });
  const finalizers = isEmpty ? {} : { finalizers: ["resources-finalizer.argocd.argoproj.io"] };
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    ...made,
    metadata: { ...(made["metadata"] as object), ...finalizers, namespace: "argocd" },
  };
}
