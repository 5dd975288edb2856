import { z } from "@hono/zod-openapi";
import type { Result } from "../../proto/kit/result.ts";
import { parseSelectorText } from "../domain/selector-text.ts";

/** Pieces of query strings. Lists are comma-separated; a parameter nobody knows is a problem, not ignored. */

export const pageLimitMost = 500;

export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(pageLimitMost)
    .default(100)
    .openapi({ description: "how many at most" }),
  after: z.string().max(4096).optional().openapi({ description: "`next` of the page before" }),
};

/** Text that one of our parsers reads; its sentence becomes the field's problem. */
export const readBy = <T>(parse: (text: string) => Result<T, string>, description: string) =>
  z
    .string()
    .max(4096)
    .transform((text, context) => {
      const parsed = parse(text);
      if (parsed.ok) return parsed.value;
      context.addIssue({ code: "custom", message: parsed.problem });
      return z.NEVER;
    })
    .openapi({ type: "string", description });

export const selectorQuery = (description: string) =>
  readBy(parseSelectorText, `${description}: env=prod,tier in (web,api),!legacy`).optional();

/** Comma-separated words out of a closed set. */
export const wordsOf = <const T extends string>(words: readonly T[], description: string) =>
  z
    .string()
    .max(4096)
    .transform((text, context): T[] =>
      text.split(",").flatMap((part) => {
        const found = words.find((word) => word === part.trim());
        if (found !== undefined) return [found];
        context.addIssue({
          code: "custom",
          message: `${JSON.stringify(part)} is none of ${words.join(", ")}`,
        });
        return [];
      }),
    )
    .openapi({ type: "string", description: `${description}: of ${words.join(", ")}` });

export const flagQuery = (description: string) =>
  z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional()
    .openapi({ type: "string", enum: ["true", "false"], description });

export const textQuery = (description: string) =>
  z.string().min(1).max(1024).optional().openapi({ description });

/** Leaves out what was not given, so that filters say only what was asked. */
export function given<T extends object>(filter: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(filter).filter(([, value]) => value !== undefined);
  // What is left has no undefined; entries lose the keys' types on the way.
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> };
}
