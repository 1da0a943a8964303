// SPDX-License-Identifier: Apache-2.0
// A request as a link. It is in the fragment, which browsers never send: the server does not see it. Whoever opens it gets the
// request into the form and runs it himself. A link is a stranger's text: what is not of the right form is left out or refused.

const mark = "#request=";
const version = 1;
const longest = 64 * 1024;  // characters; browsers and chats cut longer ones

function toText(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

// request: {earlier: [{role, content}], prompt, files: [{name, text}], settings}. Throws a sentence where it is too long.
export function linkTo(request) {
  const files = request.files.map(({ name, text }) => ({ name, text }));
  const bytes = new TextEncoder().encode(JSON.stringify({ version, ...request, files }));
  const link = location.href.split("#")[0] + mark + toText(bytes);
  if (link.length > longest) throw new Error("This request is too long for a link; export the conversation instead.");
  return link;
}

const isText = (value) => typeof value === "string";

// [{role, content}] as turns.
const turnsOf = (messages) => messages.flatMap(({ role, content }, k) => {
  const answer = messages[k + 1];
  return role === "user" && answer?.role === "assistant" ? [{ prompt: content, files: [], reply: answer.content }] : [];
});

// The request of a fragment, or null where it has none. Throws a sentence where it cannot be read.
export function requestOf(fragment) {
  if (!fragment.startsWith(mark)) return null;
  try {
    const read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(toBytes(fragment.slice(mark.length))));
    if (read.version !== version || !isText(read.prompt)) throw new TypeError("not a request");
    const earlier = (read.earlier ?? []).filter(({ role, content }) => ["user", "assistant"].includes(role) && isText(content));
    const files = (read.files ?? []).filter(({ name, text }) => isText(name) && isText(text))
      .map(({ name, text }) => ({ name, text, bytes: new TextEncoder().encode(text).length }));
    return { earlier: turnsOf(earlier), prompt: read.prompt, files, settings: Object(read.settings) };
  } catch {
    throw new Error("The request in this link cannot be read; was the link cut off?");
  }
}
