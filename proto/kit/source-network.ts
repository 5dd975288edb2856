/**
 * What limits go by: an IPv4 address, or the /64 of an IPv6 one, which is what one customer gets.
 *
 * Takes an address as node tells it, an IPv4 one inside IPv6 too. Anything else is one network of its own.
 */
export function sourceNetwork(address: string | undefined): string {
  const text = (address ?? "").replace(/%.*$/, "").toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  if (!text.includes(":")) return text === "" ? "unknown" : text;
  const [head = "", tail] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: gap }, () => "0"), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
