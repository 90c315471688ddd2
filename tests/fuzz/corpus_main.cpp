// Runs a fuzz target over its corpus without libFuzzer: every file, and every file cut off at every place.
//
//   fuzz_sse CORPUS_FOLDER

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/fuzz.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 1;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::size_t runs = 0;
    for (const std::filesystem::path& file : files) {
        std::ifstream in(file, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        std::printf("%s: %zu bytes\n", file.c_str(), bytes.size());
        for (std::size_t size = 0; size <= bytes.size(); ++size, ++runs) {
            // A copy of exactly its size, so that a read beyond it is seen.
            const oai::fuzz::Block input(std::string_view(bytes).substr(0, size));
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
        }
    }
    std::printf("%zu runs\n", runs);
    return runs > 1 ? 0 : 1;  // an empty corpus tests nothing
}
