const factsFirst =
  "facts are gathered before generation starts: a source that cannot be read is named in our words, and fails the set all the same";

/** Cases where we do better than upstream, or otherwise, on purpose: what we do instead, and why. */
export const conformanceExceptions: ReadonlyMap<string, string> = new Map([
  ["generator.clusters/TestGenerateParams/simulate-client-error", factsFirst],
  ["generator.clusters/TestGenerateParamsGoTemplate/simulate-client-error", factsFirst],
  [
    "generator.git-directories/TestGitGenerateParamsFromDirectories/handles-error-from-repo-server",
    factsFirst,
  ],
  [
    "generator.git-directories/TestGitGenerateParamsFromDirectoriesGoTemplate/handles-error-from-repo-server",
    factsFirst,
  ],
  [
    "generator.clusters/authored/duplicate-cluster-name",
    "cluster names are unique on a hub, so two clusters of one name cannot be registered",
  ],
  [
    "generator.list/authored/elementsYaml-yaml11",
    "a mapping with one key twice (y and on are both true) is refused rather than half read",
  ],
  [
    "generator.merge/authored/aliased-nested-map-leaks",
    "nested maps are copied before they are merged: one cluster's override never reaches another",
  ],
  [
    "template.patch/authored/valuesObject-merge",
    "valuesObject is merged to its depth; upstream fails and generates nothing",
  ],
]);
