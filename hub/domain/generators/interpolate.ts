import { ok, type Result } from "../../../proto/kit/result.ts";
import type { Json } from "../../../proto/words/digest.ts";
import { generatorKinds } from "../application-set.ts";
import { isList, isObject, type JsonObject } from "../document.ts";
import type { Params } from "../params.ts";
import { problem, type ProblemDraft } from "../problem.ts";
import {
  documentNode,
  documentOf,
  freeJsonNode,
  mappingNode,
  NotRendered,
  Templates,
  type Node,
} from "../render-template.ts";
import { within, type GeneratorContext } from "./context.ts";

/** A generator whose fields are made out of the params of another. */
export type GeneratorTemplate = (params: Params) => Result<JsonObject, ProblemDraft>;

type Modes = {
  readonly templates: Templates;
  /** The same, but a name that is not there is an error whatever the set says. */
  readonly strict: Templates;
};

/**
 * The second child of a matrix: every text and key of it is a template over what the first child gives, and so
 * are its children's where it is a matrix or merge. Its own template is left out, since nothing reads it there.
 */
export function compileGenerator(
  { kind, body }: { readonly kind: string; readonly body: JsonObject },
  { templates, needs }: Pick<GeneratorContext, "templates" | "needs">,
): GeneratorTemplate {
  const mode = { goTemplate: templates.goTemplate, missingKey: "error" } as const;
  const strict = new Templates(mode, needs, templates.budget);
  const make = documentOf(compileBody(kind, body, { templates, strict }));
  return (params) => {
    const made = make(params);
    if (!made.ok) return within("failed to replace parameters in generator", made.problem);
    if (!isObject(made.value)) throw new TypeError("a mapping is rendered to none");
    return ok(made.value);
  };
}

const compileBody = (kind: string, body: JsonObject, modes: Modes): Node =>
  mappingNode(
    Object.keys(body)
      .filter((key) => key !== "template")
      .map((key) => ({ key, value: compileField(kind, key, body[key] ?? null, modes) })),
  );

function compileField(kind: string, key: string, value: Json, modes: Modes): Node {
  if (key === "values" && isObject(value)) return compileValues(value, modes.strict);
  switch (kind) {
    case "list":
      if (key === "elements" && isList(value))
        return { kind: "list", items: value.map((item) => freeJsonNode(item, modes.templates)) };
      break;
    case "plugin":
      if (key === "input" && isObject(value)) return compileInput(value, modes);
      break;
    case "matrix":
    case "merge":
      if (key === "generators" && isList(value))
        return { kind: "list", items: value.map((entry) => compileEntry(entry, modes)) };
      break;
  }
  return documentNode(value, modes.templates);
}

/** A child of the child, with its selector, which is none of the second child's own. */
function compileEntry(entry: Json, modes: Modes): Node {
  if (!isObject(entry)) return documentNode(entry, modes.templates);
  return mappingNode(
    Object.keys(entry).map((key) => {
      const body = entry[key] ?? null;
      const isGenerator = generatorKinds.some((kind) => kind === key) && isObject(body);
      const value = isGenerator
        ? compileBody(key, body, modes)
        : documentNode(body, modes.templates);
      return { key, value };
    }),
  );
}

const compileInput = (input: JsonObject, { templates }: Modes): Node =>
  mappingNode(
    Object.keys(input).map((key) => {
      const written = input[key] ?? null;
      const value =
        key === "parameters" && isObject(written)
          ? compileParameters(written, templates)
          : documentNode(written, templates);
      return { key, value };
    }),
  );

const compileParameters = (parameters: JsonObject, templates: Templates): Node =>
  mappingNode(
    Object.keys(parameters).map((key) => ({
      key: templates.textMaker(key),
      value: freeJsonNode(parameters[key] ?? null, templates),
    })),
  );

/**
 * `values`, as far as the first child's params go. One that needs something else is kept as written, whole:
 * its own generator may know it.
 */
const compileValues = (values: JsonObject, strict: Templates): Node =>
  mappingNode(
    Object.keys(values).map((key) => {
      const value = values[key] ?? null;
      return {
        key,
        value: typeof value === "string" ? compileValue(key, value, strict) : constant(value),
      };
    }),
  );

const constant = (value: Json): Node => ({ kind: "constant", value });

function compileValue(key: string, text: string, strict: Templates): Node {
  const render = strict.renderer(text);
  const make = (params: Params): string => {
    const rendered = render(params);
    if (rendered.ok) return rendered.value;
    const { code, message } = rendered.problem;
    if (needsMore(message)) return text;
    throw new NotRendered(
      problem(code, `failed to pre-resolve Values key ${JSON.stringify(key)}: ${message}`),
    );
  };
  return { kind: "text", make, repeated: undefined };
}

const needsMore = (message: string): boolean =>
  message.includes("map has no entry for key") || message.includes("can't evaluate field");
