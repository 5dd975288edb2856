import { ok, type Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";
import type { HealthState } from "../../proto/words/health.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import { admission } from "../../hub/domain/admission.ts";
import { parseAppProject, type AppProject } from "../../hub/domain/app-project.ts";
import { applicationOf, type Application } from "../../hub/domain/application.ts";
import { parseApplicationSet } from "../../hub/domain/application-set.ts";
import { planOrigin } from "../../hub/domain/plan/plan-origin.ts";
import { atOnce } from "../../hub/domain/sliced.ts";
import {
  emptyObject,
  field,
  FieldReader,
  isObject,
  type JsonObject,
} from "../../hub/domain/document.ts";
import { generate, type Generated } from "../../hub/domain/generate.ts";
import { withIgnoredDifferences } from "../../hub/domain/ignore-differences.ts";
import { normalizedSpec } from "../../hub/domain/normalized-spec.ts";
import type { ProblemDraft } from "../../hub/domain/problem.ts";
import { reconciledApplication } from "../../hub/domain/reconciled-application.ts";
import type { ApplicationDraft, PublishedApplication } from "../../hub/domain/records.ts";
import {
  allowsDelete,
  allowsUpdate,
  applicationsSyncs,
  readSetPolicy,
  type SetPolicy,
} from "../../hub/domain/set-policy.ts";
import { setResources } from "../../hub/domain/set-status.ts";
import { defaultShrinkLimits } from "../../hub/domain/shrink-guard.ts";
import { generateNeeds } from "../hub/domain/builders.ts";
import {
  compareValue,
  failed,
  list,
  object,
  text,
  type ConformanceCase,
  type Outcome,
  type Runner,
} from "./case.ts";
import { clusterOf } from "./generation.ts";

/** Cases about what becomes of the Applications that were generated before. */
export const reconciliationRunners: readonly (readonly [kind: string, run: Runner])[] = [
  ["createOrUpdate", (one) => runWrites(one, policyOf(one))],
  ["createOnly", (one) => runWrites(one, { ...policyOf(one), applicationsSync: "create-only" })],
  ["delete", runDelete],
  ["policy", runPolicy],
  ["ignoreDifferences", runIgnored],
  [
    "normalizeSpec",
    (one) => ok(compareValue(one, "spec", normalizedSpec(object(one.input, "spec")))),
  ],
  ["validate", runValidate],
  ["removeFinalizer", runRemoveFinalizer],
  ["resourcesStatus", runResources],
];

const specOf = (one: ConformanceCase): FieldReader =>
  new FieldReader(object(object(one.input, "applicationset"), "spec"), "spec");

const policyOf = (one: ConformanceCase): SetPolicy => readSetPolicy(specOf(one));

const nameOf = (application: JsonObject): string => text(object(application, "metadata"), "name");

function runWrites(one: ConformanceCase, policy: SetPolicy): Outcome {
  const existing = list(one.input, "existing").filter(isObject);
  const after = new Map(existing.map((application) => [nameOf(application), application]));
  for (const desired of list(one.input, "desired").filter(isObject))
    after.set(nameOf(desired), reconciledApplication(after.get(nameOf(desired)), desired, policy));
  const wanted = list(one.expected, "applications").filter(isObject).map(nameOf);
  return ok(
    compareValue(
      one,
      "applications",
      wanted.map((name) => after.get(name) ?? null),
    ),
  );
}

function runDelete(one: ConformanceCase): Outcome {
  const desired = new Set(list(one.input, "desired").filter(isObject).map(nameOf));
  const existing = list(one.input, "existing").filter(isObject);
  const removed = removals(
    existing.map((application) => publishedOf(application)),
    desired,
  );
  const verdict = compareValue(
    one,
    "deleted",
    removed.map(({ name }) => name),
  );
  return ok(verdict);
}

/** What a set does about applications it had, when it wants only some of them. */
function removals(before: readonly PublishedApplication[], wanted: ReadonlySet<string>) {
  const planning = planOrigin({
    origin: { kind: "application-set", name: "name" },
    outcome: {
      kind: "generated",
      flaws: [],
      applications: before
        .filter(({ draft }) => wanted.has(draft.name))
        .flatMap(({ draft }) => {
          const application = applicationOf({ metadata: { name: draft.name }, spec: {} });
          const problem = { code: "WH-GEN-3108", message: "not offered here" };
          return application.ok
            ? [{ application: application.value, rendered: { ok: false as const, problem } }]
            : [];
        }),
    },
    before,
    problemBefore: undefined,
    conditionsBefore: [],
    clusters: [],
    projects: new Map(),
    owners: new Map(),
    leftBehind: [],
    consent: true,
    shrink: defaultShrinkLimits,
    keepsBecause: undefined,
    rollout: undefined,
    actor: "",
    trace: "",
    nowMs: 0,
  });
  return [...atOnce(planning).steps]
    .flatMap(({ changes }) => changes)
    .flatMap((change) => (change.kind === "remove" ? [change] : []));
}

function publishedOf(document: JsonObject): PublishedApplication {
  const name = nameOf(document) as ApplicationName;
  const draft: ApplicationDraft = {
    name,
    origin: { kind: "application-set", name: "name" },
    project: "default",
    labels: {},
    annotations: {},
    source: { repoURL: "", path: "", targetRevision: "" },
    destination: { name: "", server: "", namespace: "" },
    policy: {
      automated: false,
      prune: false,
      selfHeal: false,
      allowEmpty: false,
      createNamespace: false,
      conflicts: "override",
    },
    document: "{}",
    revision: "",
    generation: 0,
    bundle: undefined,
    objects: 0,
    problem: undefined,
    clusterId: undefined,
    keepObjects: false,
  };
  return { draft, desired: undefined };
}

function runPolicy(one: ConformanceCase): Outcome {
  const policy = applicationsSyncs.find((known) => known === text(one.input, "policy"));
  if (policy === undefined) return ok(failed(`no policy ${text(one.input, "policy")}`));
  const updates = compareValue(one, "allowUpdate", allowsUpdate(policy));
  return ok(
    updates.kind === "passed" ? compareValue(one, "allowDelete", allowsDelete(policy)) : updates,
  );
}

function runIgnored(one: ConformanceCase): Outcome {
  const { ignored } = readSetPolicy(new FieldReader(one.input, ""));
  const live = yaml(text(one.input, "liveYaml"));
  const made = withIgnoredDifferences(live, yaml(text(one.input, "generatedYaml")), "", ignored);
  const wanted = yaml(text(one.expected, "applicationYaml"));
  const expected = { ...emptyObject(), application: wanted };
  return ok(compareValue({ ...one, expected }, "application", made));
}

function yaml(content: string): JsonObject {
  const read = generateNeeds.decodeYaml(content);
  return read.ok && isObject(read.value) ? read.value : emptyObject();
}

function projectsOf(one: ConformanceCase): ReadonlyMap<string, AppProject> {
  const projects = new Map<string, AppProject>();
  for (const name of list(one.input, "projects").map(String)) {
    const parsed = parseAppProject({
      apiVersion: "argoproj.io/v1alpha1",
      kind: "AppProject",
      metadata: { name },
      spec: {
        sourceRepos: ["*"],
        destinations: [{ server: "*", namespace: "*" }],
        clusterResourceWhitelist: [{ group: "*", kind: "*" }],
      },
    });
    if (parsed.ok) projects.set(name, parsed.value);
  }
  return projects;
}

/** Argo CD looks at sources later: here only where it goes is asked. */
function withPlainSource(application: Application): Application {
  if (application.problem?.code.startsWith("WH-RND") !== true) return application;
  const { source: _, sources: __, ...spec } = object(application.document, "spec");
  const source = { repoURL: "https://git.example.com/r.git", path: "p" };
  const made = applicationOf({ ...application.document, spec: { ...spec, source } });
  return made.ok ? made.value : application;
}

/** What a set gives that has each document for a template, with nothing to fill in. */
function generatedAs(
  name: string,
  documents: readonly JsonObject[],
): Result<Generated, ProblemDraft> {
  const set = parseApplicationSet({
    metadata: { name: "set" },
    spec: {
      goTemplate: true,
      generators: documents.map((template) => ({ list: { elements: [{}], template } })),
      template: { spec: {} },
    },
  });
  return set.ok
    ? generate({ ...set.value, name }, { clusters: [], repositories: new Map() }, generateNeeds)
    : set;
}

function runValidate(one: ConformanceCase): Outcome {
  const admits = admission(
    list(one.input, "clusters").filter(isObject).map(clusterOf),
    projectsOf(one),
  );
  const errors = emptyObject();
  const made = generatedAs(
    text(one.input, "applicationsetName"),
    list(one.input, "applications").filter(isObject),
  );
  if (!made.ok) return made;
  const { applications, flaws } = made.value;
  for (const { application, problem } of flaws) errors[application ?? ""] = problem.message;
  for (const application of applications) {
    const admitted = admits(withPlainSource(application));
    if (!admitted.ok) errors[application.name] = admitted.problem.message;
  }
  return ok(compareValue(one, "errorsByApp", errors));
}

/**
 * Argo CD takes its finalizer off an Application whose destination is no cluster, so that deleting it does not
 * wait for one. Here the same is that no tombstone is left for a cluster: the removal is done when it is written.
 */
function runRemoveFinalizer(one: ConformanceCase): Outcome {
  const document = object(one.input, "application");
  const spec = object(document, "spec");
  const application = applicationOf({ ...document, spec: { ...spec, source: { repoURL: "r" } } });
  if (!application.ok) return application;
  const admits = admission(
    list(one.input, "clusters").filter(isObject).map(clusterOf),
    projectsOf({ ...one, input: { projects: [text(spec, "project")] } }),
  );
  const waits = admits(application.value).ok;
  const removed = field(one.expected, "finalizerRemoved");
  if (removed !== undefined) return ok(compareValue(one, "finalizerRemoved", !waits));
  const [removal] = removals([publishedOf(document)], new Set());
  const left = list(one.expected, "finalizers").includes("resources-finalizer.argocd.argoproj.io");
  const isLeft = waits || removal?.tombstone !== undefined;
  return ok(left === isLeft ? { kind: "passed" } : failed(`waits for a cluster: ${isLeft}`));
}

function runResources(one: ConformanceCase): Outcome {
  const applications = list(one.input, "applications").filter(isObject);
  const resources = setResources(
    applications.map((application) => {
      const status = object(application, "status");
      const health = object(status, "health");
      return {
        name: nameOf(application),
        // The corpus has the words of both halves.
        status: text(object(status, "sync"), "status") as SyncStatus,
        health: { state: text(health, "status") as HealthState, message: text(health, "message") },
      };
    }),
    Number(field(one.input, "maxResourcesStatusCount") ?? 0),
  );
  const rows = resources.map(({ name, status, health }): Json => ({
    name,
    status,
    health: {
      status: health.state,
      ...(health.message === "" ? {} : { message: health.message }),
    },
  }));
  return ok(compareValue(one, "resources", rows));
}
