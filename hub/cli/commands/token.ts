import { parts, text } from "../answer.ts";
import { exitCodes, usage, type ExitCode } from "../exit-codes.ts";
import { tokenPrintable } from "../kinds.ts";
import { isWhole, printRows, printValue, shapeVersion } from "../output.ts";
import type { Session } from "../session.ts";
import { parseDuration } from "../terminal.ts";

export type TokenCreateOptions = { readonly scope?: string; readonly life?: string };

/** `token create NAME`: the token alone on standard output, so that it can go straight into a file. */
export async function createToken(
  session: Session,
  name: string,
  options: TokenCreateOptions,
): Promise<ExitCode> {
  const lifeMs = options.life === undefined ? undefined : parseDuration(options.life);
  if (options.life !== undefined && lifeMs === undefined)
    throw usage(`--life ${JSON.stringify(options.life)} is not a duration`, "like 24h or 90d");
  const client = await session.client();
  const created = await client.send("POST", "/v1/tokens", {
    name,
    scope: options.scope ?? "read",
    ...(lifeMs === undefined ? {} : { lifeMs }),
  });
  if (isWhole(session.format)) {
    await printValue(
      session.world,
      { apiVersion: shapeVersion, kind: "token", ...created },
      session.format,
    );
  } else {
    session.say(
      `token ${text(created, "id")} of scope ${text(created, "scope")}; it is not shown again:`,
    );
    session.world.stdout.write(`${text(created, "token")}\n`);
  }
  return exitCodes.done;
}

/** `token list`. */
export async function listTokens(session: Session): Promise<ExitCode> {
  const client = await session.client();
  const rows = parts(await client.get("/v1/tokens"), "items");
  await printRows(session.world, tokenPrintable, rows, session.format, session.manner());
  return exitCodes.done;
}

/** `token revoke ID…`. */
export async function revokeTokens(session: Session, ids: readonly string[]): Promise<ExitCode> {
  const client = await session.client();
  for (const id of ids) {
    // A whole token may be pasted; its public part is what the hub knows it by.
    const known = /^(wht_[a-z2-7]{8})_/.exec(id)?.[1] ?? id;
    await client.send("DELETE", `/v1/tokens/${encodeURIComponent(known)}`);
    session.say(`token ${known} is revoked`);
  }
  return exitCodes.done;
}
