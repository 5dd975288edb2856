const whole = /^[0-9a-f]{40}$/;
const partial = /^[0-9a-f]{7,39}$/;

/** Whether a revision is the id of one commit, which never moves. */
export const isWholeId = (revision: string): boolean => whole.test(revision);

/** Whether a revision may be the beginning of a commit's id. It may as well be the name of a branch. */
export const isPartialId = (revision: string): boolean => partial.test(revision);
