import { Bell } from "../../proto/kit/bell.ts";
import { fullJitterMs } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { redact } from "../../proto/kit/redact.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import type { ApplicationName, Generation } from "../../proto/words/ids.ts";
import type { Ack, Command, CommandResult } from "../../proto/words/link-messages.ts";
import type { ApplicationReport } from "../../proto/words/report.ts";
import { boundedReport } from "../domain/bounded-report.ts";
import { heldForHub, type HeldSet } from "../domain/held-set.ts";
import type { SpokeIdentity } from "../domain/identity.ts";
import {
  nextTickAtMs,
  startOffline,
  stepLink,
  type LinkEffect,
  type LinkEvent,
  type LinkState,
  type LinkTiming,
  type Loss,
} from "../domain/link.ts";
import { createChangeStore, type BlobStore, type FetchBlobs } from "./change-store.ts";
import { forgetBlobs, type ForgettingStore } from "./forget-blobs.ts";
import { HeldKeeper, type HeldDisk } from "./held-keeper.ts";
import { keepCertificate } from "./keep-certificate.ts";
import { cannotJoin, LinkIdentity, type IdentityNeeds, type Invitation } from "./link-identity.ts";
import { runSession, type HubStream, type SessionFacts } from "./link-session.ts";
import { Outbox } from "./outbox.ts";
import { redactedReport } from "./redacted-report.ts";
import { sleepUntil } from "./sleep-until.ts";

export type { Invitation };

/** A connection to the hub under one identity. */
export type HubConnection = {
  readonly attach: (signal: AbortSignal) => HubStream;
  readonly fetchBlobs: FetchBlobs;
  readonly renew: (signal: AbortSignal) => Promise<SpokeIdentity>;
  readonly close: () => void;
};

export type LinkLoopNeeds = Pick<
  IdentityNeeds,
  "invitation" | "newPrivateKey" | "certificateLife"
> & {
  readonly hub: {
    readonly enroll: IdentityNeeds["enroll"];
    readonly dial: (identity: SpokeIdentity) => HubConnection;
    /** What an error of any of these means. */
    readonly explain: (error: unknown) => Loss;
  };
  readonly identity: Pick<IdentityNeeds, "read" | "write">;
  readonly disk: HeldDisk;
  readonly blobs: BlobStore & ForgettingStore;
  /** Empty when the API server cannot be asked now. */
  readonly kubernetesVersion: (signal: AbortSignal) => Promise<string>;
  /** Called once at the start with what the disk holds, and after each stored change. Blobs are on disk by then. */
  readonly onHeld: (held: HeldSet) => void;
  /** Called once per command, after its id is on disk. */
  readonly onCommand: (command: Command) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

export type LinkLoopSettings = {
  readonly spokeVersion: string;
  /** New at every start of the process. */
  readonly bootId: string;
  /** Other than usual, for tests. */
  readonly pace?: Partial<LinkPace>;
};

/** All pauses of the link, in one place. */
export type LinkPace = {
  readonly retryFirstMs: number;
  readonly retryMostMs: number;
  readonly steadyAfterMs: number;
  readonly replacedPauseMs: number;
  readonly firstLookMs: number;
  readonly lookAgainMs: number;
  /** How long connecting and being welcomed may take. */
  readonly welcomeLimitMs: number;
  /** How long asking for the version of the cluster may take. */
  readonly versionLimitMs: number;
  readonly silenceGraceMs: number;
  readonly renewRetryFirstMs: number;
  readonly renewRetryMostMs: number;
  /** Blobs that nothing wants are looked for this often at most. */
  readonly forgetBlobsEveryMs: number;
};

const usualPace: LinkPace = {
  retryFirstMs: 250,
  retryMostMs: 15_000,
  steadyAfterMs: 10_000,
  replacedPauseMs: 30_000,
  firstLookMs: 1_000,
  lookAgainMs: 30_000,
  welcomeLimitMs: 20_000,
  versionLimitMs: 3_000,
  silenceGraceMs: 20_000,
  renewRetryFirstMs: 30_000,
  renewRetryMostMs: 3_600_000,
  forgetBlobsEveryMs: 3_600_000,
};

export type LinkLoop = {
  /** Keeps the link until aborted. Throws when the disk cannot be read at the start; later failures only slow it down. */
  readonly run: (signal: AbortSignal) => Promise<never>;
  /** The newest state of an application; `undefined`: there is nothing to say of it any more. */
  readonly report: (application: ApplicationName, report: ApplicationReport | undefined) => void;
  readonly ack: (ack: Ack) => void;
  /** A tombstone was carried out. It stays on disk until the hub has recorded that, so that a crash costs nothing. */
  readonly removed: (application: ApplicationName, generation: Generation) => void;
  readonly commandDone: (result: CommandResult) => void;
  /** A blob of what is held is not on disk: it is fetched again as soon as there is a hub. */
  readonly missed: () => void;
  readonly state: () => LinkState;
};

/** Carries out what the link machine asks for: enrolls, attaches, renews, comes back. */
export function createLinkLoop(needs: LinkLoopNeeds, settings: LinkLoopSettings): LinkLoop {
  const { hub, clock, random, log } = needs;
  const pace = { ...usualPace, ...settings.pace };
  const held = new HeldKeeper(needs.disk);
  const outbox = new Outbox(() => held.current());
  const bell = new Bell();
  let state: LinkState = startOffline(clock.nowMs());
  const identity = new LinkIdentity({
    ...needs.identity,
    enroll: hub.enroll,
    explain: hub.explain,
    invitation: needs.invitation,
    newPrivateKey: needs.newPrivateKey,
    certificateLife: needs.certificateLife,
    log,
  });
  const storeBell = new Bell();
  const welcomeBell = new Bell();
  /** What is on disk has not been looked at yet, or something was missed. */
  let blobsMayBeLost = true;
  let blobsForgottenAtMs: number | undefined;

  // By the whole of a step: many spokes that lost one hub must not return together.
  const retryMs = (failures: number): number =>
    fullJitterMs(
      failures,
      { firstMs: pace.retryFirstMs, factor: 2, mostMs: pace.retryMostMs },
      random,
    );

  const timing: LinkTiming = {
    silenceLimitMs: (heartbeatMs) => heartbeatMs * 2 + Math.min(pace.silenceGraceMs, heartbeatMs),
    retryMs: (failures) => retryMs(Math.max(1, failures)),
    steadyAfterMs: pace.steadyAfterMs,
    replacedPauseMs: () => Math.round(pace.replacedPauseMs * (1 + random())),
    firstLookMs: pace.firstLookMs,
    lookAgainMs: () => Math.round(pace.lookAgainMs * (1 + random() / 2)),
  };

  function dispatch(event: LinkEvent): readonly LinkEffect[] {
    const step = stepLink(state, event, timing);
    state = step.state;
    return step.effects;
  }

  async function run(signal: AbortSignal): Promise<never> {
    needs.onHeld(await held.load(signal));
    for (;;) {
      const effects = dispatch({ kind: "tick", nowMs: clock.nowMs() });
      if (effects.includes("dial")) await connect(signal);
      else if (effects.includes("look-for-identity")) {
        if (await identity.lookAgain(signal)) onIdentityChanged();
      } else await sleepUntil(nextTickAtMs(state) ?? clock.nowMs(), clock, signal);
    }
  }

  /** One dial and the session it leads to. Returns when that is over, with the state saying what comes next. */
  async function connect(signal: AbortSignal): Promise<void> {
    try {
      const enrolled = await identity.enrolled(signal);
      if (enrolled === undefined) onLoss({ kind: "refused", problem: cannotJoin }, undefined);
      else await attached(enrolled, signal);
    } catch (error) {
      signal.throwIfAborted();
      onLoss(hub.explain(error), error);
    }
  }

  function onLoss(loss: Loss, cause: unknown): void {
    const nowMs = clock.nowMs();
    const problem = identity.explain(loss.problem, nowMs);
    switch (loss.kind) {
      case "refused":
        dispatch({ kind: "refused", problem, nowMs });
        log.error("hub refused this spoke", { code: problem.code, problem: problem.sentence });
        return;
      case "replaced":
        onReplaced(0);
        return;
      case "away":
        dispatch({ kind: "lost", nowMs });
        log.warn("link lost", {
          code: problem.code,
          problem: problem.sentence,
          cause: describeError(cause),
          ...retryFields(),
        });
        return;
    }
  }

  function onReplaced(reconnectAfterMs: number): void {
    dispatch({ kind: "told-to-leave", reason: "replaced", reconnectAfterMs, nowMs: clock.nowMs() });
    identity.doubt();
    log.warn("another spoke took the session over", {
      code: linkCodes.sharedIdentity,
      problem: "two spokes may share this identity; each cluster needs its own",
      ...retryFields(),
    });
  }

  const retryFields = () =>
    state.kind === "offline"
      ? { failures: state.failures, retryInMs: state.retryAtMs - clock.nowMs() }
      : {};

  function onIdentityChanged(): void {
    dispatch({ kind: "identity-changed", nowMs: clock.nowMs() });
  }

  async function attached(current: SpokeIdentity, signal: AbortSignal): Promise<void> {
    const { hubId, clusterName } = current;
    const before = held.current();
    const after = await held.update((set) => heldForHub(set, hubId), signal);
    if (after !== before && before.hubId !== "") {
      log.warn("hub changed", { before: before.hubId, hub: hubId });
      needs.onHeld(after);
    }
    const facts: SessionFacts = {
      spokeVersion: settings.spokeVersion,
      bootId: settings.bootId,
      kubernetesVersion: await versionInTime(signal),
    };
    const group = new AbortController();
    const shared = AbortSignal.any([signal, group.signal]);
    const connection = hub.dial(current);
    const sessionLog = log.with({ cluster: clusterName });
    const session = runSession(
      {
        stream: connection.attach(shared),
        changes: createChangeStore({
          fetchBlobs: connection.fetchBlobs,
          blobs: needs.blobs,
          held,
          log: sessionLog,
        }),
        held,
        outbox,
        bell,
        storeBell,
        lost: {
          take: () => {
            const mayBe = blobsMayBeLost;
            blobsMayBeLost = false;
            return mayBe;
          },
          putBack: () => {
            blobsMayBeLost = true;
          },
        },
        onWelcome: ({ sessionId, heartbeatMs }, epoch) => {
          dispatch({
            kind: "welcomed",
            session: sessionId,
            epoch,
            heartbeatMs,
            nowMs: clock.nowMs(),
          });
          welcomeBell.ring();
          sessionLog.info("attached to the hub", { session: sessionId, epoch });
        },
        onHeard: () => dispatch({ kind: "heard", nowMs: clock.nowMs() }),
        onStored: afterStored,
        onCommand: needs.onCommand,
        pauseMs: (failures) => Math.max(pace.retryFirstMs, retryMs(failures)),
        clock,
        log: sessionLog,
      },
      facts,
      shared,
    );
    const tasks = [session, watchSilence(shared), renewed(connection, current, shared)];
    try {
      const outcome = await Promise.race(tasks);
      if (outcome !== undefined) onOutcome(outcome);
    } finally {
      group.abort(new Error("the session ended"));
      await Promise.allSettled(tasks);
      connection.close();
    }
  }

  /** An API server that does not answer must not keep the spoke from its hub. */
  async function versionInTime(signal: AbortSignal): Promise<string> {
    try {
      return await needs.kubernetesVersion(
        AbortSignal.any([signal, AbortSignal.timeout(pace.versionLimitMs)]),
      );
    } catch (error) {
      signal.throwIfAborted();
      log.debug("kubernetes version not known", { problem: describeError(error) });
      return "";
    }
  }

  function onOutcome(outcome: Awaited<ReturnType<typeof runSession>>): void {
    const nowMs = clock.nowMs();
    if (outcome.kind === "ended") {
      dispatch({ kind: "lost", nowMs });
      log.info("hub ended the session", retryFields());
      return;
    }
    const { reason, reconnectAfterMs } = outcome;
    switch (reason) {
      case "replaced":
        onReplaced(reconnectAfterMs);
        return;
      case "draining":
        dispatch({ kind: "told-to-leave", reason, reconnectAfterMs, nowMs });
        log.info("hub asked to come back later", retryFields());
        return;
      case "untrusted":
        onLoss(
          {
            kind: "refused",
            problem: {
              code: linkCodes.notTrusted,
              sentence:
                "the hub no longer trusts this spoke: its cluster was removed, or its certificate revoked or expired",
            },
          },
          undefined,
        );
        return;
    }
  }

  /** Returns once nothing was heard for too long; the machine is offline by then. */
  async function watchSilence(signal: AbortSignal): Promise<undefined> {
    const welcomeByMs = clock.nowMs() + pace.welcomeLimitMs;
    for (;;) {
      const nextMs = Math.max(1, (nextTickAtMs(state) ?? welcomeByMs) - clock.nowMs());
      // A welcome ends the wait for it: from then on silence has a limit of its own, which may be far shorter.
      await welcomeBell.waitAtMost(nextMs, clock, signal);
      // Something else ended the session meanwhile.
      if (state.kind !== "dialing" && state.kind !== "attached") return undefined;
      if (state.kind === "dialing" && clock.nowMs() >= welcomeByMs) {
        dispatch({ kind: "lost", nowMs: clock.nowMs() });
        log.warn("hub did not answer", { withinMs: pace.welcomeLimitMs, ...retryFields() });
        return undefined;
      }
      if (dispatch({ kind: "tick", nowMs: clock.nowMs() }).includes("hang-up")) {
        log.warn("hub fell silent", retryFields());
        return undefined;
      }
    }
  }

  /** Returns with a new certificate in place, and the link looking for a session under it. */
  async function renewed(
    { renew }: HubConnection,
    { certificatePem = "" }: SpokeIdentity,
    signal: AbortSignal,
  ): Promise<undefined> {
    await keepCertificate(
      certificatePem,
      {
        renew,
        replace: (next, stop) => identity.replace(next, stop),
        certificateLife: needs.certificateLife,
        isAttached: () => state.kind === "attached",
        retry: { firstMs: pace.renewRetryFirstMs, factor: 2, mostMs: pace.renewRetryMostMs },
        clock,
        random,
        log,
      },
      signal,
    );
    onIdentityChanged();
  }

  async function afterStored(signal: AbortSignal): Promise<void> {
    needs.onHeld(held.current());
    const nowMs = clock.nowMs();
    if (blobsForgottenAtMs !== undefined && nowMs - blobsForgottenAtMs < pace.forgetBlobsEveryMs)
      return;
    blobsForgottenAtMs = nowMs;
    try {
      await forgetBlobs(held.current(), needs.blobs, signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn("unwanted blobs could not be forgotten", { problem: describeError(error) });
    }
  }

  return {
    run,
    report(application, report) {
      const isNews = outbox.setReport(
        application,
        report === undefined ? undefined : boundedReport(redactedReport(report)),
      );
      if (isNews) bell.ring();
    },
    ack(ack) {
      // Stored is said by the link itself, when it is true; removed has its own function.
      if (ack.kind === "applied" || ack.kind === "healthy") outbox.addAck(ack);
      else if (ack.kind === "removed") outbox.addRemoved(ack.application, ack.generation);
      bell.ring();
    },
    removed(application, generation) {
      outbox.addRemoved(application, generation);
      bell.ring();
    },
    commandDone(result) {
      outbox.addResult({ ...result, message: redact(result.message) });
      bell.ring();
    },
    missed() {
      blobsMayBeLost = true;
      storeBell.ring();
    },
    state: () => state,
  };
}
