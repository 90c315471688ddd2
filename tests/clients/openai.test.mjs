// The openai client as its users use it, through the gateway: what it returns, what it throws, how it stops.
// Started by run_openai_test, which starts the programs.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, describe, test } from 'node:test';
import OpenAI from 'openai';

const baseURL = `${process.env.GATEWAY_URL}/v1`;
const apiKey = process.env.OAIGW_CLIENT_KEY;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 });

const model = 'gpt-5';
const messages = [{ role: 'user', content: 'Say a few words.' }];
/** A model of this name makes the mock fail in that way. */
const faulty = (fault) => `gpt-5-mock-${fault}`;

async function collect(stream) {
    const items = [];
    for await (const item of stream) items.push(item);
    return items;
}

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
        await sleep(400); // the log is written five times a second
        assert.match(await readFile(process.env.MOCK_LOG, 'utf8'), /"model":"gpt-5-real"/);
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
    /** The promise rejects with this class, status, and these members. */
    async function rejects(promise, type, expected) {
        await assert.rejects(promise, (error) => {
            assert.ok(error instanceof type, `${error?.constructor?.name}: ${error?.message}`);
            for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, `${name} of ${error.message}`);
            return true;
        });
    }

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
        for (const [status, type] of [[404, OpenAI.NotFoundError], [409, OpenAI.ConflictError], [422, OpenAI.UnprocessableEntityError], [429, OpenAI.RateLimitError], [500, OpenAI.InternalServerError], [503, OpenAI.InternalServerError]]) {
            await rejects(client.responses.create({ model: faulty(`error-${status}`), input: 'hi' }), type, { status });
            await rejects(client.chat.completions.create({ model: faulty(`error-${status}`), messages, stream: true }), type, { status });
        }
        const limited = await client.responses.create({ model: faulty('error-429'), input: 'hi' }).catch((e) => e);
        assert.equal(limited.headers.get('retry-after'), '1');
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

    test('by default the client tries again, and is served', async () => {
        const patient = new OpenAI({ baseURL, apiKey, maxRetries: 1 });
        await rejects(patient.responses.create({ model: faulty('error-503'), input: 'hi' }), OpenAI.InternalServerError, { status: 503 });
        assert.equal((await patient.responses.create({ model, input: 'hi' })).status, 'completed');
    });
});

describe('leaving', () => {
    test('a stream may be left in the middle', async () => {
        for (let i = 0; i < 5; ++i) {
            const stream = await client.responses.create({ model: 'left-in-the-middle', input: 'hi', stream: true });
            for await (const event of stream) {
                if (event.type === 'response.output_text.delta') break;
            }
            assert.ok(stream.controller.signal.aborted);
        }
        assert.equal((await client.responses.create({ model, input: 'hi' })).status, 'completed');
        await sleep(500);
        const left = (await readFile(process.env.MOCK_LOG, 'utf8')).split('\n').filter((line) => line.includes('"left-in-the-middle"'));
        assert.equal(left.length, 5);
        for (const line of left) assert.equal(JSON.parse(line).complete, false, line);
    });

    test('an abort throws APIUserAbortError, whether an answer has begun or not', async () => {
        const waiting = new AbortController();
        setTimeout(() => waiting.abort(), 50);
        await assert.rejects(client.responses.create({ model: faulty('hang'), input: 'hi' }, { signal: waiting.signal }), OpenAI.APIUserAbortError);
        const helper = client.chat.completions.stream({ model, messages });
        helper.on('content', () => helper.abort());
        await assert.rejects(helper.finalChatCompletion(), OpenAI.APIUserAbortError);
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

after(async () => {
    // Everything above went through one gateway: it counted all of it, and calls none of it its own fault.
    const answer = await fetch(`${process.env.GATEWAY_URL}/api/v1/admin/ops/dashboard/overview?time_range=30m`, {
        headers: { 'x-api-key': process.env.OAIGW_ADMIN_KEY },
    });
    assert.equal(answer.status, 200);
    const { data } = await answer.json();
    assert.ok(data.metrics.whole.identity_ok);
    assert.ok(data.success_count > 30, data.success_count);
});
