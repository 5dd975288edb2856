import { ok } from "../../proto/kit/result.ts";
import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import {
  emptyObject,
  field,
  FieldReader,
  isList,
  isObject,
  type JsonObject,
} from "../../hub/domain/document.ts";
import { withIgnoredDifferences } from "../../hub/domain/ignore-differences.ts";
import { normalizedSpec } from "../../hub/domain/normalized-spec.ts";
import { readStrategy, type RolloutStrategy } from "../../hub/domain/rollout/strategy.ts";
import { issueSentence, rolloutSteps, type RolloutIssues } from "../../hub/domain/rollout/steps.ts";
import {
  byApplication,
  nextStatuses,
  openApplications,
  releaseWaiting,
  rolloutStates,
  type RolloutStatus,
  type RolloutView,
} from "../../hub/domain/rollout/rollout.ts";
import { readSetPolicy } from "../../hub/domain/set-policy.ts";
import {
  compareValue,
  failed,
  list,
  object,
  text,
  type ConformanceCase,
  type Outcome,
  type Runner,
  type Verdict,
} from "./case.ts";

/** Cases about `strategy: RollingSync`. */
export const rolloutRunners: readonly (readonly [kind: string, run: Runner])[] = [
  ["isRollingSync", (one) => ok(compareValue(one, "result", strategyOf(one) !== undefined))],
  [
    "isReverseDeletion",
    (one) => ok(compareValue(one, "result", strategyOf(one)?.deletesInReverse === true)),
  ],
  ["rolloutSteps", runSteps],
  ["rolloutIssueMessage", runIssueMessage],
  ["rolloutAppsToSync", runAppsToSync],
  ["rolloutProgress", runProgress],
  ["rolloutStatus", runStatus],
  ["setApplicationStatus", runSetStatus],
];

const specOf = (one: ConformanceCase): JsonObject =>
  object(object(one.input, "applicationset"), "spec");

const strategyOf = (one: ConformanceCase): RolloutStrategy | undefined =>
  readStrategy(new FieldReader(specOf(one), "spec"));

function runSteps(one: ConformanceCase): Outcome {
  const applications = list(one.input, "applications")
    .filter(isObject)
    .map((application) => {
      const metadata = object(application, "metadata");
      return {
        name: text(metadata, "name"),
        labels: object(metadata, "labels") as Readonly<Record<string, string>>,
      };
    });
  const { steps, stepOf, issues } = rolloutSteps(strategyOf(one), applications);
  return ok(
    firstFailure([
      compareValue(
        one,
        "steps",
        steps.map((names) => [...names]),
      ),
      compareValue(one, "stepIndexByApp", Object.fromEntries(stepOf)),
      // Upstream looks at maxUpdate later, when it lets applications go.
      compareValue(one, "issues", issuesJson(issues)),
    ]),
  );
}

const firstFailure = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.find(({ kind }) => kind === "failed") ?? { kind: "passed" };

/** In the corpus what there is none of is left out. */
function issuesJson(issues: Omit<RolloutIssues, "invalidMaxUpdates">): JsonObject {
  const made = emptyObject();
  if (issues.emptySteps.length > 0) made["emptySteps"] = [...issues.emptySteps];
  if (issues.duplicates.size > 0)
    made["duplicateAppSelections"] = Object.fromEntries(
      [...issues.duplicates].map(([name, steps]) => [name, [...steps]]),
    );
  if (issues.invalidExpressions.length > 0)
    made["invalidMatchExpressions"] = issues.invalidExpressions.map(({ step, operator }) => ({
      operator,
      stepIndex: step,
    }));
  return made;
}

function runIssueMessage(one: ConformanceCase): Outcome {
  const given = object(one.input, "issues");
  const found = (key: string): readonly JsonObject[] => list(given, key).filter(isObject);
  const step = (issue: JsonObject): number => Number(field(issue, "stepIndex"));
  const message = issueSentence({
    emptySteps: list(given, "emptySteps").map(Number),
    duplicates: new Map(
      Object.entries(object(given, "duplicateAppSelections")).map(([name, steps]) => [
        name,
        isList(steps) ? steps.map(Number) : [],
      ]),
    ),
    invalidExpressions: found("invalidMatchExpressions").map((issue) => ({
      step: step(issue),
      operator: text(issue, "operator"),
    })),
    invalidMaxUpdates: found("invalidMaxUpdates").map((issue) => ({
      step: step(issue),
      written: text(issue, "maxUpdate"),
    })),
  });
  return ok(compareValue(one, "message", message ?? ""));
}

function runAppsToSync(one: ConformanceCase): Outcome {
  const steps = list(one.input, "steps").map((names) => (isList(names) ? names.map(String) : []));
  const present = new Set(list(one.input, "currentApplications").map(String));
  const open = openApplications(steps, statusesOf(one), present);
  return ok(
    compareValue(one, "appsToSync", Object.fromEntries([...open].map((name) => [name, true]))),
  );
}

function runProgress(one: ConformanceCase): Outcome {
  const open = Object.entries(object(one.input, "appsToSync")).flatMap(([name, isOpen]) =>
    isOpen === true ? [name] : [],
  );
  const strategy = strategyOf(one);
  // What rolls nothing out has no statuses.
  if (strategy === undefined) return ok(compareStatuses(one, []));
  const made = releaseWaiting(strategy, statusesOf(one), new Set(open), stepMapOf(one), nowOf(one));
  return ok(compareStatuses(one, made));
}

function runStatus(one: ConformanceCase): Outcome {
  const views = list(one.input, "applications")
    .filter(isObject)
    .map((application) => viewOf(one, application));
  return ok(compareStatuses(one, nextStatuses(statusesOf(one), views, stepMapOf(one), nowOf(one))));
}

function runSetStatus(one: ConformanceCase): Outcome {
  const statuses = list(one.input, "statuses").filter(isObject).map(statusOf);
  return ok(compareStatuses(one, statuses.toSorted(byApplication)));
}

const stepMapOf = (one: ConformanceCase): ReadonlyMap<string, number> =>
  new Map(
    Object.entries(object(one.input, "appStepMap")).map(([name, step]) => [name, Number(step)]),
  );

const nowOf = (one: ConformanceCase): number => timeOf(field(one.input, "now")) ?? 0;

const timeOf = (value: Json | undefined): number | undefined =>
  typeof value === "string" ? Date.parse(value) : undefined;

const statusesOf = (one: ConformanceCase): readonly RolloutStatus[] =>
  list(object(object(one.input, "applicationset"), "status"), "applicationStatus")
    .filter(isObject)
    .map(statusOf);

function statusOf(status: JsonObject): RolloutStatus {
  const state = rolloutStates.find((known) => known === text(status, "status"));
  if (state === undefined) throw new TypeError(`no rollout state ${text(status, "status")}`);
  return {
    // Names in the corpus need not be names of ours.
    application: text(status, "application") as ApplicationName,
    status: state,
    step: Number(text(status, "step")),
    message: text(status, "message"),
    targetRevisions: list(status, "targetRevisions").map(String),
    sinceMs: timeOf(field(status, "lastTransitionTime")),
  };
}

function viewOf(one: ConformanceCase, application: JsonObject): RolloutView {
  const name = text(object(application, "metadata"), "name");
  const status = object(application, "status");
  const sync = object(status, "sync");
  const revisions = list(sync, "revisions").map(String);
  const revision = text(sync, "revision");
  const operation = object(status, "operationState");
  const startedAtMs = timeOf(field(operation, "startedAt"));
  return {
    application: name as ApplicationName,
    targetRevisions: revisions.length > 0 || revision === "" ? revisions : [revision],
    specDiffers: specDiffers(one, name, application),
    isSynced: text(sync, "status") === "Synced",
    isHealthy: text(object(status, "health"), "status") === "Healthy",
    isStuck: list(status, "conditions")
      .filter(isObject)
      .some((found) => ["InvalidSpecError", "UnknownError"].includes(text(found, "type"))),
    operation:
      startedAtMs === undefined
        ? undefined
        : { phase: phaseOf(text(operation, "phase")), startedAtMs },
    seenAtMs: timeOf(field(status, "reconciledAt")),
  };
}

/** Whatever has not come to an end is under way. */
function phaseOf(phase: string): "Running" | "Succeeded" | "Failed" {
  if (phase === "Succeeded") return phase;
  return phase === "Failed" || phase === "Error" ? "Failed" : "Running";
}

/** A set that rolls out turns automated sync off in all it generates, and compares by its own rules. */
function specDiffers(one: ConformanceCase, name: string, live: JsonObject): boolean {
  const desired = list(one.input, "desired")
    .filter(isObject)
    .find((application) => text(object(application, "metadata"), "name") === name);
  if (desired === undefined) return false;
  const fields = new FieldReader(specOf(one), "spec");
  const { ignored } = readSetPolicy(fields);
  // With a rule that cannot be read nobody knows what differs.
  if (fields.problems.length > 0) return false;
  const normal = (application: JsonObject): JsonObject => ({
    spec: normalizedSpec(object(application, "spec")),
  });
  const wanted = withIgnoredDifferences(
    normal(live),
    normal(withoutAutomatedSync(desired)),
    name,
    ignored,
  );
  return canonicalJson(wanted) !== canonicalJson(normal(live));
}

function withoutAutomatedSync(application: JsonObject): JsonObject {
  const spec = object(application, "spec");
  const syncPolicy = object(spec, "syncPolicy");
  const automated = field(syncPolicy, "automated");
  if (!isObject(automated)) return application;
  const off = { ...automated, enabled: false };
  return { ...application, spec: { ...spec, syncPolicy: { ...syncPolicy, automated: off } } };
}

function compareStatuses(one: ConformanceCase, statuses: readonly RolloutStatus[]): Verdict {
  const shown = statuses.map((status): Json => ({
    application: status.application,
    message: status.message,
    status: status.status,
    step: String(status.step),
    targetRevisions: [...status.targetRevisions],
  }));
  const wanted = list(one.expected, "statuses")
    .filter(isObject)
    .map((status): Json => ({
      application: text(status, "application"),
      message: text(status, "message"),
      status: text(status, "status"),
      // No step and no revisions are empty text and null there.
      step: text(status, "step") === "" ? "0" : text(status, "step"),
      targetRevisions: list(status, "targetRevisions"),
    }));
  return canonicalJson(wanted) === canonicalJson(shown)
    ? { kind: "passed" }
    : failed(`expected\n${canonicalJson(wanted)}\ngot\n${canonicalJson(shown)}`);
}
