// What @asyncapi/parser says of each file, as a JSON list: node parse_asyncapi.cjs FILE...
"use strict";

const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

async function told(path) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"));
  return {
    // Severities: 0 error, 1 warning, 2 information, 3 hint.
    diagnostics: diagnostics.map(({ code, severity, path }) => ({ code, severity, where: path.join("/") })),
    channels: document ? document.channels().all().map((channel) => channel.address()) : null,
    messages: document ? document.allMessages().all().map((message) => message.name()) : null,
  };
}

Promise.all(process.argv.slice(2).map(told)).then((found) => process.stdout.write(JSON.stringify(found)));
