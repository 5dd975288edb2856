import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import type { Json } from "../../../proto/words/digest.ts";
import { generatorKinds } from "../application-set.ts";
import { emptyObject, isList, isObject, type JsonObject } from "../document.ts";
import type { Params } from "../params.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import {
  compileDocument,
  compileFreeJson,
  Templates,
  type DocumentTemplate,
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
  const strict = new Templates(mode, needs, templates.allowance);
  const make = compileBody(kind, body, { templates, strict });
  return (params) => {
    const made = make(params);
    return made.ok ? made : within("failed to replace parameters in generator", made.problem);
  };
}

const compileBody = (kind: string, body: JsonObject, modes: Modes): GeneratorTemplate =>
  mappingOf(
    Object.keys(body)
      .filter((key) => key !== "template")
      .map((key) => ({ key, make: compileField(kind, key, body[key] ?? null, modes) })),
  );

function compileField(kind: string, key: string, value: Json, modes: Modes): DocumentTemplate {
  if (key === "values" && isObject(value)) return compileValues(value, modes.strict);
  switch (kind) {
    case "list":
      if (key === "elements" && isList(value))
        return listOf(value.map((element) => compileFreeJson(element, modes.templates)));
      break;
    case "plugin":
      if (key === "input" && isObject(value)) return compileInput(value, modes);
      break;
    case "matrix":
    case "merge":
      if (key === "generators" && isList(value))
        return listOf(value.map((entry) => compileEntry(entry, modes)));
      break;
  }
  return compileDocument(value, modes.templates);
}

/** A child of the child, with its selector, which is none of the second child's own. */
function compileEntry(entry: Json, modes: Modes): DocumentTemplate {
  if (!isObject(entry)) return compileDocument(entry, modes.templates);
  return mappingOf(
    Object.keys(entry).map((key) => {
      const body = entry[key] ?? null;
      const isGenerator = generatorKinds.some((kind) => kind === key) && isObject(body);
      const make = isGenerator
        ? compileBody(key, body, modes)
        : compileDocument(body, modes.templates);
      return { key, make };
    }),
  );
}

function compileInput(input: JsonObject, { templates }: Modes): DocumentTemplate {
  return mappingOf(
    Object.keys(input).map((key) => {
      const value = input[key] ?? null;
      const make =
        key === "parameters" && isObject(value)
          ? compileParameters(value, templates)
          : compileDocument(value, templates);
      return { key, make };
    }),
  );
}

const compileParameters = (parameters: JsonObject, templates: Templates): DocumentTemplate =>
  mappingOf(
    Object.keys(parameters).map((key) => ({
      key: templates.renderer(key),
      make: compileFreeJson(parameters[key] ?? null, templates),
    })),
  );

/**
 * `values`, as far as the first child's params go. One that needs something else is kept as written, whole:
 * its own generator may know it.
 */
function compileValues(values: JsonObject, strict: Templates): DocumentTemplate {
  return mappingOf(
    Object.keys(values).map((key) => {
      const text = values[key] ?? null;
      if (typeof text !== "string") return { key, make: () => ok(text) };
      const render = strict.renderer(text);
      const make: DocumentTemplate = (params) => {
        const rendered = render(params);
        if (rendered.ok) return rendered;
        const { code, message } = rendered.problem;
        return needsMore(message)
          ? ok(text)
          : fail(
              problem(code, `failed to pre-resolve Values key ${JSON.stringify(key)}: ${message}`),
            );
      };
      return { key, make };
    }),
  );
}

const needsMore = (message: string): boolean =>
  message.includes("map has no entry for key") || message.includes("can't evaluate field");

type Part = {
  readonly key: string | ((params: Params) => Result<string, ProblemDraft>);
  readonly make: DocumentTemplate;
};

function mappingOf(parts: readonly Part[]): GeneratorTemplate {
  return (params) => {
    const mapping = emptyObject();
    for (const { key, make } of parts) {
      const name = typeof key === "string" ? ok(key) : key(params);
      if (!name.ok) return name;
      if (name.value in mapping)
        return fail(
          problem(
            codes.templateFailed,
            `two keys of one mapping are rendered to ${JSON.stringify(name.value)}`,
          ),
        );
      const made = make(params);
      if (!made.ok) return made;
      mapping[name.value] = made.value;
    }
    return ok(mapping);
  };
}

const listOf =
  (makes: readonly DocumentTemplate[]): DocumentTemplate =>
  (params) => {
    const list: Json[] = [];
    for (const make of makes) {
      const made = make(params);
      if (!made.ok) return made;
      list.push(made.value);
    }
    return ok(list);
  };
