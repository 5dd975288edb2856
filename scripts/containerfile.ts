/** Reads a Containerfile as far as ours goes, and says what is wrong with it. */

export type Step = {
  readonly line: number;
  /** In capitals. */
  readonly word: string;
  /** `--name=value` right after the word. */
  readonly flags: Readonly<Record<string, string>>;
  /** The rest of the line. */
  readonly text: string;
};

export type Stage = {
  readonly image: string;
  /** Empty for the last one. */
  readonly name: string;
  readonly steps: readonly Step[];
};

/** Throws on a line that is no instruction. Comments and empty lines are left out; lines are not continued. */
export function readContainerfile(text: string): readonly Stage[] {
  const stages: { image: string; name: string; steps: Step[] }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const match = /^([A-Z]+)((?:\s+--[a-z]+=\S+)*)\s+(.*)$/.exec(line);
    if (match === null) throw new SyntaxError(`line ${index + 1} is no instruction: ${line}`);
    const [, word = "", flagText = "", rest = ""] = match;
    const flags = Object.fromEntries(
      [...flagText.matchAll(/--([a-z]+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]),
    );
    if (word === "FROM") {
      const [image = "", , name = ""] = rest.split(/\s+/);
      stages.push({ image, name, steps: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new SyntaxError(`line ${index + 1} comes before any FROM`);
    stage.steps.push({ line: index + 1, word, flags, text: rest });
  }
  return stages;
}

const known = new Set("WORKDIR COPY RUN ENV USER LABEL EXPOSE VOLUME ENTRYPOINT".split(" "));

/** What is wrong, a sentence each, with its line. */
export function containerfileProblems(stages: readonly Stage[]): readonly string[] {
  const problems: string[] = [];
  const names = new Set(stages.map(({ name }) => name).filter((name) => name !== ""));
  for (const { image, steps } of stages) {
    if (!/:[^:/]+$/.test(image) || image.endsWith(":latest"))
      problems.push(`image ${image} is not pinned to a tag`);
    if (!/^[a-z0-9.-]+\.[a-z]+\//.test(image)) problems.push(`image ${image} names no registry`);
    for (const step of steps) {
      const say = (problem: string): number => problems.push(`line ${step.line}: ${problem}`);
      const { word, flags, text } = step;
      if (!known.has(word)) say(`${word} is not for this file`);
      if (word === "RUN" && /(^|\s)\/\S/.test(text))
        say("RUN takes relative paths, so that it can be tried without a container");
      if (word === "RUN" && /\b(apt-get|apk|curl|wget|sudo)\b/.test(text))
        say("RUN needs nothing that is not in the image already");
      if (word === "RUN" && /\bnpm (ci|install)\b/.test(text) && !text.includes("--ignore-scripts"))
        say("npm runs no scripts of packages");
      if (word === "COPY" && flags["from"] !== undefined && !names.has(flags["from"]))
        say(`there is no stage ${flags["from"]}`);
      if (/(token|password|secret)\s*=/i.test(text)) say("a secret has no place in an image");
    }
  }
  return [...problems, ...problemsOfResult(stages.at(-1))];
}

function problemsOfResult(stage: Stage | undefined): readonly string[] {
  if (stage === undefined) return ["there is no stage"];
  const of = (word: string): readonly Step[] => stage.steps.filter((step) => step.word === word);
  const problems: string[] = [];
  if (stage.name !== "") problems.push("the last stage is the image, and needs no name");
  if (!stage.image.includes("distroless")) problems.push("the image has a shell or may have one");
  if (of("RUN").length > 0) problems.push("the image has no shell to RUN anything with");
  if (of("COPY").some(({ flags }) => flags["from"] === undefined))
    problems.push("the image holds what was built, and nothing from the sources");
  if (of("COPY").some(({ flags }) => flags["chown"] !== undefined))
    problems.push("whoever runs the image must not own what it runs");
  if (!/^[1-9]\d*:[1-9]\d*$/.test(of("USER").at(-1)?.text ?? ""))
    problems.push("the image runs as a number that is not 0, so that clusters can check it");
  if (!(of("ENTRYPOINT").at(-1)?.text ?? "").startsWith("["))
    problems.push("ENTRYPOINT is a list of words: there is no shell to read a sentence");
  return problems;
}
