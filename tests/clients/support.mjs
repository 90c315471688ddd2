// What the suites share: the gateway under test, the mocks behind it, and a few words that tests are written in.

import assert from 'node:assert/strict';
import { File } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

// Clients want it to upload anything; node 18 does not have it.
globalThis.File ??= File;

export const gatewayURL = process.env.GATEWAY_URL;
export const apiKey = process.env.OAIGW_CLIENT_KEY;
const mockURLs = process.env.MOCK_URLS.split(' ');
const mockLogs = process.env.MOCK_LOGS.split(' ');

export async function collect(stream) {
    const items = [];
    for await (const item of stream) items.push(item);
    return items;
}

export const times = (count, make) => Promise.all(Array.from({ length: count }, (_, i) => make(i)));
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Bytes that no two places share by chance, the same for the same seed. */
export function noise(length, seed = 1) {
    const bytes = Buffer.alloc(length);
    for (let i = 0, x = seed; i < length; ++i) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        bytes[i] = x >>> 24;
    }
    return bytes;
}

/** The promise rejects with this class, and these members. Resolves to the error. */
export async function rejects(promise, type, expected = {}) {
    let caught;
    await assert.rejects(promise, (error) => {
        caught = error;
        assert.ok(error instanceof type, `${error?.constructor?.name}: ${error?.message}`);
        for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, `${name} of ${error.message}`);
        return true;
    });
    return caught;
}

/** Asks again until `condition` gives something true, and returns that. */
export async function eventually(what, condition) {
    for (const end = Date.now() + 5000; Date.now() < end; await sleep(20)) {
        const found = await condition();
        if (found) return found;
    }
    assert.fail(`never came: ${what}`);
}

/** What each mock received, oldest first: `[ofA, ofB]`. Headers are an object, `json` is the body where it is JSON. */
export async function receivedByEach() {
    return Promise.all(mockURLs.map(async (url) => {
        const { requests } = await (await fetch(`${url}/mock/requests`)).json();
        return requests.map((request) => ({ ...request, headers: Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value])), json: parsed(request.body) }));
    }));
}
export const received = async (wanted) => (await receivedByEach()).flat().filter(wanted);
export const receivedFor = (model) => received((request) => request.json?.model === model);

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

/** What the mocks sent for a model, once they have noted `count` answers. */
export const sentFor = (model, count) => eventually(`${count} answers for ${model}`, async () => {
    const lines = (await Promise.all(mockLogs.map((log) => readFile(log, 'utf8')))).flatMap((text) => text.split('\n').slice(0, -1));
    const records = lines.map((line) => JSON.parse(line)).filter((record) => record.model === model);
    return records.length >= count && records;
});

/** Makes mock 0 or 1 fail as /mock/faults understands it; `{}` ends that. */
export async function setFaults(mock, faults) {
    const answer = await fetch(`${mockURLs[mock]}/mock/faults`, { method: 'PUT', body: JSON.stringify(faults) });
    assert.equal(answer.status, 200, await answer.text());
}

/** At the end of a suite: the gateway counted all of it, and its clients' key went no further than to it. */
export async function checkTheWhole(least) {
    const answer = await fetch(`${gatewayURL}/api/v1/admin/ops/dashboard/overview?time_range=30m`, { headers: { 'x-api-key': process.env.OAIGW_ADMIN_KEY } });
    assert.equal(answer.status, 200);
    const { data } = await answer.json();
    assert.ok(data.metrics.whole.identity_ok);
    assert.ok(data.success_count >= least, `${data.success_count} good answers`);
    const all = await received(() => true);
    assert.ok(all.length > 0);
    for (const request of all) {
        assert.ok(!JSON.stringify(request).includes(apiKey), `the client's key in ${request.method} ${request.target}`);
        assert.match(request.headers.authorization ?? request.headers['x-api-key'] ?? request.headers['api-key'], /sk-/);
    }
}
