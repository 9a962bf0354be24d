/** A failure whose text is all the person at the terminal needs: shown without a stack trace. */
export class Failure extends Error {
  override name = "Failure";
}
