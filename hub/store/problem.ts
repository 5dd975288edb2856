import type { Problem } from "../domain/records.ts";
import type { ProblemColumns } from "./tables.ts";

export const problemToRow = (problem: Problem | undefined): ProblemColumns => ({
  problem_code: problem?.code ?? null,
  problem_message: problem?.message ?? null,
  problem_since_ms: problem?.sinceMs ?? null,
});

export const problemFromRow = (row: ProblemColumns): Problem | undefined =>
  row.problem_code === null
    ? undefined
    : {
        code: row.problem_code,
        message: row.problem_message ?? "",
        sinceMs: row.problem_since_ms ?? 0,
      };
