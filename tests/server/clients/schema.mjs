// SPDX-License-Identifier: Apache-2.0
// Checks values against the schemas of the server's own OpenAPI file. From loadSchemas() on, every JSON response that
// comes through fetch() is checked against what the file says of its path, method and status; events are checked by the
// tests that read them.

import Ajv from "ajv/dist/2020.js";

const plainFetch = globalThis.fetch;

// What was checked so far, as "get /props 200", and "get /props error" for every status from 400.
export const checked = new Set();

const matches = (pattern, path) =>
  new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll(/\{[^}]+\}/g, "[^/]+")}$`).test(path);

// What the document says of a response, as a pointer into it; errors have one form wherever they come from.
function schemaOf(document, { method, path, status }) {
  const pattern = Object.keys(document.paths).find((one) => matches(one, path));
  const responses = document.paths[pattern]?.[method]?.responses;
  checked.add(`${method} ${pattern} ${status < 400 ? status : "error"}`);
  if (status >= 400) return { $ref: "api#/components/schemas/Error" };
  const schema = responses?.[status]?.content?.["application/json"]?.schema;
  if (!schema) throw new Error(`the OpenAPI file says nothing of ${method} ${path} with status ${status} as JSON`);
  return schema.$ref ? { $ref: `api${schema.$ref}` } : schema;
}

export async function loadSchemas(base) {
  const document = await (await plainFetch(`${base}/openapi.json`)).json();
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addSchema(document, "api");
  const complain = (name, value) => {
    throw new Error(`${name}: ${ajv.errorsText()} in ${JSON.stringify(value).slice(0, 600)}`);
  };
  const check = (name, value) => {
    if (!ajv.validate(`api#/components/schemas/${name}`, value)) complain(name, value);
    return value;
  };
  globalThis.fetch = async (resource, options = {}) => {
    const response = await plainFetch(resource, options);
    const url = new URL(resource.url ?? resource);
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    if (!isJson || !url.hostname.startsWith("127.")) return response;
    const method = (options.method ?? "GET").toLowerCase();
    const text = await response.text();  // once, and handed on: clones of many responses are lost to Node's collector
    const value = JSON.parse(text);
    const place = { method, path: url.pathname, status: response.status };
    if (!ajv.validate(schemaOf(document, place), value)) complain(JSON.stringify(place), value);
    return new Response(text, { status: response.status, headers: response.headers });
  };
  return { document, check };
}
