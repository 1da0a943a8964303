// SPDX-License-Identifier: Apache-2.0
// The server's API: JSON requests, and server-sent events of a POST.

import { keepKey, keptKey } from "./store.js";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let apiKey = keptKey();

export function setApiKey(key) {
  apiKey = key;
  keepKey(key);
}

function headers(body) {
  const result = {};
  if (apiKey) result.Authorization = `Bearer ${apiKey}`;
  if (body !== undefined) result["Content-Type"] = "application/json";
  return result;
}

async function send(method, path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: headers(body),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached. Is it still running?");
  }
  if (response.ok) return response;
  let message = `The server answered ${response.status}.`;
  try {
    message = (await response.json()).error.message;
  } catch {
    // Not one of our errors: the status has to do.
  }
  throw new ApiError(response.status, message.charAt(0).toUpperCase() + message.slice(1));
}

export async function request(method, path, body, signal) {
  const response = await send(method, path, body, signal);
  return response.json();
}

// Yields the data of each event. Throws an ApiError if the stream breaks off.
export async function* events(path, body, signal) {
  const response = await send("POST", path, body, signal);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let pending = "";
  while (true) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, "The server went away. What the lanes had written is still here.");
    }
    if (part.done) return;
    const blocks = (pending + decoder.decode(part.value, { stream: true })).split("\n\n");
    pending = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (data) yield JSON.parse(data);
    }
  }
}
