import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Json } from "../../proto/words/digest.ts";
import type { MissingKey } from "./application-set.ts";
import { emptyObject, isList, isObject, mappingMaker, type JsonObject } from "./document.ts";
import type { GenerateNeeds } from "./generate.ts";
import type { Params } from "./params.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import { RepeatedTexts } from "./repeated-texts.ts";
import { argoFunctions, refusedFunction } from "./template/functions/index.ts";
import {
  compileTemplate,
  defaultTemplateBudget,
  defaultTemplateLimits,
  type TemplateBudget,
  type TemplateManner,
  type TemplateProblem,
} from "./template/evaluate.ts";
import { compileFastTemplate } from "./template/fast.ts";

/** A text with placeholders, parsed. */
type Renderer = (params: Params) => Result<string, ProblemDraft>;

/** The same, for the many texts of a document: throws `NotRendered` rather than make a result for each. */
type TextMaker = (params: Params) => string;

/** Why a text of a document cannot be made. */
export class NotRendered extends Error {
  readonly problem: ProblemDraft;

  constructor(because: ProblemDraft) {
    super(because.message);
    this.problem = because;
  }
}

function unlessNotRendered<T>(work: () => T): Result<T, ProblemDraft> {
  try {
    return ok(work());
  } catch (error) {
    if (error instanceof NotRendered) return fail(error.problem);
    throw error;
  }
}

/** How many texts one generation remembers as parsed; those made out of params have no end. */
const parsedMost = 10_000;

/**
 * Renders the texts of one ApplicationSet in its template mode. Each text is parsed once, on first use: a
 * template that nobody needs cannot fail.
 */
export class Templates {
  readonly goTemplate: boolean;
  readonly budget: TemplateBudget;
  readonly #manner: TemplateManner;
  readonly #parsed = new Map<string, TextMaker>();

  constructor(
    mode: { readonly goTemplate: boolean; readonly missingKey: MissingKey },
    needs: GenerateNeeds,
    budget = defaultTemplateBudget(),
  ) {
    this.budget = budget;
    this.goTemplate = mode.goTemplate;
    this.#manner = {
      functions: argoFunctions,
      refusedFunction,
      missingKey: mode.missingKey,
      limits: defaultTemplateLimits,
      decodeYaml: needs.decodeYaml,
      budget,
    };
  }

  render(text: string, params: Params): Result<string, ProblemDraft> {
    return this.renderer(text)(params);
  }

  renderer(text: string): Renderer {
    const make = this.textMaker(text);
    return (params) => unlessNotRendered(() => make(params));
  }

  textMaker(text: string): TextMaker {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    const made = this.goTemplate ? goText(text, this.#manner) : fastText(text);
    if (this.#parsed.size < parsedMost) this.#parsed.set(text, made);
    return made;
  }
}

function goText(text: string, manner: TemplateManner): TextMaker {
  if (!text.includes("{{")) return () => text;
  const template = compileTemplate(text, manner);
  if (!template.ok) return never(templateProblem(template.problem));
  return (params) => {
    const made = template.value(params);
    if (made.ok) return made.value;
    throw new NotRendered(templateProblem(made.problem));
  };
}

function fastText(text: string): TextMaker {
  const template = compileFastTemplate(text);
  return template.ok ? template.value : never(problem(codes.badTemplate, template.problem));
}

const never = (because: ProblemDraft) => (): never => {
  throw new NotRendered(because);
};

const templateCodes = {
  parse: codes.badTemplate,
  execute: codes.templateFailed,
  limit: codes.templateLimit,
} as const;

const templateProblem = ({ kind, message }: TemplateProblem): ProblemDraft =>
  problem(templateCodes[kind], message);

/** A document whose texts and keys are templates, ready to be rendered many times. */
export type DocumentTemplate = (params: Params) => Result<Json, ProblemDraft>;

/** A document, compiled: what is rendered of it each time, and what is the same every time. */
export type Node =
  | { readonly kind: "constant"; readonly value: Json }
  | {
      readonly kind: "text";
      readonly make: TextMaker;
      /** `undefined` for text right out of the params, which is there already. */
      readonly repeated: RepeatedTexts | undefined;
    }
  | { readonly kind: "list"; readonly items: readonly Node[] }
  | {
      readonly kind: "object";
      readonly make: () => { [key: string]: Json };
      /** Whether any key is a template. */
      readonly namesKeys: boolean;
      readonly fields: readonly { readonly key: string | TextMaker; readonly value: Node }[];
    };

/**
 * Compiles a document: every text in it is rendered by itself, keys too; parts without a template are
 * shared by everything that is rendered from it. Under `valuesObject` of Helm null entries vanish, as in
 * Argo CD, which writes that part anew. `onEmptyText` is told of every text that comes out empty.
 */
export function compileDocument(
  document: Json,
  templates: Templates,
  onEmptyText: () => void = () => {},
): DocumentTemplate {
  return documentOf(documentNode(document, templates), onEmptyText);
}

export const documentOf =
  (node: Node, onEmptyText: () => void = () => {}): DocumentTemplate =>
  (params) =>
    unlessNotRendered(() => rendered(node, params, onEmptyText));

export const documentNode = (document: Json, templates: Templates): Node =>
  compileNode(document, templates, false);

/** JSON of any form: Argo CD writes all of it anew, as it does `valuesObject`. */
export const freeJsonNode = (document: Json, templates: Templates): Node =>
  compileNode(document, templates, true);

export function mappingNode(
  fields: readonly { readonly key: string | TextMaker; readonly value: Node }[],
): Node {
  const namesKeys = fields.some(({ key }) => typeof key !== "string");
  return { kind: "object", make: mappingMaker(), namesKeys, fields };
}

/** `{{name}}` and `{{ .path.basename }}`. */
const loneParam = /^\{\{\s*[\w.[\]/-]+\s*\}\}$/;

function compileNode(value: Json, templates: Templates, inValues: boolean): Node {
  if (typeof value === "string") {
    if (!value.includes("{{")) return { kind: "constant", value };
    const repeated = loneParam.test(value) ? undefined : new RepeatedTexts();
    return { kind: "text", make: textMaker(value, templates, inValues), repeated };
  }
  if (isList(value)) {
    const items = value.map((item) => compileNode(item, templates, inValues));
    return items.every(isConstant)
      ? { kind: "constant", value: items.map((item) => item.value) }
      : { kind: "list", items };
  }
  if (isObject(value)) return compileObject(value, templates, inValues);
  return { kind: "constant", value: inValues && typeof value === "bigint" ? Number(value) : value };
}

function compileObject(object: JsonObject, templates: Templates, inValues: boolean): Node {
  const fields = Object.keys(object).flatMap((key) => {
    const value = object[key] ?? null;
    if (value === null && inValues) return [];
    const node = compileNode(value, templates, inValues || key === "valuesObject");
    return [{ key: key.includes("{{") ? textMaker(key, templates, inValues) : key, value: node }];
  });
  const constants = emptyObject();
  for (const { key, value } of fields) {
    if (typeof key !== "string" || !isConstant(value)) return mappingNode(fields);
    constants[key] = value.value;
  }
  return { kind: "constant", value: constants };
}

function textMaker(text: string, templates: Templates, inValues: boolean): TextMaker {
  const make = templates.textMaker(text);
  if (!inValues) return make;
  return (params) => {
    try {
      return make(params);
    } catch (error) {
      if (!(error instanceof NotRendered)) throw error;
      const { code, message } = error.problem;
      throw new NotRendered(
        problem(code, `failed to deeply replace JSON field contents: ${message}`),
      );
    }
  };
}

const isConstant = (node: Node): node is Extract<Node, { readonly kind: "constant" }> =>
  node.kind === "constant";

function rendered(node: Node, params: Params, onEmptyText: () => void): Json {
  switch (node.kind) {
    case "constant":
      return node.value;
    case "text": {
      const text = node.make(params);
      if (text === "") onEmptyText();
      return node.repeated === undefined ? text : node.repeated.kept(text);
    }
    case "list":
      return node.items.map((item) => rendered(item, params, onEmptyText));
    case "object": {
      const object = node.make();
      for (const { key, value } of node.fields) {
        const name = typeof key === "string" ? key : key(params);
        if (node.namesKeys && name in object)
          throw new NotRendered(
            problem(
              codes.templateFailed,
              `two keys of one mapping are rendered to ${JSON.stringify(name)}`,
            ),
          );
        object[name] =
          value.kind === "constant" ? value.value : rendered(value, params, onEmptyText);
      }
      return object;
    }
    default:
      return unreachable(node, "template node");
  }
}
