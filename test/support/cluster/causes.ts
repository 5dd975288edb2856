/** Reasons to refuse a field, worded as the API words them. */
import type { Json } from "./json.ts";
import type { Cause } from "./status.ts";

export const required = (field: string, detail = ""): Cause => ({
  reason: "FieldValueRequired",
  message: detail === "" ? "Required value" : `Required value: ${detail}`,
  field,
});

export const invalidValue = (field: string, value: Json, detail: string): Cause => ({
  reason: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
  field,
});

export const notSupported = (field: string, value: Json, known: readonly string[]): Cause => ({
  reason: "FieldValueNotSupported",
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${known.map((one) => JSON.stringify(one)).join(", ")}`,
  field,
});

export const forbiddenField = (field: string, detail: string): Cause => ({
  reason: "FieldValueForbidden",
  message: `Forbidden: ${detail}`,
  field,
});

export const duplicate = (field: string, value: Json): Cause => ({
  reason: "FieldValueDuplicate",
  message: `Duplicate value: ${JSON.stringify(value)}`,
  field,
});

export const tooLong = (field: string, limit: number): Cause => ({
  reason: "FieldValueTooLong",
  message: `Too long: may not be more than ${limit} bytes`,
  field,
});

export const immutable = (field: string, value: Json): Cause =>
  invalidValue(field, value, "field is immutable");
