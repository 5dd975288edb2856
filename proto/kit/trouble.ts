/** Something outside failed and waiting may help. Everything else that is thrown is a bug. */
export class Trouble extends Error {
  override readonly name: string = "Trouble";
}

/** What was asked is not permitted to whom we asked as. It heals when somebody grants it. */
export class NotPermitted extends Trouble {
  override readonly name = "NotPermitted";
}

/** A sentence for logs and people: the error's message and those of its causes, outermost first. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  // Causes can, in theory, be circular; five levels tell every story we have.
  for (let depth = 0; depth < 5 && current !== undefined; depth += 1) {
    if (!(current instanceof Error)) {
      parts.push(typeof current === "string" ? current : JSON.stringify(current));
      break;
    }
    parts.push(current.message === "" ? current.name : current.message);
    current = current.cause;
  }
  return parts.join(": ");
}
