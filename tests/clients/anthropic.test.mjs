// Anthropic's client through the gateway, to accounts that speak Anthropic's API.
// Started by run_client_test, which starts the programs.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { apiKey, checkTheWhole, collect, gatewayURL, received, receivedByEach, receivedFor, rejects, sentFor, times } from './support.mjs';

const client = new Anthropic({ baseURL: gatewayURL, apiKey, maxRetries: 0, timeout: 20_000 });
const model = 'claude-sonnet';
const faulty = (fault) => `claude-mock-${fault}`;
const question = { max_tokens: 500, messages: [{ role: 'user', content: 'Say a few words.' }] };
const walk = { name: 'walk', description: 'Goes somewhere', input_schema: { type: 'object', properties: { text: { type: 'string' } } } };

describe('messages', () => {
    test('create returns the message and its usage', async () => {
        const message = await client.messages.create({ model, ...question });
        assert.equal(message.type, 'message');
        assert.equal(message.model, model);
        assert.equal(message.stop_reason, 'end_turn');
        assert.ok(message.content[0].text.length > 0);
        assert.equal(message.usage.output_tokens, 16);
        assert.ok(message.usage.input_tokens > 0);
    });

    test('a stream has every event, in order', async () => {
        const events = await collect(await client.messages.create({ model, ...question, stream: true }));
        assert.equal(events[0].type, 'message_start');
        assert.equal(events.at(-1).type, 'message_stop');
        const text = events.filter((e) => e.type === 'content_block_delta').map((e) => e.delta.text).join('');
        assert.equal(text, (await client.messages.create({ model, ...question })).content[0].text);
        assert.equal(events.find((e) => e.type === 'message_delta').usage.output_tokens, 16);
    });

    test('the stream helper gathers the final message', async () => {
        const stream = client.messages.stream({ model, ...question });
        let deltas = '';
        stream.on('text', (delta) => {
            deltas += delta;
        });
        const message = await stream.finalMessage();
        assert.equal(message.content[0].text, deltas);
        assert.equal(message.stop_reason, 'end_turn');
        assert.equal(message.usage.output_tokens, 16);
    });

    test('a message at its limit of tokens says so', async () => {
        assert.equal((await client.messages.create({ model, ...question, max_tokens: 4 })).stop_reason, 'max_tokens');
        assert.equal((await client.messages.stream({ model, ...question, max_tokens: 4 }).finalMessage()).stop_reason, 'max_tokens');
    });

    test('a tool is used, whole and as a stream, and its result goes back', async () => {
        const asked = { model, ...question, tools: [walk], tool_choice: { type: 'tool', name: 'walk' } };
        const message = await client.messages.create(asked);
        assert.equal(message.stop_reason, 'tool_use');
        const [use] = message.content;
        assert.equal(use.name, 'walk');
        assert.match(use.input.text, /north/);
        const streamed = await client.messages.stream(asked).finalMessage();
        assert.deepEqual(streamed.content[0].input, use.input);
        const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'there' }] };
        const messages = [...question.messages, { role: 'assistant', content: message.content }, result];
        assert.equal((await client.messages.create({ model, max_tokens: 500, tools: [walk], messages })).stop_reason, 'end_turn');
    });

    test('tokens are counted', async () => {
        const { input_tokens } = await client.messages.countTokens({ model, messages: question.messages });
        assert.ok(input_tokens > 0);
    });

    test('either credential of the client is good, and betas pass', async () => {
        const bearer = new Anthropic({ baseURL: gatewayURL, apiKey: null, authToken: apiKey, maxRetries: 0 });
        assert.equal((await bearer.messages.create({ model, ...question })).type, 'message');
        await client.beta.messages.create({ model: 'claude-beta', ...question, betas: ['a-beta-of-the-test'] });
        const [{ headers }] = await receivedFor('claude-beta');
        assert.equal(headers['anthropic-beta'], 'a-beta-of-the-test');
        assert.ok(headers['anthropic-version']);
    });

    test('accounts share the traffic, each with its own credential', async () => {
        await times(40, () => client.messages.create({ model: 'claude-shared', ...question }));
        const each = (await receivedByEach()).map((requests) => requests.filter((request) => request.json?.model === 'claude-shared'));
        assert.equal(each[0].length + each[1].length, 40);
        ['sk-claude-a', 'sk-claude-b'].forEach((credential, i) => {
            assert.ok(each[i].length > 5, `${each[i].length} of 40`);
            assert.ok(each[i].every(({ headers }) => headers['x-api-key'] === credential && headers.authorization === undefined));
        });
    });
});

describe('errors', () => {
    /** Anthropic's shape: `{"type":"error","error":{"type":...}}`. */
    const shaped = async (promise, type, status, word) => {
        const error = await rejects(promise, type, { status });
        assert.equal(error.error.type, 'error');
        assert.equal(error.error.error.type, word);
        assert.ok(error.error.error.message.length > 0);
        return error;
    };

    test("the gateway's own have Anthropic's shape", async () => {
        const stranger = new Anthropic({ baseURL: gatewayURL, apiKey: 'sk-nobody', maxRetries: 0 });
        await shaped(stranger.messages.create({ model, ...question }), Anthropic.AuthenticationError, 401, 'authentication_error');
        await shaped(client.messages.create({ model, messages: question.messages }), Anthropic.BadRequestError, 400, 'invalid_request_error');
        await shaped(client.messages.create({ ...question }), Anthropic.BadRequestError, 400, 'invalid_request_error');
        await shaped(client.messages.create({ model: faulty('hang'), ...question, stream: true }), Anthropic.InternalServerError, 504, 'timeout_error');
    });

    test("the upstream's keep their class and shape", async () => {
        for (const [status, type, word] of [[400, Anthropic.BadRequestError, 'invalid_request_error'], [404, Anthropic.NotFoundError, 'not_found_error'], [413, Anthropic.APIError, 'request_too_large'], [500, Anthropic.InternalServerError, 'api_error'], [529, Anthropic.InternalServerError, 'overloaded_error']]) {
            await shaped(client.messages.create({ model: faulty(`error-${status}`), ...question }), type, status, word);
            await shaped(client.messages.create({ model: faulty(`error-${status}`), ...question, stream: true }), type, status, word);
        }
        const limited = await shaped(client.messages.create({ model: 'claude-limited-mock-error-429', ...question }), Anthropic.RateLimitError, 429, 'rate_limit_error');
        assert.equal(limited.headers.get('retry-after'), '1');
    });

    test("a refusal of the gateway's own credential is no AuthenticationError of the caller's", async () => {
        await shaped(client.messages.create({ model: faulty('error-401'), ...question }), Anthropic.InternalServerError, 502, 'api_error');
    });

    test('a stream that breaks or fails throws, and does not end as if it were whole', async () => {
        for (const fault of ['cut-after-3', 'late-error-after-3', 'stall-after-3']) {
            const parts = [];
            const read = async () => {
                for await (const event of await client.messages.create({ model: faulty(fault), ...question, stream: true })) parts.push(event.type);
            };
            await rejects(read(), Anthropic.APIError);
            assert.equal(parts.filter((type) => type === 'content_block_delta').length, 3, fault);
            assert.ok(!parts.includes('message_stop'));
            await rejects(client.messages.stream({ model: faulty(fault), ...question }).finalMessage(), Anthropic.AnthropicError);
        }
    });

    test('the client tries again, and is served', async () => {
        const patient = client.withOptions({ maxRetries: 2 });
        for (const status of [529, 503, 500]) {
            const failing = faulty(`fail-1-times-error-${status}-ms-20ms`);
            assert.equal((await patient.messages.create({ model: failing, ...question })).type, 'message');
            assert.equal((await receivedFor(failing)).length, 2);
        }
    });

    test('each API serves its own models only', async () => {
        await shaped(client.messages.create({ model: 'gpt-5', ...question }), Anthropic.BadRequestError, 400, 'invalid_request_error');
        assert.equal((await received((request) => request.json?.model === 'gpt-5')).length, 0);
    });
});

describe('leaving', () => {
    test('an abort in the middle reaches the upstream', async () => {
        const stream = client.messages.stream({ model: 'claude-long', ...question, max_tokens: 100_000 });
        stream.on('text', () => stream.abort());
        await rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
        for (const record of await sentFor('claude-long', 1)) assert.ok(!record.complete && record.output_events < 1000, JSON.stringify(record));
        assert.equal((await client.messages.create({ model, ...question })).type, 'message');
    });

    test("the client's own timeout throws APIConnectionTimeoutError", async () => {
        await rejects(client.messages.create({ model: faulty('hang'), ...question }, { timeout: 200 }), Anthropic.APIConnectionTimeoutError);
    });
});

after(() => checkTheWhole(50));
