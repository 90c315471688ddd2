"""The contestants of bench/gateway/run: how each is started, asked and watched."""

import concurrent.futures
import dataclasses
import functools
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "bench/gateway"
TOOLS = ROOT / "build/bench/bin"
KEY = "sk-client-0123456789abcdef0123456789abcdef"
PATIENCE_S = 10
INPUT_TOKENS = 117  # in every answer of bench_upstream


class Failed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Case:
    """What bench_load asks for and bench_upstream answers."""

    request: str = "small"
    connections: int = 64
    rate: int = 0
    events: int = 0
    gap_us: int = 0

    @property
    def unit(self):
        return "event" if self.events else "request"


# --- processes ----------------------------------------------------------------------------------------------------------


class Process:
    """A program on the benchmark's core. Its children (nginx's worker) count as part of it."""

    def __init__(self, arguments, core, folder, name, environment=None):
        self.name = name
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("OAIGW_", "OPENAI_"))}
        with open(self.out, "wb") as stdout, open(self.err, "wb") as stderr:
            self.process = subprocess.Popen(["taskset", "-c", str(core), *map(str, arguments)], stdout=stdout, stderr=stderr,
                                            cwd=folder, env=clean | (environment or {}))

    def wait_for_port(self, port=None):
        """Until it listens: at the port, or at the one that its first line tells. The port."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.process.poll() is None:
            told = port or (match := re.search(r":(\d+)\n", self.out.read_text())) and int(match[1])
            if told and is_open(told):
                return told
            time.sleep(0.02)
        raise Failed(f"{self.name} does not listen: {self.err.read_text()[-500:]}")

    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def cpu_us(self):
        """Of all its threads so far, to the nanosecond: ticks are too coarse for a turn of a second."""
        tasks = [task for pid in self.pids() for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1000

    def peak_mib(self):
        status = "".join(pathlib.Path(f"/proc/{pid}/status").read_text() for pid in self.pids())
        return sum(map(int, re.findall(r"VmHWM:\s+(\d+) kB", status))) / 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    """For programs that cannot tell which one they were given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- contestants --------------------------------------------------------------------------------------------------------


def fill_in(template, folder, **values):
    text = (HERE / f"{template}.in").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    path = folder / template
    path.write_text(text)
    return path


def nginx(folder, upstream):
    port = free_port()
    return ["nginx", "-p", folder, "-c", fill_in("nginx.conf", folder, DIR=folder, PORT=port, UPSTREAM=upstream)], port


def haproxy(folder, upstream):
    port = free_port()
    return ["haproxy", "-f", fill_in("haproxy.cfg", folder, PORT=port, UPSTREAM=upstream)], port


def probe(_, upstream):
    return [TOOLS / "bench_probe", "--upstream-port", upstream, "--key", KEY], None


def oaigw(binaries, template, workers, folder, upstream):
    config = fill_in(template, folder, KEY=KEY, UPSTREAM=upstream, WORKERS=workers)
    return [binaries / "oaigw", "serve", "--config", config], None


def contestants(options, workers):
    """By name: from a folder and the upstream's port to a command, and its port when the command does not tell."""
    found = {
        "nginx": nginx,
        "haproxy": haproxy,
        "probe": probe,
        "oaigw": functools.partial(oaigw, options.bin, "oaigw.toml", workers),
        "oaigw-least": functools.partial(oaigw, options.bin, "oaigw-least.toml", workers),
    }
    if options.uring_bin:
        found["oaigw-uring"] = functools.partial(oaigw, options.uring_bin, "oaigw.toml", workers)
    return found


# What a contestant has to do with the model: what the upstream receives, and what the client reads in the answer.
MODELS = {name: ("bench-model", "gpt-upstream-2025") for name in ("nginx", "haproxy", "oaigw-least")}
MODELS |= {name: ("gpt-upstream-2025", "bench-model") for name in ("oaigw", "oaigw-uring")}
MODELS["probe"] = ("gpt-upstream-2025", "gpt-upstream-2025")


class Site:
    """An upstream and contestants before it, for one case. "direct" is the upstream itself, asked without a proxy. On
    more than one core oaigw has a worker for each."""

    def __init__(self, options, case, names, counting=False, cores=None):
        self.cores, self.case, self.options = cores or [options.core], case, options
        self.core = ",".join(map(str, self.cores))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        self.processes, self.ports, self.totals = {}, {}, {}
        try:
            upstream = Process([TOOLS / "bench_upstream", "--events", case.events, "--gap-us", case.gap_us],
                               self.core, self.folder, "upstream")
            self.processes["direct"] = upstream
            self.ports["direct"] = upstream.wait_for_port()
            for name in names:
                self.start(name, counting)
                self.check_duties(name)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in reversed(self.processes.values()):
            process.stop()
        told = self.processes["probe"].out.read_text() if "probe" in self.processes else None
        shutil.rmtree(self.folder)
        if told and kind is None:
            check_usage_was_read(told)

    def start(self, name, counting):
        folder = self.folder / name
        folder.mkdir()
        environment = None
        if counting:
            self.totals[name] = folder / "allocations"
            self.totals[name].write_bytes(bytes(16))
            environment = {"LD_PRELOAD": str(TOOLS / "count_allocations.so"), "OAI_ALLOCATIONS": str(self.totals[name])}
        arguments, port = contestants(self.options, len(self.cores))[name](folder, self.ports["direct"])
        # Known before it listens, so that it ends with the rest when it never does.
        self.processes[name] = Process(arguments, self.core, folder, name, environment)
        self.ports[name] = self.processes[name].wait_for_port(port)

    def check_duties(self, name):
        """One request by hand: a contestant that leaves out the work must not have its figure compared."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=PATIENCE_S)
        body = {"model": "bench-model", "input": "Say hello.", "stream": self.case.events > 0}
        connection.request("POST", "/v1/responses", json.dumps(body, separators=(",", ":")),
                           {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        named = re.search(r'"model":"([^"]*)"', text)
        got = ((answer.headers["x-received-model"] or "").strip(), named and named[1])
        if answer.status != 200 or got != MODELS[name]:
            raise Failed(f"{name} answered {answer.status}; received and answered models: {got}, not {MODELS[name]}")

    def load(self, name, seconds, prefix=(), core=None):
        """What bench_load counted."""
        arguments = [*prefix, "taskset", "-c", self.core if core is None else core, TOOLS / "bench_load", "--port",
                     self.ports[name], "--key", KEY, "--request", self.case.request, "--connections", self.case.connections, "--rate", self.case.rate,
                     "--events", self.case.events, "--milliseconds", round(seconds * 1000)]
        done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{name}: {done.stderr.strip()}")
        counted = {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", done.stdout)}
        counted["units"] = counted[f"{self.case.unit}s"]
        if self.case.gap_us and counted["p50_us"] > 1.1 * self.case.events * self.case.gap_us:
            print(f"{name}: streams took {counted['p50_us'] / 1e6:.1f} s: the core is too busy for events in time, which "
                  "then fall together", file=sys.stderr)
        return counted

    def load_on_each_core(self, name, seconds):
        """Requests per second of a load on each core, all at once."""
        def load(core):
            return self.load(name, seconds, core=core)

        with concurrent.futures.ThreadPoolExecutor() as at_once:
            return sum(counted["units"] / counted["seconds"] for counted in at_once.map(load, self.cores))

    def turn(self, name, seconds):
        """A load, and the processor time of each of its requests or events. Without a proxy: the floor, which is what
        a client and a server cost, as a proxy is one of each."""
        process = self.processes[name]
        before = process.cpu_us()
        counted = self.load(name, seconds)
        spent = process.cpu_us() - before + (counted["cpu_us"] if name == "direct" else 0)
        counted["cpu_us_each"] = spent / counted["units"]
        return counted

    def count_calls(self, name, seconds, events=("raw_syscalls:sys_enter",)):
        """System calls of a contestant by request or event, while perf watches: a turn of its own."""
        report = self.folder / "perf"
        pids = ",".join(map(str, self.processes[name].pids()))
        counted = self.load(name, seconds, ["perf", "stat", "-x", ";", "-o", report, "-e", ",".join(events), "-p", pids, "--"])
        calls = [line.split(";")[0] for line in report.read_text().splitlines() if ";" in line]
        if len(calls) != len(events) or not all(c.isdigit() for c in calls):
            raise Failed(f"perf cannot count system calls here: {report.read_text()}")
        return sum(map(int, calls)) / counted["units"]

    def allocations(self, name, seconds):
        """Requests of a load, and calls and bytes that the contestant allocated meanwhile."""
        before = struct.unpack("QQ", self.totals[name].read_bytes())
        requests = self.load(name, seconds)["requests"]
        return requests, *(b - a for a, b in zip(before, struct.unpack("QQ", self.totals[name].read_bytes())))


def check_usage_was_read(told):
    """By what the probe tells at its end."""
    read = re.search(r"answers=(\d+) input_tokens=(\d+)", told)
    if not read or int(read[2]) != int(read[1]) * INPUT_TOKENS:
        raise Failed(f"the probe has not read the usage of all its answers: {told}")
