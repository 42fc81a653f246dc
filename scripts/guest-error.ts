/** Why there is no guest: the machine lacks something, or the file is not what it should be. The message says what to do. */
export class GuestError extends Error {
  override readonly name = 'GuestError';
}
