/** Words of commands that a user may copy: as his shell will read them. */

/** The word itself, or in quotes if a shell would take it for something else. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./~-]+$/.test(word) && !word.startsWith('~') ? word : `'${word.replaceAll("'", "'\\''")}'`;
