// What is wrong with a polygon or its file, in words for people.

export class AreaError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "AreaError";
  }
}
