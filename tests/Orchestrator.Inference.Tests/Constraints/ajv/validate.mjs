// Reads lines of {"schema": …, "texts": ["json text", …]} and answers each with a line [true, false, …]:
// whether each text is JSON and valid under the schema. An invalid schema answers with {"error": …}.
import { createInterface } from "node:readline";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  let answer;
  try {
    const { schema, texts } = JSON.parse(line);
    const ajv = new Ajv({ strict: false, validateFormats: true });
    addFormats(ajv);
    const validate = ajv.compile(schema);
    answer = texts.map((text) => {
      let value;
      try {
        value = JSON.parse(text);
      } catch {
        return false;
      }
      return validate(value);
    });
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
