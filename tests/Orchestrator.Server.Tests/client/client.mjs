// Exercises the server as a user of the openai package would; prints one JSON object.
import OpenAI from 'openai';

const [url, token] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
const result = {};

result.models = (await client.models.list()).data.map(m => m.id);

const answer = await client.chat.completions.create({
  model: result.models[0], messages: [{ role: 'user', content: 'plain' }], logprobs: true, top_logprobs: 2 });
result.plain = { text: answer.choices[0].message.content, finish: answer.choices[0].finish_reason, usage: answer.usage, logprobs: answer.choices[0].logprobs };

let streamed = '';
let usage = null;
const stream = await client.chat.completions.create({
  model: result.models[0], messages: [{ role: 'user', content: 'plain' }], stream: true, stream_options: { include_usage: true } });
for await (const chunk of stream) {
  streamed += chunk.choices[0]?.delta?.content ?? '';
  usage = chunk.usage ?? usage;
}
result.streamed = { text: streamed, usage };

const tools = [{ type: 'function', function: { name: 'weather', description: 'Tells the weather.', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } }];
const messages = [{ role: 'user', content: 'call' }];
const call = await client.chat.completions.create({ model: result.models[0], messages, tools, tool_choice: 'required' });
messages.push(call.choices[0].message, { role: 'tool', tool_call_id: call.choices[0].message.tool_calls[0].id, content: 'sunny' });
const after = await client.chat.completions.create({ model: result.models[0], messages, tools });
result.tool = { finish: call.choices[0].finish_reason, function: call.choices[0].message.tool_calls[0].function, after: after.choices[0].message.content };

const calls = client.chat.completions.stream({ model: result.models[0], messages: [{ role: 'user', content: 'call' }], tools, tool_choice: 'required' });
result.streamedTool = (await calls.finalChatCompletion()).choices[0].message.tool_calls[0].function;

const json = await client.chat.completions.create({
  model: result.models[0], messages: [{ role: 'user', content: 'json' }],
  response_format: { type: 'json_schema', json_schema: { name: 'point', schema: { type: 'object', properties: { x: { type: 'integer' } }, required: ['x'] } } } });
result.json = JSON.parse(json.choices[0].message.content);

async function refusal(action) {
  try { await action(); return null; } catch (e) { return { status: e.status, message: e.message, param: e.param }; }
}
result.noSuchModel = await refusal(() => client.chat.completions.create({ model: 'nobody', messages }));
result.badTemperature = await refusal(() => client.chat.completions.create({ model: result.models[0], messages, temperature: 9 }));
result.unknownOption = await refusal(() => client.chat.completions.create({ model: result.models[0], messages, audio: {} }));
result.noToken = await refusal(() => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'wrong', maxRetries: 0 }).models.list());

console.log(JSON.stringify(result));
