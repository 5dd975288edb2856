import { randomBytes } from "node:crypto";
import type { Clock } from "../../proto/kit/clock.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { CommandKind } from "../../proto/words/link-messages.ts";
import type { ClusterName } from "../../proto/words/ids.ts";
import type { CommandRecord } from "../domain/command-record.ts";
import { joinTokenBytes, makeJoinToken } from "../domain/join/token.ts";
import type { ApplicationRecord } from "../domain/records.ts";
import { makeUlid, ulidBytes } from "../domain/ulid.ts";
import type { HttpNeeds } from "../http/needs.ts";
import type { Link } from "../link/server.ts";
import type { HubSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import type { Publishing } from "./publishing.ts";

export type OrdersNeeds = {
  readonly settings: HubSettings;
  readonly store: Store;
  readonly link: Pick<Link, "sessions">;
  readonly publishing: Pick<Publishing, "repositories" | "loop">;
  readonly clock: Clock;
};

/** What people can order over HTTP, carried out by whoever does it. */
export function composeOrders({
  settings,
  store,
  link,
  publishing,
  clock,
}: OrdersNeeds): Pick<
  HttpNeeds,
  "requestSync" | "refreshApplication" | "wakeRepository" | "issueJoinToken" | "clustersChanged"
> {
  /** Durable before anybody is told; the session finds it when it is woken, or when the spoke is back. */
  const command = async (
    order: CommandKind,
    application: ApplicationRecord,
    cluster: ClusterName,
    details: { readonly prune: boolean; readonly actor: string },
    signal: AbortSignal,
  ): Promise<CommandRecord> => {
    const found = await store.clusters.find(cluster, signal);
    if (found === undefined)
      throw new TypeError(`cluster ${cluster} vanished while it was ordered`);
    const nowMs = clock.nowMs();
    const id = makeUlid(nowMs, randomBytes(ulidBytes));
    await store.commands.create(
      {
        id,
        order,
        application: application.name,
        cluster: found.id,
        // A refresh is good for whatever is there; a sync is for what whoever ordered it saw.
        generation: order === "sync" ? application.generation : 0,
        ...details,
        createdAtMs: nowMs,
        expiresAtMs: nowMs + settings.commandLifeMs,
      },
      signal,
    );
    link.sessions.wake(found.id);
    const record = await store.commands.find(id, signal);
    if (record === undefined) throw new TypeError(`command ${id} vanished after it was recorded`);
    return record;
  };

  return {
    requestSync: ({ application, cluster, prune, actor }, signal) =>
      command("sync", application, cluster, { prune, actor }, signal),
    refreshApplication: async ({ application, cluster, actor }, signal) => {
      publishing.repositories.wake(application.source.repoURL);
      publishing.loop.wake();
      return cluster === undefined
        ? undefined
        : command("refresh", application, cluster, { prune: false, actor }, signal);
    },
    wakeRepository: (url) => publishing.repositories.wake(url),
    issueJoinToken: async (cluster, lifeMs, signal) => {
      const token = makeJoinToken(randomBytes(joinTokenBytes));
      const createdAtMs = clock.nowMs();
      const expiresAtMs = createdAtMs + lifeMs;
      await store.enrollments.createToken(
        { id: token.id, secretHash: token.secretHash, cluster, createdAtMs, expiresAtMs },
        signal,
      );
      return { token: token.text, expiresAtMs };
    },
    clustersChanged: (change) => {
      const { sessions } = link;
      switch (change.kind) {
        case "removed":
          sessions.dismiss(change.id, { kind: "untrusted", problem: "the cluster was removed" });
          sessions.forget(change.id);
          return publishing.loop.wake();
        case "added":
        case "relabelled":
          return publishing.loop.wake();
        // What the cluster should run is not touched by who may ask for it.
        case "locked":
          return sessions.dismiss(change.id, { kind: "locked", why: change.why });
        case "cut-off":
          return sessions.dismiss(change.id, {
            kind: "untrusted",
            problem: "the certificate was made void",
          });
        default:
          return unreachable(change, "change of a cluster");
      }
    },
  };
}
