import { systemClock, type Clock } from "../../../proto/kit/clock.ts";
import type { Labels } from "../../../proto/kit/metrics.ts";
import { apiDefaults, openApi, type Api, type ApiSettings } from "../../../spoke/kube/api.ts";
import type { Access, Credential } from "../../../spoke/kube/credential.ts";
import {
  scriptedApiServer,
  type ScriptedApiServer,
  type ScriptedReply,
  type ScriptedRequest,
} from "../../support/scripted-api-server.ts";

export type ScriptedApi = {
  readonly api: Api;
  readonly server: ScriptedApiServer;
  /** Verbs of all requests counted, in order. */
  readonly counted: readonly string[];
  /** What the client slept for, in milliseconds. */
  readonly slept: readonly number[];
  readonly refusals: () => number;
} & AsyncDisposable;

/** A client of a scripted server, with a clock that never makes anybody wait. */
export async function openScripted(
  reply: (request: ScriptedRequest) => ScriptedReply | Promise<ScriptedReply>,
  options: { readonly settings?: Partial<ApiSettings>; readonly bearers?: readonly string[] } = {},
): Promise<ScriptedApi> {
  const server = await scriptedApiServer(reply);
  const counted: string[] = [];
  const slept: number[] = [];
  const clock: Clock = {
    nowMs: systemClock.nowMs,
    sleep: async (delayMs, signal) => {
      slept.push(delayMs);
      await systemClock.sleep(0, signal);
    },
  };
  const bearers = options.bearers ?? ["good"];
  let refusals = 0;
  let access = accessOf(server, bearers[0] ?? "");
  const credential: Credential = {
    current: async () => access,
    refused: () => {
      refusals += 1;
      access = accessOf(server, bearers[refusals] ?? "");
    },
    close: () => {},
  };
  const requests = {
    add: (_amount: number, labels?: Labels) => void counted.push(labels?.["verb"] ?? ""),
  };
  const api = openApi(
    credential,
    { ...apiDefaults, version: "1.2.3", ...options.settings },
    { requests, clock, random: () => 0 },
  );
  return {
    api,
    server,
    counted,
    slept,
    refusals: () => refusals,
    [Symbol.asyncDispose]: async () => {
      api.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

export const accessOf = (server: ScriptedApiServer, bearer: string): Access => ({
  host: "127.0.0.1",
  port: server.port,
  pathPrefix: "",
  proxy: undefined,
  bearer,
  actingAs: {},
  tls: {
    authority: server.authority.certificatePem,
    certificate: undefined,
    key: undefined,
    serverName: undefined,
    skipVerify: false,
    version: "1",
  },
});

/** A refusal as an API server words it. */
export const statusBody = (
  code: number,
  reason: string,
  message: string,
  details?: unknown,
): unknown => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
  message,
  details,
});
