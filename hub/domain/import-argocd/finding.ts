/** What an import has to say about one thing. */
export type Finding = {
  /**
   * `differs`: it is carried over, and something of it is not the same here. `left-out`: it is not carried
   * over. `to-do`: a person must do something. `note`: good to know.
   */
  readonly verdict: "differs" | "left-out" | "to-do" | "note";
  readonly kind:
    | "ApplicationSet"
    | "Application"
    | "AppProject"
    | "Cluster"
    | "Repository"
    | "File";
  readonly name: string;
  /** One sentence, without anything a Secret holds. */
  readonly reason: string;
};

/** Text that may hold an address, without the user and password inside of it. */
export const withoutUserInfo = (text: string): string =>
  text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s"']*@/gi, "$1…@");
