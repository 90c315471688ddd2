#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "metrics/sample.hpp"

/// `samples.oais`: the raw samples of a run. Layout: docs/samples-format.md.
namespace oai::metrics {

struct FileCloser {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

/// Appends samples in blocks. A write that fails is remembered and told by the next flush() or finish(); what was
/// flushed before stays readable.
class SamplesWriter {
public:
    /// Creates or empties the file. `header` is JSON of the caller's: what ran, which streams, the wall time of the
    /// clock base.
    static core::Result<SamplesWriter> create(const std::filesystem::path& path, std::string_view header);

    void add(const Sample& sample);
    void add(const Gap& gap);
    /// Writes out blocks that are not full yet: after that a killed program loses nothing of them.
    core::Result<void> flush();
    /// Flushes and closes. A writer that is destroyed without it leaves a file without its last blocks.
    core::Result<void> finish();

private:
    struct Pending {
        std::string records;
        std::uint32_t count = 0;
    };
    SamplesWriter(File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
    void write_block(std::uint32_t type, Pending& pending);
    void write(std::string_view bytes);

    File file_;
    std::string path_;
    Pending samples_, gaps_;
    int error_ = 0;  ///< errno of the first write that failed
};

/// What a whole file held.
struct SamplesRead {
    std::uint64_t samples = 0;
    std::uint64_t gaps = 0;
    std::uint64_t ignored_bytes = 0;  ///< of an unfinished last block: the file was cut there
};

/// Reads block by block, so that memory does not grow with the file.
class SamplesReader {
public:
    static core::Result<SamplesReader> open(const std::filesystem::path& path);
    /// A file that was received. `bytes` must outlive the reader; `name` stands in errors.
    static core::Result<SamplesReader> from_memory(std::string_view bytes, std::string name);
    const std::string& header() const noexcept { return header_; }

    using OnSamples = std::function<void(std::span<const Sample>)>;
    using OnGaps = std::function<void(std::span<const Gap>)>;
    /// The whole file, once. A damaged block is an error that says where; blocks before it were delivered.
    core::Result<SamplesRead> read(const OnSamples& on_samples, const OnGaps& on_gaps);

private:
    SamplesReader(File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
    core::Error damaged(std::uint64_t offset, std::string_view what) const;
    core::Result<void> read_head();

    File file_;
    std::string path_;
    std::string header_;
    std::uint64_t offset_ = 0;
};

}  // namespace oai::metrics
