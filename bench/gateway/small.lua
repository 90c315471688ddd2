-- One small Responses request, about 470 bytes with its head: what the reference measurements call "small".
wrk.method = "POST"
wrk.path = "/v1/responses"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer " .. (os.getenv("BENCH_KEY") or "sk-bench-client")
wrk.headers["user-agent"] = "codex_cli_rs/0.1.0"
wrk.body = '{"model":"gpt-5","input":[{"role":"user","content":[{"type":"input_text","text":"Reply with a short greeting. ' ..
  string.rep("pad ", 20) .. '"}]}],"max_output_tokens":32,"store":false}'

function done(summary, latency, requests)
  -- One line for the script: requests, errors, seconds.
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format("bench requests=%d errors=%d seconds=%.3f\n", summary.requests, errors, summary.duration / 1e6))
end
