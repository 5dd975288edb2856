import { invalidValue } from "../causes.ts";
import { mapAt, type Json } from "../json.ts";
import type { KubeObject } from "../object.ts";
import type { Cause } from "../status.ts";

/** Why an object of one kind is refused; nothing when it is not. */
export type Check = (object: KubeObject) => readonly Cause[];

/** A field of its spec. */
export const at = (object: KubeObject, field: string): Json | undefined =>
  mapAt(object, "spec")[field];

export const notNegative = (object: KubeObject, field: string): readonly Cause[] => {
  const value = at(object, field);
  return typeof value === "number" && value < 0
    ? [invalidValue(`spec.${field}`, value, "must be greater than or equal to 0")]
    : [];
};
