import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Flaw } from "../../../hub/domain/generate.ts";
import type { PlanInput } from "../../../hub/domain/plan/input.ts";
import { codes, problem } from "../../../hub/domain/problem.ts";
import type { RolloutState, RolloutStatus } from "../../../hub/domain/rollout/rollout.ts";
import {
  setConditions,
  setHealth,
  type SetCondition,
  type SetOutcome,
} from "../../../hub/domain/set-status.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { generated, outcome, plan, published } from "./plan/planning.ts";

/** Conditions in a line each: type, whether it is true, and why. */
const told = (conditions: readonly SetCondition[]): readonly string[] =>
  conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

const fine = [
  "ErrorOccurred False ApplicationSetUpToDate",
  "ParametersGenerated True ParametersGenerated",
  "ResourcesUpToDate True ApplicationSetUpToDate",
];

const wrong = (reason: string, isGenerated: boolean): readonly string[] => [
  `ErrorOccurred True ${reason}`,
  isGenerated
    ? "ParametersGenerated True ParametersGenerated"
    : "ParametersGenerated False ErrorOccurred",
  "ResourcesUpToDate False ErrorOccurred",
];

suite("the conditions of a set", () => {
  const flawed = (kind: Flaw["kind"], code: string): Partial<PlanInput> => ({
    outcome: {
      kind: "generated",
      applications: [outcome({ name: "a" })],
      flaws: [{ kind, application: undefined, problem: problem(code, "no") }],
    },
  });
  const failed = (code: string): Partial<PlanInput> => ({
    outcome: { kind: "failed", problem: problem(code, "no") },
  });

  const rows: readonly {
    readonly name: string;
    readonly over: Partial<PlanInput>;
    readonly expect: readonly string[];
    readonly health: string;
  }[] = [
    {
      name: "a set whose applications all go out is up to date",
      over: { outcome: generated({ name: "a" }) },
      expect: fine,
      health: "Healthy",
    },
    {
      name: "a set that generates nothing is up to date",
      over: { outcome: generated() },
      expect: fine,
      health: "Healthy",
    },
    ...[
      codes.badApplicationSet,
      codes.unsupportedGenerator,
      codes.generatorFailed,
      codes.repositoryUnknown,
      codes.definedTwice,
      codes.badFleetDocument,
      codes.sourceNotConnected,
      codes.tooManyElements,
      "WH-GEN-3122",
      "WH-YAML-3301",
    ].flatMap((code) => [
      {
        name: `a set that fails with ${code} generated nothing`,
        over: failed(code),
        expect: wrong("ApplicationGenerationFromParamsError", false),
        health: "Degraded",
      },
      {
        name: `a generator that fails with ${code} did not generate all`,
        over: flawed("generation", code),
        expect: wrong("ApplicationGenerationFromParamsError", false),
        health: "Degraded",
      },
    ]),
    ...[
      codes.badTemplate,
      codes.templateFailed,
      codes.templateLimit,
      codes.badTemplatePatch,
    ].flatMap((code) => [
      {
        name: `a set whose template fails with ${code} generated nothing`,
        over: failed(code),
        expect: wrong("RenderTemplateParamsError", false),
        health: "Degraded",
      },
      {
        name: `an element whose template fails with ${code} is not generated`,
        over: flawed("generation", code),
        expect: wrong("RenderTemplateParamsError", false),
        health: "Degraded",
      },
    ]),
    ...[codes.duplicateName, codes.badGeneratedApplication].map((code) => ({
      name: `what may not be by ${code} was generated all the same`,
      over: flawed("validation", code),
      expect: wrong("ApplicationValidationError", true),
      health: "Degraded",
    })),
    {
      name: "an unknown project is an error of validation",
      over: { outcome: generated({ name: "a", spec: { project: "nope" } }, { name: "b" }) },
      expect: wrong("ApplicationValidationError", true),
      health: "Degraded",
    },
    {
      name: "an unknown cluster is an error of validation",
      over: { outcome: generated({ name: "a", cluster: "nowhere" }) },
      expect: wrong("ApplicationValidationError", true),
      health: "Degraded",
    },
    {
      name: "what cannot be rendered cannot be updated",
      over: { outcome: generated({ name: "a", broken: true }) },
      expect: wrong("UpdateApplicationError", true),
      health: "Degraded",
    },
    {
      name: "what would become empty cannot be updated",
      over: {
        before: published({ name: "a", objects: 4 }),
        outcome: generated({ name: "a", content: "empty", objects: 0 }),
      },
      expect: wrong("UpdateApplicationError", true),
      health: "Degraded",
    },
    {
      name: "a name of somebody else's cannot be updated",
      over: {
        outcome: generated({ name: "a" }),
        owners: new Map([["a" as ApplicationName, { kind: "application", name: "a" }]]),
      },
      expect: wrong("UpdateApplicationError", true),
      health: "Degraded",
    },
    {
      name: "removals that wait for consent are not deleted",
      over: {
        before: published({ name: "a" }, { name: "b" }, { name: "c" }),
        outcome: generated(),
      },
      expect: wrong("DeleteApplicationError", true),
      health: "Degraded",
    },
    {
      name: "what a removed set keeps is not deleted",
      over: {
        before: published({ name: "a" }),
        outcome: { kind: "removed" },
        keepsBecause: "it says so",
      },
      expect: wrong("DeleteApplicationError", true),
      health: "Degraded",
    },
  ];
  for (const { name, over, expect, health } of rows)
    test(name, () => {
      const { conditions } = plan(over);
      assert.deepEqual([...told(conditions), setHealth(conditions)], [...expect, health]);
    });

  test("a message begins with the code of its problem", () => {
    const { conditions } = plan({
      outcome: generated({ name: "a", spec: { project: "nope" } }, { name: "b", broken: true }),
    });
    assert.deepEqual(
      conditions.filter(({ status }) => status === "True").map(({ message }) => message),
      [
        "WH-RND-3402: a.yaml: kind is missing (and 1 more)",
        "Successfully generated parameters for all Applications",
      ],
    );
  });
});

suite("the conditions of a rollout", () => {
  const status = (application: string, state: RolloutState, step: number): RolloutStatus => ({
    application: application as ApplicationName,
    status: state,
    step,
    message: "",
    targetRevisions: [],
    sinceMs: 0,
  });

  const rows: readonly {
    readonly name: string;
    readonly statuses: readonly RolloutStatus[];
    readonly issue?: string;
    readonly progress: string;
    readonly upToDate: string;
    readonly health: string;
  }[] = [
    {
      name: "all Healthy is complete",
      statuses: [status("a", "Healthy", 1), status("b", "Healthy", -1)],
      progress: "False ApplicationSetRolloutComplete ApplicationSet Rollout has completed",
      upToDate: "True ApplicationSetUpToDate All applications are up to date",
      health: "Healthy",
    },
    {
      name: "the first step that is not Healthy is performed, and what waits for a later one is not up to date",
      statuses: [
        status("a", "Healthy", 1),
        status("b", "Waiting", 3),
        status("c", "Progressing", 2),
        status("d", "Waiting", 3),
      ],
      progress: "True ApplicationSetModified ApplicationSet is performing rollout of step 2",
      upToDate: "False ApplicationSetModified 2 applications wait for a step of the rollout",
      health: "Progressing",
    },
    {
      name: "what is let go and not Healthy yet is up to date",
      statuses: [status("a", "Pending", 1)],
      progress: "True ApplicationSetModified ApplicationSet is performing rollout of step 1",
      upToDate: "True ApplicationSetUpToDate All applications are up to date",
      health: "Progressing",
    },
    {
      name: "what no step selects never goes, and is neither complete nor up to date",
      statuses: [status("a", "Waiting", -1), status("b", "Waiting", -1)],
      issue: "No steps defined for rollout",
      progress:
        "False ApplicationSetRolloutError 2 applications wait, and no step of the rollout selects them",
      upToDate:
        "False ApplicationSetModified 2 applications wait, and no step of the rollout selects them",
      health: "Unknown",
    },
    {
      name: "what no step selects is told beside what waits for one",
      statuses: [status("a", "Waiting", -1), status("b", "Waiting", 1)],
      progress: "True ApplicationSetModified ApplicationSet is performing rollout of step 1",
      upToDate:
        "False ApplicationSetModified 1 application waits for a step of the rollout; 1 application waits, and no step of the rollout selects it",
      health: "Progressing",
    },
  ];
  for (const { name, statuses, issue, progress, upToDate, health } of rows)
    test(name, () => {
      const conditions = setConditions(
        { fault: undefined, ungenerated: undefined, rollout: { kind: "known", statuses, issue } },
        [],
        5,
      );
      const said = new Map(
        conditions.map((one) => [one.type, `${one.status} ${one.reason} ${one.message}`.trim()]),
      );
      assert.deepEqual(
        [said.get("RolloutProgressing"), said.get("ResourcesUpToDate"), setHealth(conditions)],
        [progress, upToDate, health],
      );
      assert.equal(
        said.get("InvalidRolloutConfig"),
        issue === undefined
          ? "False ApplicationSetValidRolloutConfig"
          : `True ApplicationSetInvalidRolloutConfig ${issue}`,
      );
    });

  test("as many applications as a set may have are no stack's matter", () => {
    const statuses = Array.from({ length: 300_000 }, (_, at) => status(`a${at}`, "Waiting", 7));
    const conditions = setConditions(
      { ...calm, rollout: { kind: "known", statuses, issue: undefined } },
      [],
      5,
    );
    assert.match(
      conditions.find(({ type }) => type === "RolloutProgressing")?.message ?? "",
      /step 7$/,
    );
  });

  const calm: SetOutcome = { fault: undefined, ungenerated: undefined, rollout: undefined };

  test("a set that fails says of its rollout what it said before", () => {
    const rolling = setConditions(
      { ...calm, rollout: { kind: "known", statuses: [status("a", "Pending", 1)], issue: "odd" } },
      [],
      5,
    );
    const failing = setConditions({ ...calm, rollout: { kind: "as-before" } }, rolling, 9);
    assert.deepEqual(failing, rolling);
    assert.deepEqual(told(setConditions(calm, failing, 9)), fine, "without a rollout it goes");
  });

  test("a condition is as old as its status, whatever is said of it", () => {
    const at = (message: string | undefined, before: readonly SetCondition[], nowMs: number) =>
      setConditions(
        {
          ...calm,
          fault:
            message === undefined
              ? undefined
              : { reason: "UpdateApplicationError", problem: problem("X", message) },
        },
        before,
        nowMs,
      );
    const times = (conditions: readonly SetCondition[]): readonly number[] =>
      conditions.map(({ sinceMs }) => sinceMs);
    const first = at(undefined, [], 1);
    const same = at(undefined, first, 2);
    const broken = at("one", same, 3);
    const other = at("two", broken, 4);
    const whole = at(undefined, other, 5);
    assert.deepEqual([first, same, broken, other, whole].map(times), [
      [1, 1, 1],
      [1, 1, 1],
      [3, 1, 3],
      [3, 1, 3],
      [5, 1, 5],
    ]);
  });
});
