import type { DesiredApplication, SyncPolicy } from "../../../proto/words/desired.ts";
import type { ServiceAccount } from "../../../proto/words/service-account.ts";
import type { Admission, Admitted } from "../admission.ts";
import type { Application } from "../application.ts";
import type { ClusterFact } from "../facts.ts";
import type { ApplicationOutcome, Rendered } from "./input.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import type { PublishedApplication } from "../records.ts";
import { fault, type FaultReason, type SetFault } from "../set-fault.ts";

/** What is to be done about one application that Git wants. */
export type Verdict = {
  readonly application: Application;
  readonly before: PublishedApplication | undefined;
  readonly cluster: ClusterFact | undefined;
} & (
  | ({ readonly kind: "publish"; readonly rendered: Rendered } & Admitted)
  | ({ readonly kind: "keep" } & SetFault)
);

export type PublishVerdict = Extract<Verdict, { readonly kind: "publish" }>;

/**
 * Decides about one application by itself: what may not go to where it says, could not be rendered, or would lose
 * all of its objects keeps what it had, with the reason.
 */
export function judge(
  { application, rendered }: ApplicationOutcome,
  before: PublishedApplication | undefined,
  admits: Admission,
): Verdict {
  const admitted = admits(application);
  const cluster = admitted.ok ? admitted.value.cluster : undefined;
  const keep = (reason: FaultReason, because: ProblemDraft): Verdict => ({
    kind: "keep",
    application,
    before,
    cluster,
    ...fault(reason, because),
  });
  if (!admitted.ok) return keep("ApplicationValidationError", admitted.problem);
  if (!rendered.ok) return keep("UpdateApplicationError", rendered.problem);
  const objectsBefore = before?.desired === undefined ? 0 : before.draft.objects;
  if (rendered.value.objects === 0 && objectsBefore > 0 && !application.policy.allowEmpty)
    return keep(
      "UpdateApplicationError",
      problem(
        codes.wouldBecomeEmpty,
        `the application would lose all of its ${objectsBefore} objects at revision ${rendered.value.revision}; ` +
          "the last good bundle is kept (spec.syncPolicy.automated.allowEmpty permits this)",
      ),
    );
  return {
    kind: "publish",
    application,
    before,
    ...admitted.value,
    rendered: rendered.value,
  };
}

export const moves = (verdict: Verdict): boolean =>
  verdict.kind === "publish" &&
  verdict.before?.desired !== undefined &&
  verdict.before.desired.cluster !== verdict.cluster.id;

/** Whether what is offered already is what would be. */
export function isOffered({
  application,
  before,
  cluster,
  serviceAccount,
  rendered,
}: PublishVerdict): boolean {
  const current = before?.desired;
  return (
    current !== undefined &&
    current.cluster === cluster.id &&
    sameOffer(current.entry, application, serviceAccount, rendered)
  );
}

const sameOffer = (
  entry: DesiredApplication,
  application: Application,
  serviceAccount: ServiceAccount | undefined,
  rendered: Rendered,
): boolean =>
  entry.serviceAccount === serviceAccount &&
  entry.bundle === rendered.bundle &&
  entry.project === application.project &&
  entry.destinationNamespace === application.destination.namespace &&
  samePolicy(entry.policy, application.policy);

// Each of its fields is a plain value.
export const samePolicy = (a: SyncPolicy, b: SyncPolicy): boolean =>
  a === b ||
  (Object.keys({ ...a, ...b }) as readonly (keyof SyncPolicy)[]).every((key) => a[key] === b[key]);
