// SPDX-License-Identifier: Apache-2.0
// OpenAI's client for Python, which script/lib/fetch-test-clients puts into LANEROPE_PYTHON_CLIENT where pip is to be had.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { startServer } from "./server.mjs";

const packages = process.env.LANEROPE_PYTHON_CLIENT;

test("OpenAI's client for Python", { skip: !existsSync(`${packages}/openai`) && "it could not be fetched" }, async () => {
  const { base } = await startServer(["--budget", "24"]);
  const client = new URL("openai_client.py", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)("python3", [client, base], { env: { ...process.env, PYTHONPATH: packages } });
  assert.equal(stdout, "ok\n");
});
