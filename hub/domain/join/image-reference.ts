/** A container image as charts name it. */
export type ImageReference = {
  readonly repository: string;
  /** Empty when there is a digest. */
  readonly tag: string;
  /** `sha256:…`, or empty. */
  readonly digest: string;
};

/** `repository[:tag][@digest]`. A digest makes the tag superfluous; with neither it is what a cluster would pull. */
export function readImageReference(text: string): ImageReference {
  const [name = "", digest = ""] = text.split("@", 2);
  // A colon before the last slash belongs to the port of a registry.
  const [, repository = name, tag = ""] = /^(.+):([^/:]+)$/.exec(name) ?? [];
  if (digest !== "") return { repository, tag: "", digest };
  return { repository, tag: tag === "" ? "latest" : tag, digest: "" };
}

export const imageText = ({ repository, tag, digest }: ImageReference): string =>
  digest === "" ? `${repository}:${tag}` : `${repository}@${digest}`;
