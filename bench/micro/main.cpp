#include <string>

#include <benchmark/benchmark.h>
#include <simdjson.h>

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    // Chosen at run time by what the processor can do: without AVX-512 the body edits take twice as long.
    benchmark::AddCustomContext("simdjson", std::string(simdjson::get_active_implementation()->name()));
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
