// The Codex CLI through the gateway: `codex exec`, over SSE and over WebSocket.
// Started by run_client_test, which starts the programs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { apiKey, checkTheWhole, gatewayURL, receivedFor } from './support.mjs';

const codex = path.join(path.dirname(createRequire(import.meta.url).resolve('@openai/codex/package.json')), 'bin', 'codex.js');
/** A port on which nobody listens, for whatever would leave this machine. */
const kNowhere = 'http://127.0.0.1:9';

function configuration(model, websockets) {
    const off = ['apps', 'plugins', 'remote_plugin', 'plugin_sharing', 'in_app_updates'].map((name) => `${name} = false`);
    return `model = "${model}"
model_provider = "gw"
check_for_update_on_startup = false
[analytics]
enabled = false
[feedback]
enabled = false
[features]
${off.join('\n')}
[model_providers.gw]
name = "gw"
base_url = "${gatewayURL}/v1"
env_key = "GW_KEY"
wire_api = "responses"
request_max_retries = 2
stream_max_retries = 2
stream_idle_timeout_ms = 8000
supports_websockets = ${websockets}
`;
}

/** Runs `codex exec` in an empty home; resolves to its exit code, and to the events it tells. */
async function exec(model, { websockets, key = apiKey, args = [], home }) {
    home ??= await mkdtemp(path.join(process.cwd(), 'codex-'));
    const work = path.join(home, 'work');
    await mkdir(work, { recursive: true });
    await writeFile(path.join(home, 'config.toml'), configuration(model, websockets));
    const proxies = Object.fromEntries(['http', 'https', 'all'].flatMap((of) => [[`${of}_proxy`, kNowhere], [`${of.toUpperCase()}_PROXY`, kNowhere]]));
    const env = { ...proxies, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1', PATH: process.env.PATH, HOME: home, CODEX_HOME: home, GW_KEY: key };
    const child = spawn(process.execPath, [codex, 'exec', '--skip-git-repo-check', '--json', '-s', 'read-only', ...args, 'Say hello.'], { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 15_000 });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    const events = out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    return { code, events, home, said: `${out}\n${err}`, of: (type) => events.filter((event) => event.type === type) };
}

/** Its usage is that of the whole session, 16 tokens a turn. */
function checkAnswered(run, turns = 1) {
    assert.equal(run.code, 0, run.said);
    const messages = run.of('item.completed').filter(({ item }) => item.type === 'agent_message');
    assert.equal(messages.length, 1, run.said);
    assert.match(messages[0].item.text, /^A gateway sits between/);
    assert.equal(run.of('turn.completed')[0].usage.output_tokens, 16 * turns);
    assert.equal(run.of('turn.failed').length, 0);
}

for (const { name, websockets } of [{ name: 'sse', websockets: false }, { name: 'websocket', websockets: true }]) {
    describe(name, () => {
        test('a turn is answered', async () => {
            const model = `codex-${name}`;
            const run = await exec(model, { websockets });
            checkAnswered(run);
            assert.equal(run.of('error').length, 0, run.said);
            // One request, of the session that Codex says it is, and by the way that was asked for.
            const requests = await receivedFor(model);
            assert.equal(requests.length, 1);
            const [{ json, headers }] = requests;
            assert.equal(headers['session-id'], run.of('thread.started')[0].thread_id);
            assert.equal(json.prompt_cache_key, headers['session-id']);
            assert.equal(json.stream, true);
            assert.equal(headers['openai-beta']?.startsWith('responses_websockets='), websockets ? true : undefined);
        });

        test('a session goes on later, at the same account', async () => {
            const model = `codex-again-${name}`;
            const first = await exec(model, { websockets });
            checkAnswered(first);
            for (let turn = 2; turn <= 3; ++turn) checkAnswered(await exec(model, { websockets, home: first.home, args: ['resume', '--last'] }), turn);
            const requests = await receivedFor(model);
            assert.equal(requests.length, 3);
            assert.equal(new Set(requests.map(({ headers }) => headers['session-id'])).size, 1);
            assert.equal(new Set(requests.map(({ headers }) => headers.authorization)).size, 1);
            assert.ok(requests[2].json.input.length > requests[0].json.input.length);
        });

        test('a stream that is cut is asked for again', async () => {
            const model = `alone-codex-${name}-mock-fail-1-times-cut-after-3`;
            checkAnswered(await exec(model, { websockets }));
            assert.equal((await receivedFor(model)).length, 2);
        });

        test('an overloaded upstream is asked again', async () => {
            const model = `alone-codex-${name}-mock-fail-1-times-error-503`;
            checkAnswered(await exec(model, { websockets }));
            assert.equal((await receivedFor(model)).length, 2);
        });

        test('a wrong key and a bad request fail, and say why', async () => {
            const stranger = await exec('gpt-5', { websockets, key: 'sk-nobody' });
            assert.notEqual(stranger.code, 0);
            assert.match(JSON.stringify(stranger.of('turn.failed')), /401/);
            const refused = await exec('alone-mock-error-400', { websockets });
            assert.notEqual(refused.code, 0);
            assert.equal(refused.of('turn.failed').length, 1, refused.said);
        });
    });
}

after(() => checkTheWhole(10));
