import { status, type ServiceError } from "@grpc/grpc-js";
import type { Result } from "../../proto/kit/result.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { codeOfText, linkCodes } from "../../proto/words/coded.ts";
import type { LinkProblem, Loss } from "../domain/link.ts";

/** The hub could not be reached, or did not do what it was asked; `loss` says which and what may help. */
export class HubError extends Trouble {
  override readonly name = "HubError";
  readonly loss: Loss;

  constructor(loss: Loss, cause?: unknown) {
    super(loss.problem.sentence, { cause });
    this.loss = loss;
  }
}

export const hubAway = (code: string, sentence: string, cause?: unknown): HubError =>
  new HubError({ kind: "away", problem: { code, sentence } }, cause);

export const hubRefuses = (code: string, sentence: string): HubError =>
  new HubError({ kind: "refused", problem: { code, sentence } });

/** Code of losses that have no story of their own: the network, a hub that restarts. */
export const hubAwayCode = "WH-LINK-2200";

/** What was read from the hub's answer. Throws HubError when it could not be read. */
export function understood<T>(read: Result<T, string>): T {
  if (!read.ok) throw hubAway(linkCodes.badMessage, read.problem);
  return read.value;
}

/** What an error of a dial, a call or a stream means for the link. */
export function explainLoss(error: unknown): Loss {
  if (error instanceof HubError) return error.loss;
  if (!isServiceError(error)) {
    return { kind: "away", problem: { code: hubAwayCode, sentence: describeError(error) } };
  }
  const problem = problemOf(error);
  switch (error.code) {
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return { kind: "refused", problem };
    case status.FAILED_PRECONDITION:
      return { kind: problem.code === linkCodes.sharedIdentity ? "replaced" : "away", problem };
    case status.INVALID_ARGUMENT:
      // A token that is not one will not become one.
      return { kind: problem.code === linkCodes.tokenMalformed ? "refused" : "away", problem };
    default:
      return { kind: "away", problem };
  }
}

function problemOf({ code, details }: ServiceError): LinkProblem {
  const coded = codeOfText(details);
  if (coded !== undefined) return coded;
  if (code === status.UNAVAILABLE) return tlsProblem(details);
  return { code: hubAwayCode, sentence: `${status[code] ?? code}: ${details}` };
}

/** OpenSSL's words for a server certificate that does not lead to the CA we pinned. */
const otherHub =
  /self[- ]signed certificate|unable to get (local )?issuer certificate|unable to verify the first certificate|certificate signature failure|altnames|unsuitable certificate purpose/i;
const notNow = /certificate has expired|certificate is not yet valid/i;

/** What a failed connection says of the hub's certificate, if that is what failed. */
export function tlsProblem(details: string): LinkProblem {
  if (otherHub.test(details))
    return {
      code: linkCodes.otherHub,
      sentence: `the hub's certificate is not signed by the hub this spoke joined (${details})`,
    };
  if (notNow.test(details))
    return {
      code: linkCodes.clockSkew,
      sentence: `the hub's certificate is not valid at this machine's time, ${new Date().toISOString()}; compare the clocks (${details})`,
    };
  return { code: hubAwayCode, sentence: details };
}

/** What a call failed with, as HubError. Anything else is no failure of the call, and stays what it is. */
export const hubErrorOf = (error: unknown): unknown =>
  isServiceError(error) ? new HubError(explainLoss(error)) : error;

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error &&
  "code" in error &&
  typeof error.code === "number" &&
  "details" in error &&
  typeof error.details === "string";
