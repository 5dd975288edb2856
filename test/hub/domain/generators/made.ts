import assert from "node:assert/strict";
import type { Json } from "../../../../proto/words/digest.ts";
import { parseApplicationSet } from "../../../../hub/domain/application-set.ts";
import { isObject, readDocument, type JsonObject } from "../../../../hub/domain/document.ts";
import type { Facts } from "../../../../hub/domain/facts.ts";
import { generateParams } from "../strict-generation.ts";
import { remoteFactKey, type RemoteFact } from "../../../../hub/domain/remote-facts.ts";
import { jsonOf } from "../../../../hub/domain/template/value.ts";
import { clusterFact, generateNeeds as needs } from "../builders.ts";

type Body = Readonly<Record<string, Json>>;

/** What a generator makes of a service's answer: params, or the reason why there are none. */
export function made(
  kind: string,
  body: Body,
  fact: RemoteFact | undefined,
  { goTemplate = true, selector }: { goTemplate?: boolean; selector?: Body } = {},
): readonly Json[] | string {
  const entry = { [kind]: body, ...(selector === undefined ? {} : { selector }) };
  const read = parseApplicationSet({
    metadata: { name: "web" },
    spec: { goTemplate, generators: [entry], template: {} },
  });
  assert.ok(read.ok, read.ok ? "" : read.problem.message);
  const document = readDocument(body);
  assert.ok(document.ok && isObject(document.value));
  const facts: Facts = {
    clusters: [clusterFact("one", {}), clusterFact("two", {})],
    repositories: new Map(),
    remote: answers(kind, document.value, fact),
  };
  const params = generateParams(read.value, facts, needs);
  return params.ok
    ? params.value.map((set) => JSON.parse(JSON.stringify(jsonOf(set))) as Json)
    : params.problem.message;
}

/** To the question of the generator itself; in a matrix to whatever is asked. */
function answers(
  kind: string,
  body: JsonObject,
  fact: RemoteFact | undefined,
): ReadonlyMap<string, RemoteFact> {
  if (fact === undefined) return new Map();
  return kind === "matrix" ? new OneAnswer(fact) : new Map([[remoteFactKey(kind, body), fact]]);
}

class OneAnswer extends Map<string, RemoteFact> {
  readonly #fact: RemoteFact;

  constructor(fact: RemoteFact) {
    super();
    this.#fact = fact;
  }

  override get(): RemoteFact {
    return this.#fact;
  }
}
