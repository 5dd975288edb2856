import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type Clock } from "../../proto/kit/clock.ts";
import { silentLog, type Log } from "../../proto/kit/log.ts";
import { runTogether } from "../../proto/kit/run-together.ts";
import { openAuthority, type Authority } from "../../hub/link/authority.ts";
import { openLink, type Link, type LinkSettings, type LinkStore } from "../../hub/link/server.ts";

export type RunningHubLink = {
  readonly address: string;
  readonly authority: Authority;
  readonly link: Link;
  /** Drains and stops, as a hub does that is told to. */
  readonly stop: () => Promise<void>;
};

/** A hub's link on a free loopback port, running until `stop`. `folder` keeps its authority. */
export async function runHubLink(
  store: LinkStore,
  folder: string,
  given: Partial<LinkSettings> & {
    readonly certificateLifeMs?: number;
    readonly clock?: Clock;
    readonly log?: Log;
  } = {},
): Promise<RunningHubLink> {
  const {
    certificateLifeMs = 3_600_000,
    clock = systemClock,
    log = silentLog,
    ...settings
  } = given;
  const stopping = new AbortController();
  const authority = await openAuthority(
    { folder, names: ["127.0.0.1"], certificateLifeMs },
    { clock, log },
    stopping.signal,
  );
  const link = await openLink(
    { store, authority, vouchedFor: () => "all", clock, random: Math.random, log },
    {
      host: "127.0.0.1",
      port: 0,
      heartbeatMs: 5_000,
      drainMs: 500,
      goodbyeMs: 200,
      returnSpreadMs: 0,
      ...settings,
    },
  );
  const running = runTogether([link.run, authority.run], stopping.signal);
  return {
    address: `127.0.0.1:${link.port}`,
    authority,
    link,
    async stop() {
      stopping.abort(new Error("the test is over"));
      await running;
    },
  };
}

/** A folder of its own, removed by the returned function. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "wheelhouse-link-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
