const factsFirst =
  "facts are gathered before generation starts: the list of clusters is the hub's own, and has no error of its own";

/** Cases where we do better than upstream, or otherwise, on purpose: what we do instead, and why. */
export const listedCases: ReadonlyMap<string, string> = new Map([
  ["generator.clusters/TestGenerateParams/simulate-client-error", factsFirst],
  ["generator.clusters/TestGenerateParamsGoTemplate/simulate-client-error", factsFirst],
  [
    "generator.merge/authored/aliased-nested-map-leaks",
    "nested maps are copied before they are merged: one cluster's override never reaches another",
  ],
  [
    "template.patch/authored/valuesObject-merge",
    "valuesObject is merged to its depth; upstream fails and generates nothing",
  ],
]);

/** Kinds of cases about a part of upstream that is not here, so that nothing answers them: what stands in its place. */
export const listedKinds: ReadonlyMap<string, string> = new Map([
  [
    "shouldRequeueAppSet",
    "upstream filters watch events of its own objects; a hub publishes what is true now whenever it is woken, and skips origins whose inputs are what they were",
  ],
  [
    "syncOperation",
    "upstream writes a sync operation into the Application; a hub lets the changed application go to its cluster, whose spoke syncs it by its own policy and retries until it is done",
  ],
  [
    "webhookRevisionChanged",
    "upstream decides by the event which revision moved; a hub asks the repository itself on every event, and a branch nobody follows costs one look",
  ],
]);
