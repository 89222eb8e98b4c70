// What openapi-diff says of each later document against the first: a JSON list, one object for each.
// Run by openapi_diff.py: node openapi_diff.cjs EARLIER LATER...
"use strict";

const { readFileSync } = require("node:fs");
const { diffSpecs } = require("openapi-diff");

const read = (path) => ({ content: readFileSync(path, "utf8"), location: path, format: "openapi3" });

async function main([earlier, ...later]) {
  const source = read(earlier);
  const found = [];
  for (const path of later) {
    const { breakingDifferencesFound, breakingDifferences } = await diffSpecs({
      sourceSpec: source,
      destinationSpec: read(path),
    });
    const places = (one) => [...one.sourceSpecEntityDetails, ...one.destinationSpecEntityDetails];
    const told = (one) => ({ code: one.code, where: places(one).map((place) => place.location) });
    found.push(breakingDifferencesFound ? breakingDifferences.map(told) : []);
  }
  process.stdout.write(JSON.stringify(found));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
