import { cutting, FunctionError, takes, type TemplateFunction } from "../function.ts";
import { isGoMap, type GoMap, type GoValue } from "../value.ts";
import { bytesOf, textOfBytes } from "../bytes.ts";

/** Paths with slashes, and URLs. */

/** path.Clean: the shortest path that means the same, without asking any file system. */
function cleanPath(path: string): string {
  if (path === "") return ".";
  const rooted = path.startsWith("/");
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") kept.push(segment);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push("..");
  }
  const joined = kept.join("/");
  if (rooted) return `/${joined}`;
  return joined === "" ? "." : joined;
}

function baseOf(path: string): string {
  if (path === "") return ".";
  const trimmed = path.replace(/(?<!\/)\/+$/, "");
  if (trimmed === "" || /^\/+$/.test(trimmed)) return "/";
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

const dirOf = (path: string): string => cleanPath(path.slice(0, path.lastIndexOf("/") + 1));

function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot === -1 ? "" : name.slice(dot);
}

const base = takes(["string"], ([path]) => baseOf(path));
const dir = takes(["string"], ([path]) => dirOf(path));
const clean = takes(["string"], ([path]) => cleanPath(path));
const ext = takes(["string"], ([path]) => extensionOf(path));
const isAbs = takes(["string"], ([path]) => path.startsWith("/"));

export const pathFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["base", base],
  ["dir", dir],
  ["clean", clean],
  ["ext", ext],
  ["isAbs", isAbs],
  ["osBase", base],
  ["osDir", dir],
  ["osClean", clean],
  ["osExt", ext],
  ["osIsAbs", isAbs],
  ["urlParse", cutting(takes(["string"], ([text]) => urlMap(text)))],
  ["urlJoin", takes(["map"], ([parts]) => joinUrl(parts))],
];

type Url = {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly opaque: string;
  readonly fragment: string;
  readonly userinfo: string;
};

function parseUrl(text: string): Url {
  const bad = (reason: string): FunctionError =>
    new FunctionError(`unable to parse url: parse ${JSON.stringify(text)}: ${reason}`);
  if (/[\x00-\x1f\x7f]/.test(text)) throw bad("net/url: invalid control character in URL");
  const [beforeFragment, fragment] = cut(text, "#");
  const schemed = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(beforeFragment);
  if (schemed === null && beforeFragment.startsWith(":")) throw bad("missing protocol scheme");
  const scheme = (schemed?.[1] ?? "").toLowerCase();
  const rest = schemed?.[2] ?? beforeFragment;
  const [beforeQuery, query] = cut(rest, "?");
  const opaque = scheme !== "" && !beforeQuery.startsWith("/") ? beforeQuery : "";
  if (scheme === "" && !beforeQuery.startsWith("/") && /^[^/]*:/.test(beforeQuery))
    throw bad("first path segment in URL cannot contain colon");
  let userinfo = "";
  let host = "";
  let path = opaque === "" ? beforeQuery : "";
  if (path.startsWith("//") && (scheme !== "" || !path.startsWith("///"))) {
    const authority = path.slice(2).split("/")[0] ?? "";
    path = path.slice(2 + authority.length);
    const at = authority.lastIndexOf("@");
    userinfo = at === -1 ? "" : authority.slice(0, at);
    host = authority.slice(at + 1);
    if (/[ <>"]/.test(host))
      throw bad(`invalid character ${JSON.stringify(/[ <>"]/.exec(host)?.[0])} in host name`);
    const port = /:([^\]:]*)$/.exec(host)?.[1];
    if (port !== undefined && !/^[0-9]*$/.test(port))
      throw bad(`invalid port ${JSON.stringify(`:${port}`)} after host`);
  }
  const unescaped = unescapePercent(path);
  if (unescaped === undefined)
    throw bad(
      `invalid URL escape ${JSON.stringify(/%(?![0-9a-fA-F]{2}).{0,2}/s.exec(path)?.[0] ?? "%")}`,
    );
  return {
    scheme,
    host,
    path: unescaped,
    query,
    opaque,
    fragment: unescapePercent(fragment) ?? fragment,
    userinfo,
  };
}

function unescapePercent(text: string): string | undefined {
  if (!text.includes("%")) return text;
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  return textOfBytes(
    bytesOf(text).replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
  );
}

function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

function urlMap(text: string): GoValue {
  const url = parseUrl(text);
  const hostname = /^\[(.*)\]/.exec(url.host)?.[1] ?? url.host.replace(/:[0-9]*$/, "");
  return new Map<string, GoValue>([
    ["scheme", url.scheme],
    ["host", url.host],
    ["hostname", hostname],
    ["path", url.path],
    ["query", url.query],
    ["opaque", url.opaque],
    ["fragment", url.fragment],
    ["userinfo", url.userinfo],
  ]);
}

function joinUrl(parts: GoMap): string {
  const part = (name: string): string => {
    const value = parts.get(name) ?? "";
    if (typeof value === "string") return value;
    throw new FunctionError(`unable to parse ${name} key, must be of type string`);
  };
  const [scheme, host, path, query, opaque, fragment] = [
    "scheme",
    "host",
    "path",
    "query",
    "opaque",
    "fragment",
  ].map(part);
  const userinfo = isGoMap(parts) ? part("userinfo") : "";
  let text = scheme === "" ? "" : `${scheme}:`;
  if (opaque !== "") text += opaque;
  else {
    const authority = (userinfo === "" ? "" : `${userinfo}@`) + (host ?? "");
    if (authority !== "" || scheme !== "")
      text += authority === "" && path?.startsWith("/") !== true ? "" : `//${authority}`;
    const escaped = escapePath(path ?? "");
    if (escaped !== "" && !escaped.startsWith("/") && authority !== "") text += "/";
    text += escaped;
  }
  if (query !== "") text += `?${query}`;
  if (fragment !== "") text += `#${escapePath(fragment ?? "")}`;
  return text;
}

const escapePath = (path: string): string =>
  bytesOf(path).replace(
    /[^-A-Za-z0-9_.~$&+,/:;=@!'()*[\]]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
