import fc from "fast-check";
import type { Json } from "../../../../proto/words/digest.ts";
import type { ModelCluster, ModelRepository } from "./model-generators.ts";
import type { ModelMode } from "./model-templates.ts";

/** A set and the facts it meets: a case for the engine and for the model. */
export type SetCase = {
  readonly mode: ModelMode;
  readonly generators: readonly Json[];
  readonly template: { readonly [key: string]: Json };
  readonly clusters: readonly ModelCluster[];
  readonly repository: ModelRepository;
};

type Made = fc.Arbitrary<Json>;

/** `null` three times out of four. */
const sometimes = (made: Made): Made =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: made });

/** Names that mean something to JavaScript are names like any other. */
const keyNames = ["a", "b", "c", "name", "values", "__proto__", "constructor", "toString", "x.y"];

const textNames = ["a", "b", "web", "dev", "1", "Web_1", "", "__proto__", "constructor"];

const key = fc.constantFrom(...keyNames);
const word = fc.constantFrom(...textNames);

/** An own field, whatever it is called. */
const record = (entries: readonly (readonly [string, Json])[]): { readonly [key: string]: Json } =>
  Object.fromEntries(entries);

const mapOf = (keys: fc.Arbitrary<string>, value: Made, most: number): Made =>
  fc.array(fc.tuple(keys, value), { maxLength: most }).map(record);

const leaf: Made = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 1, arbitrary: fc.constantFrom<Json>(null, true, false, 0, 1, -2, 1.5, 1234) },
);

const { nested } = fc.letrec<{ nested: Json }>((tie) => ({
  nested: fc.oneof(
    { depthSize: "small", maxDepth: 2 },
    leaf,
    mapOf(key, tie("nested"), 3),
    fc.array(tie("nested"), { maxLength: 2 }),
  ),
}));

/** Names of params, nested for Go templates, and some that nothing gives. */
const paramPaths = [
  ...keyNames.map((name) => `.${name}`),
  ".a.b",
  ".a.__proto__",
  ".constructor.name",
  ".values.a",
  ".values.missing",
  ".metadata.labels.env",
  ".metadata.labels.missing",
  ".server",
  ".path.path",
  ".path.basename",
  ".path.segments",
  ".my.path.basename",
  ".missing",
  ".missing.deep",
];

const goAction = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...paramPaths) },
  { weight: 1, arbitrary: fc.constantFrom(...paramPaths).map((path) => `${path} | upper`) },
  { weight: 1, arbitrary: key.map((name) => `index . "${name}"`) },
  { weight: 1, arbitrary: key.map((name) => `$_ := set . "${name}" "leaked"`) },
);

const fastAction = fc.constantFrom(
  ...keyNames,
  "values.a",
  "metadata.labels.env",
  "path",
  "path.basename",
  "path[0]",
  "my.path.basename",
  "path.filename",
  "missing",
  "a.b",
  "",
);

const texts = (isGo: boolean): fc.Arbitrary<string> => {
  const action = isGo ? goAction : fastAction;
  const piece = fc.oneof(
    { weight: 2, arbitrary: word },
    {
      weight: 3,
      arbitrary: fc
        .tuple(action, fc.constantFrom("", " "))
        .map(([inside, space]) => `{{${space}${inside}${space}}}`),
    },
    // What is no placeholder without Go templates; with them it would be a mistake of the author.
    ...(isGo
      ? []
      : [{ weight: 1, arbitrary: fc.constantFrom("{{", "}}", "{", "\n", "{{ a\nb }}") }]),
  );
  return fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join("-"));
};

const selectorKeys = fc.constantFrom(
  "env",
  "name",
  "a",
  "metadata.labels.env",
  "values.a",
  "a.b",
  "constructor",
  "path.basename",
  "path.segments",
  "path.segments.0",
  "env",
  "a",
  "name",
  "not a key",
);

/** A label selector, now and then one that is none. */
export const selectors: Made = fc
  .record({
    matchLabels: sometimes(mapOf(selectorKeys, word, 2)),
    matchExpressions: sometimes(
      fc.array(
        fc
          .record({
            key: selectorKeys,
            operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist", "In", "Gt"),
            values: fc.array(word, { maxLength: 2 }),
          })
          .map((expression): Json => {
            const { operator, values, ...rest } = expression;
            // Mostly as it should be.
            if (operator.endsWith("Exist") || operator === "Exists")
              return values[0] === "web" ? { ...rest, operator, values } : { ...rest, operator };
            return { ...rest, operator, values: values.length === 0 ? ["dev"] : values };
          }),
        { maxLength: 2 },
      ),
    ),
  })
  .map(({ matchLabels, matchExpressions }) =>
    record([
      ...(matchLabels === null ? [] : [["matchLabels", matchLabels] as const]),
      ...(matchExpressions === null ? [] : [["matchExpressions", matchExpressions] as const]),
    ]),
  );

const withSelector = (entry: Made): Made =>
  fc
    .tuple(entry, sometimes(selectors))
    .map(([made, selector]) =>
      selector === null ? made : { ...(made as { readonly [key: string]: Json }), selector },
    );

function terminals(isGo: boolean): Made {
  const text = texts(isGo);
  const values = sometimes(mapOf(key, text, 2));
  const withValues = (body: { readonly [key: string]: Json }, given: Json): Json =>
    given === null ? body : { ...body, values: given };
  const element = isGo
    ? mapOf(key, fc.oneof({ weight: 3, arbitrary: nested }, { weight: 1, arbitrary: text }), 4)
    : mapOf(key, fc.oneof({ weight: 30, arbitrary: word }, { weight: 1, arbitrary: leaf }), 4).map(
        (made) => withTextValues(made),
      );
  const list = fc
    .array(element, { minLength: 1, maxLength: 3 })
    .map((elements): Json => ({ list: { elements } }));
  const clusters = fc.tuple(values, sometimes(selectors)).map(([given, selector]): Json => ({
    clusters: withValues(selector === null ? {} : { selector }, given),
  }));
  const item = (paths: readonly string[]): Made =>
    fc
      .tuple(fc.constantFrom(...paths), fc.constantFrom(false, false, true))
      .map(([path, exclude]): Json => (exclude ? { path, exclude } : { path }));
  const url = fc.constantFrom("r", "r", "r", "r", "r", "r", "r", "r", "gone");
  // Params of its own name, and one that the content of a file may have as well.
  const prefix = fc
    .constantFrom("", "", "", "my", "a", "constructor")
    .map((name): { readonly [key: string]: Json } =>
      name === "" ? {} : { pathParamPrefix: name },
    );
  const git = fc
    .tuple(
      url,
      fc.array(item(["*", "apps/*", "apps/web", "*/web", "libs", "**", "apps/*/x"]), {
        minLength: 1,
        maxLength: 3,
      }),
      values,
      prefix,
    )
    .map(([repoURL, directories, given, named]): Json => ({
      git: withValues({ repoURL, revision: "HEAD", directories, ...named }, given),
    }));
  const files = fc
    .tuple(
      url,
      fc.array(item(["*.json", "apps/*", "apps/web", "one.json", "*/config.json"]), {
        minLength: 1,
        maxLength: 2,
      }),
      values,
      prefix,
    )
    .map(([repoURL, paths, given, named]): Json => ({
      git: withValues({ repoURL, revision: "HEAD", files: paths, ...named }, given),
    }));
  return withSelector(
    fc.oneof(
      { weight: 4, arbitrary: list },
      { weight: 3, arbitrary: clusters },
      { weight: 2, arbitrary: git },
      { weight: 2, arbitrary: files },
    ),
  );
}

/** `values` of a list element are a map of text, mostly. */
function withTextValues(made: Json): Json {
  const entries = Object.entries(made as { readonly [key: string]: Json });
  return record(
    entries.map(([name, value]) =>
      name === "values" && value !== "web" ? [name, record([["a", value]])] : [name, value],
    ),
  );
}

/** A list whose elements can be told apart, as merging wants them. */
function namedLists(isGo: boolean): Made {
  const rest = isGo ? mapOf(key, nested, 3) : mapOf(key, word, 3).map(withTextValues);
  return fc
    .uniqueArray(fc.tuple(word, rest), {
      minLength: 1,
      maxLength: 5,
      size: "max",
      selector: ([name]) => name,
    })
    .map((named): Json => ({
      list: {
        elements: named.map(([name, other]) =>
          record([...Object.entries(other as object), ["name", name]]),
        ),
      },
    }));
}

function generatorsOf(isGo: boolean): Made {
  const terminal = terminals(isGo);
  const named = namedLists(isGo);
  const pair = (children: Made): Made =>
    withSelector(
      fc.oneof(
        fc.tuple(children, children).map((generators): Json => ({ matrix: { generators } })),
        fc
          .tuple(
            fc.array(children, { minLength: 2, maxLength: 3 }),
            fc.uniqueArray(fc.constantFrom(...keyNames, "server", "path", "values.a"), {
              minLength: 1,
              maxLength: 2,
            }),
          )
          .map(([generators, mergeKeys]): Json => ({ merge: { generators, mergeKeys } })),
        fc
          .array(named, { minLength: 2, maxLength: 3 })
          .map((generators): Json => ({ merge: { generators, mergeKeys: ["name"] } })),
      ),
    );
  const inner = fc.oneof(
    { weight: 5, arbitrary: terminal },
    { weight: 1, arbitrary: pair(terminal) },
  );
  return fc.oneof({ weight: 3, arbitrary: terminal }, { weight: 3, arbitrary: pair(inner) });
}

const templateOf = (isGo: boolean): fc.Arbitrary<SetCase["template"]> => {
  const text = texts(isGo);
  return fc
    .record({
      name: text,
      labels: mapOf(fc.oneof(key, text), text, 2),
      path: text,
      valuesKey: fc.oneof(key, text),
      value: text,
    })
    .map(({ name, labels, path, valuesKey, value }) => ({
      metadata: {
        name: `app-${name}`,
        labels: { fixed: "yes", ...(labels as { readonly [key: string]: Json }) },
      },
      spec: {
        project: "default",
        source: {
          repoURL: "https://git.example.com/r.git",
          path: `p-${path}`,
          helm: {
            valuesObject: record([
              [valuesKey, [value, { deep: value }]],
              ["number", 1],
            ]),
          },
        },
        destination: { name: "one", namespace: "ns" },
      },
    }));
};

const labels = fc
  .record(
    { env: fc.constantFrom("dev", "web", "1"), constructor: word, tier: word },
    { requiredKeys: [] },
  )
  .map((made) => ({ ...made }));

const clusterFacts: fc.Arbitrary<readonly ModelCluster[]> = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom("c-1", "c-2", "c-3", "a", "web"),
    server: fc.constantFrom("https://1", "https://2"),
    labels,
    annotations: labels,
  }),
  { maxLength: 4, size: "max", selector: ({ name }) => name },
);

const directories = ["apps", "apps/Web_1", "apps/api", "apps/web", "apps/web/x", "libs"];
const filePaths = ["apps/api/config.json", "apps/web/config.json", "apps/web/x.yaml", "one.json"];

const document: fc.Arbitrary<Json | undefined> = fc.oneof(
  { weight: 6, arbitrary: mapOf(key, nested, 3) },
  { weight: 2, arbitrary: fc.array(mapOf(key, nested, 2), { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom<Json | undefined>(null, "text", undefined) },
);

const repositoryFacts: fc.Arbitrary<ModelRepository> = fc
  .record({
    directories: fc.subarray(directories, { minLength: 2 }),
    documents: fc.tuple(document, document, document, document),
    present: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
  })
  .map(({ directories: found, documents, present }) => ({
    directories: found,
    files: new Map(present.map((index) => [filePaths[index] ?? "", documents[index]])),
  }));

export const setCases: fc.Arbitrary<SetCase> = fc
  .record({
    goTemplate: fc.boolean(),
    missing: fc.constantFrom(
      "default" as const,
      "default" as const,
      "zero" as const,
      "error" as const,
    ),
  })
  .chain((mode) =>
    fc.record({
      mode: fc.constant(mode),
      generators: fc.array(generatorsOf(mode.goTemplate), { minLength: 1, maxLength: 2 }),
      template: templateOf(mode.goTemplate),
      clusters: clusterFacts,
      repository: repositoryFacts,
    }),
  );

/** Texts of both modes, for the templates alone. */
export const templateTexts = texts;

export const nestedValues = mapOf(key, nested, 5);
