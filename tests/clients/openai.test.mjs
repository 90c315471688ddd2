// The openai client as its users use it, through the gateway: what it returns, what it throws, how it stops.
// Started by run_client_test, which starts the programs.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import OpenAI, { AzureOpenAI, toFile } from 'openai';
import { apiKey, checkTheWhole, collect, eventually, gatewayURL, noise, received, receivedByEach, receivedFor, rejects, sentFor, setFaults, sha256, times } from './support.mjs';

const baseURL = `${gatewayURL}/v1`;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 });
/** What one session makes stays at one account, also where no id says so. */
const inSession = (name) => client.withOptions({ defaultHeaders: { 'session-id': name } });

const model = 'gpt-5';
const messages = [{ role: 'user', content: 'Say a few words.' }];
/** A model of this name makes the mock fail in that way. */
const faulty = (fault) => `alone-mock-${fault}`;
const parameters = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'], additionalProperties: false };
const chatTool = { type: 'function', function: { name: 'walk', parameters } };
const responsesTool = { type: 'function', name: 'walk', parameters, strict: true };

/** A second account does not know what the first one made: an attempt at the wrong one is a 404. So many make it sure. */
const kSeveral = 6;

describe('responses', () => {
    test('create returns the answer, its text and its usage', async () => {
        const response = await client.responses.create({ model, input: 'hi', max_output_tokens: 500 });
        assert.equal(response.object, 'response');
        assert.equal(response.status, 'completed');
        assert.equal(response.model, model);
        assert.ok(response.output_text.length > 0);
        assert.equal(response.usage.output_tokens, 16);
        assert.equal(response.usage.total_tokens, response.usage.input_tokens + response.usage.output_tokens);
        assert.match(response._request_id, /^req_/);
    });

    test('a model goes by the name its users know', async () => {
        const response = await client.responses.create({ model: 'house-model', input: 'hi' });
        assert.equal(response.model, 'house-model');
        const events = await collect(await client.responses.create({ model: 'house-model', input: 'hi', stream: true }));
        for (const event of events.filter((e) => e.response)) assert.equal(event.response.model, 'house-model');
        assert.equal((await receivedFor('gpt-5-real')).length, 2);
        assert.equal((await receivedFor('house-model')).length, 0);
    });

    test('a stream has every event, in order, and its text is that of its end', async () => {
        const events = await collect(await client.responses.create({ model, input: 'hi', stream: true }));
        assert.equal(events[0].type, 'response.created');
        assert.equal(events.at(-1).type, 'response.completed');
        assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i));
        const text = events.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join('');
        const { response } = events.at(-1);
        assert.equal(text, response.output[0].content[0].text);
        assert.equal(response.usage.output_tokens, 16);
    });

    test('the stream helper gathers the final response', async () => {
        const stream = client.responses.stream({ model, input: 'hi' });
        let deltas = '';
        stream.on('response.output_text.delta', (event) => {
            deltas += event.delta;
        });
        const response = await stream.finalResponse();
        assert.equal(response.status, 'completed');
        assert.equal(response.output_text, deltas);
    });

    test('an answer at its limit of tokens is incomplete, and no error', async () => {
        const response = await client.responses.create({ model, input: 'hi', max_output_tokens: 4 });
        assert.equal(response.status, 'incomplete');
        assert.equal(response.incomplete_details.reason, 'max_output_tokens');
    });

    test('a tool is called, whole and as a stream', async () => {
        const asked = { model, input: 'hi', tools: [responsesTool], tool_choice: { type: 'function', name: 'walk' } };
        const [call] = (await client.responses.create(asked)).output;
        assert.equal(call.type, 'function_call');
        assert.equal(call.name, 'walk');
        assert.match(JSON.parse(call.arguments).text, /north/);
        const events = await collect(await client.responses.create({ ...asked, stream: true }));
        const deltas = events.filter((e) => e.type === 'response.function_call_arguments.delta').map((e) => e.delta);
        assert.equal(deltas.join(''), call.arguments);
        assert.equal(events.at(-1).response.output[0].arguments, call.arguments);
    });

    test('reasoning comes before the answer', async () => {
        const response = await client.responses.create({ model: 'thinker-mock-reasoning', input: 'hi' });
        assert.deepEqual(response.output.map((item) => item.type), ['reasoning', 'message']);
        assert.ok(response.usage.output_tokens_details.reasoning_tokens > 0);
    });

    test('input tokens are counted, and a conversation is compacted', async () => {
        const counted = await client.responses.inputTokens.count({ model, input: 'hi' });
        assert.equal(counted.object, 'response.input_tokens');
        assert.ok(counted.input_tokens > 0);
        const compacted = await client.responses.compact({ model, input: 'hi' });
        assert.equal(compacted.object, 'response.compaction');
        assert.equal(compacted.output[0].type, 'compaction');
    });

    test('a turn goes on from the one before, wherever that was', async () => {
        await times(kSeveral, async () => {
            const first = await client.responses.create({ model, input: 'hi' });
            const second = await client.responses.create({ model, input: 'and?', previous_response_id: first.id });
            assert.equal(second.previous_response_id, first.id);
            const events = await collect(await client.responses.create({ model, input: 'and?', previous_response_id: second.id, stream: true }));
            const streamed = events.at(-1).response;
            assert.equal(streamed.previous_response_id, second.id);
            const third = await client.responses.create({ model, input: 'and?', previous_response_id: streamed.id });
            assert.equal(third.previous_response_id, streamed.id);
        });
        await rejects(client.responses.create({ model, input: 'and?', previous_response_id: 'resp_unknown' }), OpenAI.BadRequestError, { code: 'previous_response_not_found', param: 'previous_response_id' });
    });

    test('a stored response is read, cancelled and deleted; its input is listed', async () => {
        await times(kSeveral, async () => {
            const made = await client.responses.create({ model, input: 'hi there' });
            const read = await client.responses.retrieve(made.id);
            assert.equal(read.output_text, made.output_text);
            const items = await collect(client.responses.inputItems.list(made.id));
            assert.equal(items[0].content[0].text, 'hi there');
            assert.equal((await client.responses.cancel(made.id)).status, 'cancelled');
            await client.responses.delete(made.id);
            await rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError, { status: 404 });
        });
    });

    test('a response can be asked for while it streams', async () => {
        await times(kSeveral, async () => {
            for await (const event of await client.responses.create({ model, input: 'hi', stream: true })) {
                if (event.type === 'response.created') assert.equal((await client.responses.retrieve(event.response.id)).id, event.response.id);
            }
        });
    });

    test('what is not stored is not found', async () => {
        const made = await client.responses.create({ model, input: 'hi', store: false });
        await rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
    });

    test('a long input arrives, and answers may run side by side', async () => {
        const input = 'naïve "quoted" €\n'.repeat(40_000);
        const all = await Promise.all(Array.from({ length: 20 }, (_, i) => client.responses.create({ model: `m-${i}`, input: i === 0 ? input : 'hi' })));
        all.forEach((response, i) => assert.equal(response.model, `m-${i}`));
        assert.ok(all[0].usage.input_tokens > 100_000);
    });
});

describe('chat completions', () => {
    test('create returns the answer and its usage', async () => {
        const completion = await client.chat.completions.create({ model, messages });
        assert.equal(completion.object, 'chat.completion');
        assert.equal(completion.model, model);
        assert.equal(completion.choices[0].finish_reason, 'stop');
        assert.ok(completion.choices[0].message.content.length > 0);
        assert.equal(completion.usage.completion_tokens, 16);
    });

    test('a stream ends with its reason, and with its usage where that was asked for', async () => {
        const plain = await collect(await client.chat.completions.create({ model, messages, stream: true }));
        assert.equal(plain[0].choices[0].delta.role, 'assistant');
        assert.equal(plain.at(-1).choices[0].finish_reason, 'stop');
        assert.ok(plain.every((chunk) => chunk.model === model));
        const text = plain.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join('');
        assert.ok(text.length > 0);
        const counted = await collect(await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } }));
        assert.equal(counted.at(-1).usage.completion_tokens, 16);
        assert.deepEqual(counted.at(-1).choices, []);
    });

    test('the stream helper gathers the final completion', async () => {
        const runner = client.chat.completions.stream({ model: 'house-model', messages });
        let content = '';
        runner.on('content', (delta) => {
            content += delta;
        });
        const completion = await runner.finalChatCompletion();
        assert.equal(completion.choices[0].message.content, content);
        assert.equal(completion.model, 'house-model');
        assert.equal(completion.choices[0].finish_reason, 'stop');
    });

    test('a tool is called, whole and as a stream', async () => {
        const asked = { model, messages, tools: [chatTool], tool_choice: 'required' };
        const completion = await client.chat.completions.create(asked);
        const [choice] = completion.choices;
        assert.equal(choice.finish_reason, 'tool_calls');
        assert.equal(choice.message.content, null);
        const [call] = choice.message.tool_calls;
        assert.equal(call.function.name, 'walk');
        assert.match(JSON.parse(call.function.arguments).text, /north/);
        const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
        assert.deepEqual(streamed.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);
        assert.equal(streamed.choices[0].finish_reason, 'tool_calls');
    });

    test('the tool runner calls the function and goes on', async () => {
        const walks = [];
        const walk = { type: 'function', function: { name: 'walk', parameters, parse: JSON.parse, function: ({ text }) => walks.push(text) } };
        const runner = client.chat.completions.runTools({ model, messages, tools: [walk], tool_choice: { type: 'function', function: { name: 'walk' } } });
        await runner.done();
        assert.equal(walks.length, 1);
        assert.match(walks[0], /north/);
    });

    test('several choices come together', async () => {
        const completion = await client.chat.completions.create({ model, messages, n: 3 });
        assert.deepEqual(completion.choices.map((choice) => choice.index), [0, 1, 2]);
    });

    test('a stored completion is read, with its messages, and deleted', async () => {
        await times(kSeveral, async () => {
            const made = await client.chat.completions.create({ model, messages, store: true });
            const read = await client.chat.completions.retrieve(made.id);
            assert.equal(read.choices[0].message.content, made.choices[0].message.content);
            const said = await collect(client.chat.completions.messages.list(made.id));
            assert.equal(said[0].content, messages[0].content);
            assert.ok((await client.chat.completions.delete(made.id)).deleted);
            await rejects(client.chat.completions.retrieve(made.id), OpenAI.NotFoundError);
        });
        const session = inSession('stored completions');
        const made = await session.chat.completions.create({ model, messages, store: true });
        const ids = (await collect(session.chat.completions.list())).map((completion) => completion.id);
        assert.ok(ids.includes(made.id));
    });
});

describe('other inference', () => {
    test('completions', async () => {
        const completion = await client.completions.create({ model, prompt: 'Say', n: 2 });
        assert.equal(completion.object, 'text_completion');
        assert.equal(completion.choices.length, 2);
        const chunks = await collect(await client.completions.create({ model, prompt: 'Say', stream: true }));
        assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(''), completion.choices[0].text);
        assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
    });

    test('embeddings say the same as numbers and as bytes', async () => {
        const input = ['one', 'two'];
        const plain = await client.embeddings.create({ model: 'text-embedding-3-small', input, encoding_format: 'float' });
        // The client asks for base64 unless told otherwise, and decodes it.
        const packed = await client.embeddings.create({ model: 'text-embedding-3-small', input });
        assert.equal(plain.data.length, 2);
        assert.equal(plain.data[0].embedding.length, 1536);
        assert.deepEqual(Array.from(packed.data[1].embedding), plain.data[1].embedding);
        assert.notDeepEqual(plain.data[0].embedding, plain.data[1].embedding);
        const short = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'one', dimensions: 8 });
        assert.equal(short.data[0].embedding.length, 8);
    });

    test('moderations, with a model and without', async () => {
        for (const given of [{}, { model: 'omni-moderation-latest' }]) {
            const { results } = await client.moderations.create({ ...given, input: ['one', 'two'] });
            assert.equal(results.length, 2);
            assert.equal(typeof results[0].flagged, 'boolean');
        }
    });

    test('images are made and edited', async () => {
        const made = await client.images.generate({ model: 'gpt-image-1', prompt: 'a gate', n: 2 });
        assert.equal(made.data.length, 2);
        const png = Buffer.from(made.data[0].b64_json, 'base64');
        assert.equal(png.subarray(1, 4).toString(), 'PNG');
        const image = await toFile(png, 'gate.png', { type: 'image/png' });
        const edited = await client.images.edit({ model: 'gpt-image-1', prompt: 'open it', image });
        assert.equal(edited.data.length, 1);
        const events = await collect(await client.images.generate({ model: 'gpt-image-1', prompt: 'a gate', stream: true, partial_images: 2 }));
        assert.equal(events[0].type, 'image_generation.partial_image');
        assert.equal(events.at(-1).type, 'image_generation.completed');
    });

    test('a form names the model by the name its users know', async () => {
        const image = await toFile(noise(100), 'gate.png', { type: 'image/png' });
        const prompt = 'a gate that no other test opens';
        await client.images.edit({ model: 'house-model', prompt, image });
        const [{ body }] = await received((request) => request.body.includes(prompt));
        assert.ok(body.includes('gpt-5-real') && !body.includes('house-model'));
        // The client sends the fields in the order of its caller: a file may come first.
        const file = await toFile(noise(300_000), 'before-its-model.mp3', { type: 'audio/mpeg' });
        assert.ok((await client.audio.transcriptions.create({ file, model: 'house-model' })).text.length > 0);
        const [told] = await received((request) => request.body.includes('before-its-model'));
        assert.equal(Number(told.headers['content-length']), told.body_bytes);
    });

    test('speech comes byte by byte', async () => {
        const answer = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'hi' });
        assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
        const sound = Buffer.from(await answer.arrayBuffer());
        // The mock's blocks hold every byte, each block shifted by one.
        const expected = Buffer.alloc(16 * 1024, 0).map((_, i) => ((i % 1024) * 7 + (i >> 10)) & 0xff);
        assert.equal(sha256(sound), sha256(expected));
    });

    test('speech is written down, and translated', async () => {
        const file = await toFile(noise(100_000), 'talk.mp3', { type: 'audio/mpeg' });
        const told = await client.audio.transcriptions.create({ model: 'whisper-1', file });
        assert.ok(told.text.length > 0);
        assert.ok(told.usage.input_tokens >= 25_000, 'the file arrived');
        const plain = await client.audio.transcriptions.create({ model: 'whisper-1', file, response_format: 'text' });
        assert.match(plain, /^north /);
        const verbose = await client.audio.transcriptions.create({ model: 'whisper-1', file, response_format: 'verbose_json' });
        assert.equal(verbose.language, 'english');
        const events = await collect(await client.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file, stream: true }));
        const text = events.filter((e) => e.type === 'transcript.text.delta').map((e) => e.delta).join('');
        assert.equal(events.at(-1).text, text);
        const translated = await client.audio.translations.create({ model: 'whisper-1', file });
        assert.ok(translated.text.length > 0);
    });
});

describe('models', () => {
    test('list', async () => {
        const page = await client.models.list();
        const ids = page.data.map((m) => m.id);
        assert.ok(ids.includes('gpt-5') && ids.includes('house-model'), ids.join(' '));
        assert.ok(!ids.includes('gpt-5-real'));
    });

    test('retrieve', async () => {
        const found = await client.models.retrieve(model);
        assert.equal(found.id, model);
        assert.equal(found.object, 'model');
    });

    // The client sends the slash as %2F, which the gateway takes for an attack.
    test('retrieve a model whose name has a slash', async () => {
        const found = await client.models.retrieve('org/some-model');
        assert.equal(found.id, 'org/some-model');
    });
});

describe('errors', () => {
    test('a wrong key is an AuthenticationError', async () => {
        const stranger = new OpenAI({ baseURL, apiKey: 'sk-nobody', maxRetries: 0 });
        await rejects(stranger.responses.create({ model, input: 'hi' }), OpenAI.AuthenticationError, { status: 401, code: 'invalid_api_key', type: 'authentication_error' });
        await rejects(stranger.models.list(), OpenAI.AuthenticationError, { status: 401 });
    });

    test('a request that is wrong is a BadRequestError that names its parameter', async () => {
        await rejects(client.responses.create({ input: 'hi' }), OpenAI.BadRequestError, { status: 400, param: 'model', type: 'invalid_request_error' });
        await rejects(client.chat.completions.create({ model }), OpenAI.BadRequestError, { status: 400, param: 'messages' });
        await rejects(client.chat.completions.create({ model, messages, stream: 'yes' }), OpenAI.BadRequestError, { status: 400, param: 'stream' });
        // What only the upstream knows to be wrong.
        await rejects(client.responses.create({ model, input: 'hi', max_output_tokens: -1 }), OpenAI.BadRequestError, { status: 400, param: 'max_output_tokens' });
    });

    test('an unknown path is a NotFoundError', async () => {
        await rejects(client.post('/nothing', { body: {} }), OpenAI.NotFoundError, { status: 404 });
    });

    test("the upstream's refusals keep their class", async () => {
        for (const [status, type] of [[404, OpenAI.NotFoundError], [409, OpenAI.ConflictError], [422, OpenAI.UnprocessableEntityError], [500, OpenAI.InternalServerError], [503, OpenAI.InternalServerError]]) {
            await rejects(client.responses.create({ model: faulty(`error-${status}`), input: 'hi' }), type, { status });
            await rejects(client.chat.completions.create({ model: faulty(`error-${status}`), messages, stream: true }), type, { status });
        }
        // The account rests for as long as was asked, and says so to whoever comes meanwhile.
        for (let i = 0; i < 5; ++i) {
            const limited = await rejects(client.responses.create({ model: 'limited-mock-error-429', input: 'hi' }), OpenAI.RateLimitError);
            assert.equal(limited.headers.get('retry-after'), '1');
        }
        // The second request may overtake the conclusion that is drawn from the first.
        assert.ok((await receivedFor('limited-mock-error-429')).length <= 2);
    });

    test("a refusal of the gateway's own credential is no AuthenticationError of the caller's", async () => {
        await rejects(client.responses.create({ model: faulty('error-401'), input: 'hi' }), OpenAI.InternalServerError, { status: 502, type: 'upstream_error' });
    });

    test('an answer that is cut is an InternalServerError', async () => {
        await rejects(client.responses.create({ model: faulty('cut'), input: 'hi' }), OpenAI.InternalServerError, { status: 502 });
    });

    test('a stream that is cut throws, and does not end as if it were whole', async () => {
        const received = [];
        const read = async (stream) => {
            for await (const item of stream) received.push(item);
        };
        await assert.rejects(async () => read(await client.responses.create({ model: faulty('cut-after-3'), input: 'hi', stream: true })), OpenAI.APIError);
        assert.equal(received.filter((e) => e.type === 'response.output_text.delta').length, 3);
        received.length = 0;
        await assert.rejects(async () => read(await client.chat.completions.create({ model: faulty('cut-after-3'), messages, stream: true })), OpenAI.APIError);
        assert.equal(received.filter((c) => c.choices[0].delta.content).length, 3);
        await assert.rejects(client.responses.stream({ model: faulty('cut-after-3'), input: 'hi' }).finalResponse(), OpenAI.OpenAIError);
        await assert.rejects(client.chat.completions.stream({ model: faulty('cut-after-3'), messages }).finalChatCompletion(), OpenAI.OpenAIError);
    });

    test('a stream that stalls throws when the gateway has waited long enough', async () => {
        const read = async () => {
            for await (const _ of await client.responses.create({ model: faulty('stall-after-3'), input: 'hi', stream: true }));
        };
        await assert.rejects(read, OpenAI.APIError);
    });

    test("a response that failed by the upstream's account is told as such", async () => {
        const events = await collect(await client.responses.create({ model: faulty('failed-event-after-2'), input: 'hi', stream: true }));
        assert.equal(events.at(-1).type, 'response.failed');
    });
});

const kFileBytes = 5 << 20;
const newFile = async (owner = client, bytes = noise(2_000)) => owner.files.create({ file: await toFile(bytes, 'lines.jsonl'), purpose: 'batch' });
const metric = { type: 'string_check', name: 'same', input: '{{item.a}}', reference: '{{item.b}}', operation: 'eq' };
const newEval = () => client.evals.create({ name: 'walks', data_source_config: { type: 'custom', item_schema: { type: 'object' } }, testing_criteria: [metric] });

/** Every kind of thing that is made at one account and then asked for by its id. */
const kinds = [
    { name: 'files', api: client.files, make: () => newFile() },
    { name: 'batches', api: client.batches, make: async () => client.batches.create({ input_file_id: (await newFile()).id, endpoint: '/v1/responses', completion_window: '24h' }) },
    { name: 'fine-tuning jobs', api: client.fineTuning.jobs, make: async () => client.fineTuning.jobs.create({ model, training_file: (await newFile()).id }) },
    { name: 'vector stores', api: client.vectorStores, make: async () => client.vectorStores.create({ name: 'shelf', file_ids: [(await newFile()).id] }), change: { name: 'another shelf' } },
    { name: 'assistants', api: client.beta.assistants, make: () => client.beta.assistants.create({ model, name: 'guide' }), change: { name: 'another guide' } },
    { name: 'threads', api: client.beta.threads, make: () => client.beta.threads.create({ metadata: { of: 'a test' } }), change: { metadata: { of: 'another' } } },
    { name: 'conversations', api: client.conversations, make: () => client.conversations.create({ metadata: { of: 'a test' } }), change: { metadata: { of: 'another' } } },
    { name: 'containers', api: client.containers, make: () => client.containers.create({ name: 'box' }) },
    { name: 'evals', api: client.evals, make: newEval, change: { name: 'other walks' } },
];

describe('resources', () => {
    for (const { name, api, make, change } of kinds) {
        test(`${name} are found where they were made`, async () => {
            const made = await times(kSeveral, make);
            assert.equal(new Set(made.map((object) => object.id)).size, kSeveral);
            for (const { id } of made) {
                assert.equal((await api.retrieve(id)).id, id);
                if (change) {
                    const changed = await api.update(id, change);
                    for (const [field, value] of Object.entries(change)) assert.deepEqual(changed[field], value);
                    assert.deepEqual((await api.retrieve(id))[Object.keys(change)[0]], Object.values(change)[0]);
                }
                if (api.cancel) assert.equal((await api.cancel(id)).status, 'cancelled');
                if (!api.delete) continue;
                await api.delete(id);
                await rejects(api.retrieve(id), OpenAI.NotFoundError);
            }
        });
    }

    test('a large file arrives as it was, and a small one comes back so', async () => {
        const large = noise(kFileBytes);
        const kept = await newFile(client, large);
        assert.equal(kept.bytes, kFileBytes);
        assert.equal(kept.sha256, sha256(large)); // the mock's own field
        const small = noise(300_000, 7);
        await times(kSeveral, async () => {
            const file = await newFile(client, small);
            const content = await client.files.content(file.id);
            assert.equal(sha256(Buffer.from(await content.arrayBuffer())), sha256(small));
        });
    });

    test('a list has the files of all accounts, page by page', async () => {
        const ids = [];
        for (let i = 0; i < 2 * kSeveral; ++i) ids.push((await newFile()).id);
        for (const order of ['asc', 'desc']) {
            const listed = [];
            for await (const file of client.files.list({ limit: 2, order })) listed.push(file.id);
            assert.deepEqual(ids.filter((id) => !listed.includes(id)), []);
            assert.equal(new Set(listed).size, listed.length);
        }
    });

    test('an upload is put together from its parts', async () => {
        const parts = [noise(200_000, 1), noise(100_000, 2)];
        await times(kSeveral, async () => {
            const upload = await client.uploads.create({ filename: 'long.jsonl', purpose: 'batch', mime_type: 'text/jsonl', bytes: 300_000 });
            const made = [];
            for (const part of parts) made.push(await client.uploads.parts.create(upload.id, { data: await toFile(part, 'part') }));
            const done = await client.uploads.complete(upload.id, { part_ids: made.map((part) => part.id) });
            assert.equal(done.status, 'completed');
            assert.equal(done.file.bytes, 300_000);
        });
        const upload = await client.uploads.create({ filename: 'long.jsonl', purpose: 'batch', mime_type: 'text/jsonl', bytes: 1 });
        assert.equal((await client.uploads.cancel(upload.id)).status, 'cancelled');
    });

    test('the file of an upload is found by its own id', async () => {
        await times(kSeveral, async () => {
            const upload = await client.uploads.create({ filename: 'x.jsonl', purpose: 'batch', mime_type: 'text/jsonl', bytes: 1000 });
            const part = await client.uploads.parts.create(upload.id, { data: await toFile(noise(1000), 'part') });
            const { file } = await client.uploads.complete(upload.id, { part_ids: [part.id] });
            const content = await client.files.content(file.id);
            assert.equal(sha256(Buffer.from(await content.arrayBuffer())), sha256(noise(1000)));
        });
    });

    test('batches come to their end, and are listed', async () => {
        const session = inSession('batches');
        const batch = await session.batches.create({ input_file_id: (await newFile(session)).id, endpoint: '/v1/responses', completion_window: '24h' });
        assert.equal(batch.status, 'validating');
        await eventually('the end of a batch', async () => (await client.batches.retrieve(batch.id)).status === 'completed');
        assert.ok((await collect(session.batches.list())).some((one) => one.id === batch.id));
    });

    test('a fine-tuning job is paused, resumed, and has events and checkpoints', async () => {
        await times(kSeveral, async () => {
            const { id } = await client.fineTuning.jobs.create({ model, training_file: (await newFile()).id });
            assert.equal((await client.fineTuning.jobs.pause(id)).status, 'paused');
            assert.equal((await client.fineTuning.jobs.resume(id)).status, 'queued');
            assert.deepEqual(await collect(client.fineTuning.jobs.listEvents(id)), []);
            assert.deepEqual(await collect(client.fineTuning.jobs.checkpoints.list(id)), []);
        });
    });

    test('a vector store takes files, one and several, and is searched', async () => {
        const session = inSession('shelves'); // its files must be where it is
        const file = await newFile(session);
        const store = await session.vectorStores.create({ name: 'shelf' });
        const put = await session.vectorStores.files.createAndPoll(store.id, { file_id: file.id }, { pollIntervalMs: 10 });
        assert.equal(put.status, 'completed');
        assert.equal(put.vector_store_id, store.id);
        const batch = await client.vectorStores.fileBatches.createAndPoll(store.id, { file_ids: [file.id] }, { pollIntervalMs: 10 });
        assert.equal(batch.status, 'completed');
        assert.deepEqual((await collect(client.vectorStores.files.list(store.id))).map((one) => one.id), [file.id]);
        assert.deepEqual(await collect(client.vectorStores.search(store.id, { query: 'north' })), []);
        assert.ok((await client.vectorStores.files.delete(file.id, { vector_store_id: store.id })).deleted);
        for (let i = 0; i < kSeveral; ++i) assert.equal((await client.vectorStores.retrieve(store.id)).id, store.id);
    });

    test('an assistant runs in a thread', async () => {
        const session = inSession('assistants'); // a run needs both at one account
        const assistant = await session.beta.assistants.create({ model, name: 'guide' });
        const thread = await session.beta.threads.create();
        const message = await client.beta.threads.messages.create(thread.id, { role: 'user', content: 'hi' });
        assert.equal(message.thread_id, thread.id);
        assert.equal((await client.beta.threads.messages.retrieve(message.id, { thread_id: thread.id })).id, message.id);
        const run = await session.beta.threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id }, { pollIntervalMs: 10 });
        assert.equal(run.status, 'completed');
        assert.deepEqual((await collect(client.beta.threads.runs.list(thread.id))).map((one) => one.id), [run.id]);
        assert.deepEqual(await collect(client.beta.threads.runs.steps.list(run.id, { thread_id: thread.id })), []);
        const another = await session.beta.threads.runs.create(thread.id, { assistant_id: assistant.id });
        assert.equal((await client.beta.threads.runs.cancel(another.id, { thread_id: thread.id })).status, 'cancelled');
        assert.equal((await collect(client.beta.threads.messages.list(thread.id)))[0].id, message.id);
    });

    test('responses belong to a conversation, whose items are read and removed', async () => {
        await times(kSeveral, async () => {
            const { id } = await client.conversations.create();
            for (const conversation of [id, { id }]) assert.equal((await client.responses.create({ model, input: 'hi', conversation })).status, 'completed');
            const events = await collect(await client.responses.create({ model, input: 'hi', conversation: id, stream: true }));
            assert.equal(events.at(-1).type, 'response.completed');
            const added = await client.conversations.items.create(id, { items: [{ type: 'message', role: 'user', content: 'hi' }] });
            const item = added.data[0];
            assert.equal((await client.conversations.items.retrieve(item.id, { conversation_id: id })).role, 'user');
            assert.deepEqual((await collect(client.conversations.items.list(id))).map((one) => one.id), [item.id]);
            await client.conversations.items.delete(item.id, { conversation_id: id });
            assert.deepEqual(await collect(client.conversations.items.list(id)), []);
        });
        await rejects(client.responses.create({ model, input: 'hi', conversation: 'conv_unknown' }), OpenAI.NotFoundError);
    });

    test('a container keeps files', async () => {
        const bytes = noise(50_000, 3);
        await times(kSeveral, async () => {
            const container = await client.containers.create({ name: 'box' });
            const file = await client.containers.files.create(container.id, { file: await toFile(bytes, 'data.bin') });
            const content = await client.containers.files.content.retrieve(file.id, { container_id: container.id });
            assert.equal(sha256(Buffer.from(await content.arrayBuffer())), sha256(bytes));
            assert.deepEqual((await collect(client.containers.files.list(container.id))).map((one) => one.id), [file.id]);
            await client.containers.files.delete(file.id, { container_id: container.id });
            assert.equal((await client.containers.retrieve(container.id)).id, container.id);
        });
    });

    test('an eval is run', async () => {
        await times(kSeveral, async () => {
            const { id } = await newEval();
            const run = await client.evals.runs.create(id, { data_source: { type: 'jsonl', source: { type: 'file_content', content: [] } } });
            assert.equal(run.eval_id, id);
            await eventually('the end of a run', async () => (await client.evals.runs.retrieve(run.id, { eval_id: id })).status === 'completed');
            assert.deepEqual((await collect(client.evals.runs.list(id))).map((one) => one.id), [run.id]);
            assert.deepEqual(await collect(client.evals.runs.outputItems.list(run.id, { eval_id: id })), []);
            await client.evals.runs.delete(run.id, { eval_id: id });
            assert.deepEqual(await collect(client.evals.runs.list(id)), []);
        });
    });

    test('both accounts had their share of it', async () => {
        for (const requests of await receivedByEach()) {
            const made = requests.filter((request) => request.method === 'POST' && request.target === '/v1/files');
            assert.ok(made.length > kSeveral, `${made.length} files`);
        }
    });
});

describe('trying again', () => {
    test('after a 429 the client comes back when it was told to', async () => {
        const patient = client.withOptions({ maxRetries: 2 });
        const limited = 'limited-once-mock-fail-1-times-error-429-seconds-1s';
        const start = Date.now();
        assert.equal((await patient.responses.create({ model: limited, input: 'hi' })).status, 'completed');
        const waited = Date.now() - start;
        assert.ok(waited >= 1000 && waited < 4000, `${waited} ms`);
        assert.equal((await receivedFor(limited)).length, 2);
    });

    test('after a 503 it comes back soon', async () => {
        const patient = client.withOptions({ maxRetries: 2 });
        const overloaded = faulty('fail-1-times-error-503-ms-20ms');
        assert.equal((await patient.responses.create({ model: overloaded, input: 'hi' })).status, 'completed');
        const [first, second] = await receivedFor(overloaded);
        assert.equal(first.headers['x-stainless-retry-count'], '0');
        assert.equal(second.headers['x-stainless-retry-count'], '1');
    });

    test('where another account can answer, the client learns of nothing', async () => {
        await setFaults(0, { for_key: { 'sk-failover-a': 'error-503' } });
        const attempts = [];
        // Which account is asked first is chance: so many that the failing one is asked at all.
        for (let i = 0; i < 30; ++i) {
            const asked = { model: 'failover-gpt', input: 'hi', stream: i % 2 === 1 };
            const { data, response } = await client.responses.create(asked).withResponse();
            if (asked.stream) assert.equal((await collect(data)).at(-1).type, 'response.completed');
            else assert.equal(data.status, 'completed');
            // Told only where it was more than one: `1;status=503;..., 2;status=200`.
            attempts.push((response.headers.get('x-oaigw-attempts') ?? '1').split(', ').length);
        }
        await setFaults(0, {});
        const [failed] = await receivedByEach();
        // The gateway asks each account for its models too.
        const isOurs = (request) => request.headers.authorization === 'Bearer sk-failover-a' && request.target === '/v1/responses';
        const refused = failed.filter(isOurs).length;
        assert.ok(refused > 0);
        assert.equal(attempts.filter((n) => n === 2).length, refused);
    });
});

describe('Azure', () => {
    const options = { endpoint: gatewayURL, apiKey, apiVersion: '2024-10-21', maxRetries: 0 };

    test('the deployment in the path is the model', async () => {
        const azure = new AzureOpenAI({ ...options, deployment: 'house-model' });
        // Most programs leave out the model, or send any.
        for (const given of [{}, { model: 'house-model' }]) {
            const completion = await azure.chat.completions.create({ ...given, messages });
            assert.equal(completion.model, 'house-model');
        }
        const chunks = await collect(await azure.chat.completions.create({ messages, stream: true }));
        assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
        assert.ok(chunks.every((chunk) => chunk.model === 'house-model'));
    });

    test('the client names the deployment by the model', async () => {
        const azure = new AzureOpenAI(options);
        assert.equal((await azure.chat.completions.create({ model, messages })).model, model);
        assert.equal((await azure.embeddings.create({ model: 'text-embedding-3-small', input: 'hi' })).data.length, 1);
        assert.equal((await azure.responses.create({ model, input: 'hi' })).status, 'completed');
        const file = await toFile(noise(1000), 'talk.mp3');
        assert.ok((await azure.audio.transcriptions.create({ model: 'whisper-1', file })).text.length > 0);
        await rejects(new AzureOpenAI({ ...options, apiKey: 'sk-nobody' }).chat.completions.create({ model, messages }), OpenAI.AuthenticationError);
    });

    test('an account at Azure serves any client', async () => {
        const asked = { model: 'azure-gpt', messages };
        for (const any of [client, new AzureOpenAI(options)]) {
            assert.equal((await any.chat.completions.create(asked)).choices[0].finish_reason, 'stop');
            const chunks = await collect(await any.chat.completions.create({ ...asked, stream: true }));
            assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
        }
        const requests = await received((request) => request.headers['api-key'] === 'sk-azure');
        assert.equal(requests.length, 4);
        for (const { target, headers } of requests) {
            assert.equal(target, '/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21');
            assert.equal(headers.authorization, undefined);
        }
    });
});

describe('leaving', () => {
    test('a stream may be left in the middle', async () => {
        for (let i = 0; i < 5; ++i) {
            const stream = await client.responses.create({ model: 'long-story', input: 'hi', stream: true });
            for await (const event of stream) {
                if (event.type === 'response.output_text.delta') break;
            }
            assert.ok(stream.controller.signal.aborted);
        }
        assert.equal((await client.responses.create({ model, input: 'hi' })).status, 'completed');
        const left = await sentFor('long-story', 5);
        assert.equal(left.length, 5);
        for (const record of left) assert.ok(!record.complete && record.output_events < 1000, JSON.stringify(record));
    });

    test('an abort throws APIUserAbortError, whether an answer has begun or not', async () => {
        const waiting = new AbortController();
        setTimeout(() => waiting.abort(), 50);
        await assert.rejects(client.responses.create({ model: faulty('hang'), input: 'hi' }, { signal: waiting.signal }), OpenAI.APIUserAbortError);
        const [hung] = await sentFor(faulty('hang'), 1);
        assert.ok(hung.end_us < 1_000_000, 'the upstream was told before the gateway ran out of patience');
        const helper = client.chat.completions.stream({ model: 'long-talk', messages });
        helper.on('content', () => helper.abort());
        await assert.rejects(helper.finalChatCompletion(), OpenAI.APIUserAbortError);
        for (const record of await sentFor('long-talk', 1)) assert.ok(!record.complete && record.output_events < 1000, JSON.stringify(record));
        assert.equal((await client.responses.create({ model, input: 'hi' })).status, 'completed');
    });

    test("the client's own timeout throws APIConnectionTimeoutError", async () => {
        const start = Date.now();
        await assert.rejects(client.responses.create({ model: faulty('hang'), input: 'hi' }, { timeout: 200 }), OpenAI.APIConnectionTimeoutError);
        assert.ok(Date.now() - start < 3000);
        assert.equal((await client.responses.create({ model, input: 'hi' })).status, 'completed');
    });

    test("the gateway's timeout is a 504", async () => {
        const error = await client.responses.create({ model: faulty('hang'), input: 'hi', stream: true }).catch((e) => e);
        assert.ok(error instanceof OpenAI.InternalServerError);
        assert.equal(error.status, 504);
        assert.equal(error.type, 'timeout');
    });
});

after(() => checkTheWhole(200));
