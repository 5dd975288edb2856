import { eventually } from "../eventually.ts";
import type { Moment, SeenRequest } from "./request-proxy.ts";
import type { Squad, SquadMember } from "./squad.ts";

/** Where a spoke is to die: at the nth request to its API server from the moment it is armed. */
export type Step = { readonly nth: number; readonly moment: Moment };

export const stepsUpTo = (count: number): readonly Step[] =>
  Array.from({ length: count }, (_, at) => at + 1).flatMap((nth): Step[] => [
    { nth, moment: "before" },
    { nth, moment: "after" },
  ]);

/** Has the spoke killed at this step. Returns the request it died at; `undefined` when it was well before it got that far. */
export async function strike(
  { requests, member, settledNow, checkNothingAcknowledgedIsLost }: SquadMember,
  { nth, moment }: Step,
  begin: () => void | Promise<void>,
): Promise<SeenRequest | undefined> {
  let struck: Promise<void> | undefined;
  const failpoint = requests.strikeAt(nth, moment, () => {
    struck = member.spoke.kill();
  });
  await begin();
  await eventually(
    async () => {
      if (failpoint.met() === undefined) await settledNow();
    },
    { withinMs: 60_000, everyMs: 20, what: `${member.name} struck ${moment} request ${nth}` },
  );
  failpoint.disarm();
  const met = failpoint.met();
  if (met === undefined) return undefined;
  // The request may be under way yet: it is struck when the API server has answered it.
  await eventually(async () => {
    if (struck === undefined) throw new Error(`${met.method} ${met.path} is not answered`);
    await struck;
  });
  await checkNothingAcknowledgedIsLost();
  return met;
}

/** How many requests a round takes: of a spoke that runs, and of one that starts while the round is pushed. */
export async function measureSteps(
  squad: Squad,
): Promise<{ readonly warm: number; readonly cold: number }> {
  const [one] = squad.members;
  if (one === undefined) throw new TypeError("the squad has no members");
  const requestsOf = async (work: () => Promise<void>): Promise<number> => {
    const before = one.requests.seen().length;
    await work();
    await squad.pushRound();
    await squad.checkAll();
    return one.requests.seen().length - before;
  };
  await squad.checkAll();
  const warm = await requestsOf(async () => {});
  const cold = await requestsOf(async () => {
    await one.killSpoke();
    one.startSpoke();
  });
  return { warm, cold };
}
