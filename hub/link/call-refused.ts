import { status } from "@grpc/grpc-js";
import { codedText, linkCodes, type LinkCode } from "../../proto/words/coded.ts";

/**
 * A call that is answered with a refusal.
 *
 * The statuses keep their meaning: UNAUTHENTICATED means enroll again, FAILED_PRECONDITION that a newer
 * session took over or that this pair cannot talk, RESOURCE_EXHAUSTED slow down, UNAVAILABLE back off.
 */
export class CallRefused extends Error {
  override readonly name = "CallRefused";
  readonly status: status;

  constructor(code: status, problem: string) {
    super(problem);
    this.status = code;
  }
}

export const refused = (code: status, problem: LinkCode, sentence: string): CallRefused =>
  new CallRefused(code, codedText(problem, sentence));

export const badMessage = (problem: string): CallRefused =>
  refused(status.INVALID_ARGUMENT, linkCodes.badMessage, problem);
