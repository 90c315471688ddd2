// LangChain's client for OpenAI, through the gateway.
// Started by run_client_test, which starts the programs.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { apiKey, checkTheWhole, collect, gatewayURL, receivedFor, sentFor } from './support.mjs';

const configuration = { baseURL: `${gatewayURL}/v1` };
const common = { apiKey, configuration, maxRetries: 0 };
const walk = tool(async ({ text }) => `went ${text}`, { name: 'walk', description: 'Goes somewhere', schema: z.object({ text: z.string() }) });
const apis = [
    { name: 'chat', useResponsesApi: false },
    { name: 'responses', useResponsesApi: true },
];

for (const { name, useResponsesApi } of apis) {
    const chat = (model, more = {}) => new ChatOpenAI({ ...common, useResponsesApi, model, ...more });

    describe(name, () => {
        test('invoke returns the message and its usage', async () => {
            const message = await chat('gpt-5').invoke('Say a few words.');
            assert.ok(message.text.length > 0);
            assert.equal(message.usage_metadata.output_tokens, 16);
        });

        test('stream brings the same message in pieces', async () => {
            const chunks = await collect(await chat('gpt-5').stream('Say a few words.'));
            const text = chunks.map((chunk) => chunk.text).join('');
            assert.ok(chunks.length > 10);
            assert.equal(text, (await chat('gpt-5').invoke('Say a few words.')).text);
            // Asked for by the client, and not by its user.
            const counted = chunks.filter((chunk) => chunk.usage_metadata);
            assert.equal(counted.at(-1).usage_metadata.output_tokens, 16);
        });

        test('a batch runs side by side', async () => {
            const messages = await chat('gpt-5').batch(['one', 'two', 'three', 'four']);
            assert.equal(messages.length, 4);
            for (const message of messages) assert.ok(message.text.length > 0);
        });

        test('a tool is called, whole and as a stream, and its result goes back', async () => {
            const model = chat('gpt-5').bindTools([walk], { tool_choice: 'walk' });
            const asked = new HumanMessage('Go.');
            const message = await model.invoke([asked]);
            const [call] = message.tool_calls;
            assert.equal(call.name, 'walk');
            assert.match(call.args.text, /north/);
            const [first, ...rest] = await collect(await model.stream([asked]));
            const whole = rest.reduce((sum, chunk) => sum.concat(chunk), first);
            assert.deepEqual(whole.tool_calls[0].args, call.args);
            const result = await walk.invoke(call);
            assert.ok(result instanceof ToolMessage);
            const id = `walked-${name}`;
            assert.ok((await chat(id).invoke([asked, message, result])).text.length > 0);
            assert.ok((await receivedFor(id))[0].body.includes('went north'));
        });

        test('errors have their status, and a broken stream throws', async () => {
            for (const status of [400, 404, 500]) {
                const error = await chat(`alone-mock-error-${status}`).invoke('hi').catch((e) => e);
                assert.equal(error.status, status);
            }
            const stranger = await chat('gpt-5', { apiKey: 'sk-nobody' }).invoke('hi').catch((e) => e);
            assert.equal(stranger.status, 401);
            await assert.rejects(async () => collect(await chat('alone-mock-cut-after-3').stream('hi')));
        });

        test('it tries again', async () => {
            const id = `alone-${name}-mock-fail-1-times-error-503`;
            const message = await chat(id, { maxRetries: 2 }).invoke('hi');
            assert.ok(message.text.length > 0);
            assert.equal((await receivedFor(id)).length, 2);
        });

        test('an abort in the middle reaches the upstream', async () => {
            const leaving = new AbortController();
            const id = `long-${name}`;
            await assert.rejects(async () => {
                for await (const _ of await chat(id).stream('hi', { signal: leaving.signal })) leaving.abort();
            }, { name: 'AbortError' });
            for (const record of await sentFor(id, 1)) assert.ok(!record.complete && record.output_events < 1000, JSON.stringify(record));
        });
    });
}

test('embeddings, one and many', async () => {
    const embeddings = new OpenAIEmbeddings({ ...common, model: 'text-embedding-3-small' });
    const one = await embeddings.embedQuery('one');
    const many = await embeddings.embedDocuments(['one', 'two']);
    assert.equal(one.length, 1536);
    assert.deepEqual(many[0], one);
    assert.notDeepEqual(many[1], one);
});

test('completions', async () => {
    assert.ok((await new OpenAI({ ...common, model: 'gpt-3.5-turbo-instruct' }).invoke('Say')).length > 0);
});

after(() => checkTheWhole(25));
