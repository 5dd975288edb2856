import { fail, type Result } from "../../../proto/kit/result.ts";
import type { ClusterId, ClusterName } from "../../../proto/words/ids.ts";
import { applicationOf, type Application } from "../../../hub/domain/application.ts";
import { isObject, readDocument } from "../../../hub/domain/document.ts";
import type { ClusterFact } from "../../../hub/domain/facts.ts";
import type { GenerateNeeds } from "../../../hub/domain/generate.ts";
import type { Labels } from "../../../hub/domain/records.ts";
import { parseFirst } from "../../../hub/git/yaml.ts";
import { transliterate } from "../../../hub/transliterate.ts";

/** A registered cluster; its id is made of its name. */
export const clusterFact = (name: string, labels: Labels): ClusterFact => ({
  id: `id-of-${name}` as ClusterId,
  name: name as ClusterName,
  server: `https://${name}.cluster.wheelhouse`,
  labels,
  annotations: {},
});

/** An Application as somebody may have written it. */
export function parseApplication(written: unknown): Result<Application, string> {
  const read = readDocument(written);
  if (!read.ok) return read;
  if (!isObject(read.value)) return fail("it is no mapping");
  const made = applicationOf(read.value);
  return made.ok ? made : fail(made.problem.message);
}

export const generateNeeds: GenerateNeeds = {
  transliterate,
  decodeYaml: (text) => {
    const read = parseFirst(text);
    return read.ok ? read : fail(`line ${read.problem.line}: ${read.problem.reason}`);
  },
};
