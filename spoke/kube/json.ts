import type { KubeObject } from "../domain/kube-object.ts";

/** A JSON object nobody has looked into yet. */
export type JsonRecord = { readonly [field: string]: unknown };

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The record itself, or an empty one when it is anything else. */
export const recordOf = (value: unknown): JsonRecord => (isRecord(value) ? value : {});

/** The list itself, or an empty one when it is anything else. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The text itself, or an empty one when it is anything else. */
export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The texts among the values of a record. */
export const textsOf = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(recordOf(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );

/** An object as an API server answers with it: named, and of a kind. */
export const isKubeObject = (value: unknown): value is KubeObject =>
  isRecord(value) &&
  typeof value["apiVersion"] === "string" &&
  typeof value["kind"] === "string" &&
  isRecord(value["metadata"]) &&
  typeof value["metadata"]["name"] === "string";
