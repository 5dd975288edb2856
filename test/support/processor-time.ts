/** Processor time of this process so far. Other programs on the machine do not count, as they would by the clock. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** What was made to be slow takes far less than this, or, where it finds what it looks for, minutes. */
export const quickMs = 2_000;
