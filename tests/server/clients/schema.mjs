// SPDX-License-Identifier: Apache-2.0
// Checks values against the schemas of the server's own OpenAPI file.

import Ajv from "ajv/dist/2020.js";

export async function loadSchemas(base) {
  const document = await (await fetch(`${base}/openapi.json`)).json();
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addSchema(document, "api");
  const check = (name, value) => {
    const valid = ajv.validate(`api#/components/schemas/${name}`, value);
    if (!valid) throw new Error(`${name}: ${ajv.errorsText()} in ${JSON.stringify(value).slice(0, 600)}`);
    return value;
  };
  return { document, check };
}
