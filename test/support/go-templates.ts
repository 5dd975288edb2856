import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { toolPath } from "./control-plane/binaries.ts";

/** What Go makes of a template: its output, where it failed, or the end of Go's own process. */
export type GoAnswer =
  | { readonly output: string }
  | { readonly stage: "parse" | "execute"; readonly error: string }
  | { readonly stage: "crash" };

/** Asks Go's text/template with sprig, in order. A question that ends the process is answered with a crash. */
export async function askGo(questions: readonly unknown[]): Promise<readonly GoAnswer[]> {
  const answers: GoAnswer[] = [];
  while (answers.length < questions.length) {
    const before = answers.length;
    answers.push(...(await answersOfOneProcess(questions.slice(before))));
    if (answers.length < questions.length) answers.push({ stage: "crash" });
  }
  return answers;
}

async function answersOfOneProcess(questions: readonly unknown[]): Promise<readonly GoAnswer[]> {
  const child = spawn(toolPath("go-templates"), {
    stdio: ["pipe", "pipe", "ignore"],
    // Times without a zone are in the local one.
    env: { ...process.env, TZ: "UTC" },
  });
  // A process that ends early closes its pipe under us; the missing answers say so.
  child.stdin.on("error", () => undefined);
  child.stdin.end(questions.map((question) => JSON.stringify(question)).join("\n"));
  const answers: GoAnswer[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    try {
      answers.push(JSON.parse(line) as GoAnswer);
    } catch {
      // The last words of a process that was cut short.
      break;
    }
  }
  return answers;
}
