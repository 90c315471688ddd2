// The AI SDK with its provider for OpenAI, through the gateway.
// Started by run_client_test, which starts the programs.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, embed, embedMany, experimental_generateImage as generateImage, experimental_generateSpeech as generateSpeech, experimental_transcribe as transcribe, generateText, RetryError, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { apiKey, checkTheWhole, collect, gatewayURL, noise, receivedFor, rejects, sentFor } from './support.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const provider = createOpenAI({ baseURL: `${gatewayURL}/v1`, apiKey });
const prompt = 'Say a few words.';
/** Both APIs of the provider: what it takes by default, and the older one. */
const apis = [
    { name: 'responses', model: (id) => provider.responses(id) },
    { name: 'chat', model: (id) => provider.chat(id) },
];

for (const { name, model } of apis) {
    describe(name, () => {
        test('generateText returns the text and its usage', async () => {
            const result = await generateText({ model: model('gpt-5'), prompt });
            assert.ok(result.text.length > 0);
            assert.equal(result.finishReason, 'stop');
            assert.equal(result.usage.outputTokens, 16);
            assert.equal(result.response.modelId, 'gpt-5');
        });

        test('streamText brings the same text in pieces', async () => {
            const result = streamText({ model: model('gpt-5'), prompt });
            const pieces = await collect(result.textStream);
            assert.ok(pieces.length > 10, `${pieces.length} pieces`);
            assert.equal(pieces.join(''), (await generateText({ model: model('gpt-5'), prompt })).text);
            assert.equal(await result.finishReason, 'stop');
            assert.equal((await result.usage).outputTokens, 16);
        });

        test('a model goes by the name its users know', async () => {
            assert.equal((await generateText({ model: model('house-model'), prompt })).response.modelId, 'house-model');
            const streamed = streamText({ model: model('house-model'), prompt });
            await streamed.consumeStream();
            assert.equal((await streamed.response).modelId, 'house-model');
        });

        test('a tool is called, and the answer to it goes back', async () => {
            const walks = [];
            const walk = tool({
                description: 'Goes somewhere',
                inputSchema: z.object({ text: z.string() }),
                execute: async ({ text }) => {
                    walks.push(text);
                    return 'there';
                },
            });
            const id = `${name}-mock-tool`;
            const asked = { model: model(id), prompt, tools: { walk }, stopWhen: stepCountIs(2) };
            const result = await generateText(asked);
            assert.equal(result.steps.length, 2);
            assert.equal(result.steps[0].finishReason, 'tool-calls');
            await streamText(asked).consumeStream();
            assert.equal(walks.length, 4); // the mock calls the tool each time
            for (const text of walks) assert.match(text, /north/);
            const bodies = (await receivedFor(id)).map((request) => request.body);
            assert.equal(bodies.length, 4);
            assert.equal(bodies.filter((body) => body.includes('there')).length, 2);
        });

        test('errors are an APICallError with the status', async () => {
            for (const status of [400, 404, 500]) {
                const error = await rejects(generateText({ model: model(`alone-mock-error-${status}`), prompt, maxRetries: 0 }), APICallError, { statusCode: status });
                assert.equal(error.isRetryable, status === 500);
            }
            const stranger = createOpenAI({ baseURL: `${gatewayURL}/v1`, apiKey: 'sk-nobody' });
            await rejects(generateText({ model: stranger('gpt-5'), prompt }), APICallError, { statusCode: 401 });
        });

        test('a stream that breaks is an error, and not the end', async () => {
            for (const fault of ['cut-after-3', 'stall-after-3', 'error-400']) {
                const errors = [];
                const result = streamText({ model: model(`alone-mock-${fault}`), prompt, maxRetries: 0, onError: ({ error }) => errors.push(error) });
                const parts = await collect(result.fullStream);
                assert.ok(errors.length > 0, fault);
                assert.ok(!parts.some((part) => part.type === 'finish' && part.finishReason === 'stop'), fault);
                assert.equal(parts.filter((part) => part.type === 'text-delta').length, fault === 'error-400' ? 0 : 3);
            }
        });

        test('it tries again by default', async () => {
            const id = `alone-${name}-mock-fail-1-times-error-503-ms-20ms`;
            const result = await generateText({ model: model(id), prompt });
            assert.equal(result.finishReason, 'stop');
            assert.equal((await receivedFor(id)).length, 2);
            const failing = generateText({ model: model('alone-mock-error-503-ms-20ms'), prompt, maxRetries: 1 });
            await rejects(failing, RetryError, { reason: 'maxRetriesExceeded' });
        });

        test('an abort in the middle reaches the upstream', async () => {
            const leaving = new AbortController();
            const id = `long-${name}`;
            const result = streamText({ model: model(id), prompt, abortSignal: leaving.signal });
            for await (const part of result.fullStream) {
                if (part.type === 'text-delta') leaving.abort();
            }
            for (const record of await sentFor(id, 1)) assert.ok(!record.complete && record.output_events < 1000, JSON.stringify(record));
        });
    });
}

describe('other models', () => {
    test('embeddings, one and many', async () => {
        const model = provider.textEmbeddingModel('text-embedding-3-small');
        const one = await embed({ model, value: 'one' });
        const many = await embedMany({ model, values: ['one', 'two'] });
        assert.equal(one.embedding.length, 1536);
        assert.deepEqual(many.embeddings[0], one.embedding);
        assert.notDeepEqual(many.embeddings[1], one.embedding);
        assert.ok(many.usage.tokens > 0);
    });

    test('images', async () => {
        const { image } = await generateImage({ model: provider.image('gpt-image-1'), prompt: 'a gate' });
        assert.equal(Buffer.from(image.uint8Array).subarray(1, 4).toString(), 'PNG');
    });

    test('speech, said and written down', async () => {
        const { audio } = await generateSpeech({ model: provider.speech('tts-1'), text: 'hi' });
        assert.equal(audio.uint8Array.length, 16 * 1024);
        const { text } = await transcribe({ model: provider.transcription('whisper-1'), audio: noise(10_000) });
        assert.ok(text.length > 0);
    });
});

after(() => checkTheWhole(20));
