import { withoutTrailingSlashes } from "../domain/trailing-slashes.ts";

/** Fields in which Git hosts put the URLs of a repository. */
const urlFields = [
  "url",
  "clone_url",
  "git_url",
  "ssh_url",
  "html_url",
  "git_http_url",
  "git_ssh_url",
  "http_url",
  "web_url",
  "homepage",
] as const;

const urlsMost = 64;

/** Every repository URL a push event names; empty when it names none. Reads nothing else of it. */
export function repositoryUrlsIn(body: unknown): readonly string[] {
  if (!isMap(body)) return [];
  const named = [body["repositories"], body["repository"], body["project"]].flatMap((value) =>
    Array.isArray(value) ? (value as readonly unknown[]) : [value],
  );
  const urls = named.flatMap((place): readonly unknown[] =>
    isMap(place) ? urlFields.map((field) => place[field]) : [place],
  );
  return [...new Set(urls.filter((url) => typeof url === "string"))]
    .filter(looksLikeUrl)
    .slice(0, urlsMost);
}

const looksLikeUrl = (text: string): boolean =>
  /^([a-z+]+:\/\/|[^\s/]+@[^\s/:@]+:)\S+$/i.test(text);

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * What two spellings of one repository have in common: host and path, without scheme, user, `.git` or the
 * ports that schemes imply. Too equal costs a look at a repository; too different would cost a poll's delay.
 */
export function repositoryIdentity(url: string): string {
  const short = /^[^\s/@]+@([^\s/:]+):(.+)$/.exec(url);
  const [host, path] =
    short === null ? partsOf(url) : [(short[1] ?? "").toLowerCase(), short[2] ?? ""];
  return `${host}/${withoutTrailingSlashes(path)
    .replace(/^\/+/, "")
    .replace(/\.git$/, "")}`;
}

function partsOf(url: string): readonly [host: string, path: string] {
  if (!URL.canParse(url)) return ["", url];
  const { protocol, hostname, host, pathname } = new URL(url);
  return [/^(git\+)?ssh:$/.test(protocol) ? hostname : host, pathname];
}
