// Server-sent events, read from a stream that carried a token: EventSource cannot send one.

/**
 * A reader of the format of the standard, fed with whatever pieces arrive.
 *
 * @param {(event: string, data: string) => void} hear
 * @returns {(piece: string) => void}
 */
export function createReader(hear) {
  let rest = "";
  let name = "";
  /** @type {string[]} */
  let data = [];

  /** @param {string} line */
  function read(line) {
    if (line === "") {
      if (data.length) hear(name || "message", data.join("\n"));
      [name, data] = ["", []];
      return;
    }
    const at = line.indexOf(":");
    const field = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }

  return (piece) => {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) read(line);
  };
}

/**
 * Read a response to its end.
 *
 * @param {Response} response
 * @param {(event: string, data: string) => void} hear
 */
export async function readEvents(response, hear) {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  const feed = createReader(hear);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    feed(decoder.decode(value, { stream: true }));
  }
}
