#include "loadgen/recorder.hpp"

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

namespace oai::loadgen {

using core::Result;

void Batch::append(Batch&& other) {
    const auto move_all = [](auto& to, auto& from) {
        if (to.empty()) {
            to.swap(from);
        } else {
            to.insert(to.end(), from.begin(), from.end());
            from.clear();
        }
    };
    move_all(samples, other.samples);
    move_all(gaps, other.gaps);
}

void ErrorLog::add(metrics::Outcome outcome, std::uint16_t http_status, std::string_view message, std::uint64_t count) {
    report::ErrorClass& of = by_outcome_[static_cast<std::size_t>(outcome)];
    of.count += count;
    for (report::ErrorExample& example : of.examples) {
        if (example.http_status != http_status || example.message != message) continue;
        example.count += count;
        return;
    }
    // Further messages are counted in their class only: texts that hold an id would fill any list.
    if (of.examples.size() < kExamplesPerOutcome)
        of.examples.push_back({.message = std::string(message), .count = count, .http_status = http_status});
}

void ErrorLog::merge(const report::ErrorClass& other) {
    std::uint64_t with_example = 0;
    for (const report::ErrorExample& example : other.examples) {
        add(other.outcome, example.http_status, example.message, example.count);
        with_example += example.count;
    }
    by_outcome_[static_cast<std::size_t>(other.outcome)].count += other.count - std::min(other.count, with_example);
}

void ErrorLog::merge(const ErrorLog& other) {
    for (const report::ErrorClass& of : other.classes()) merge(of);
}

std::vector<report::ErrorClass> ErrorLog::classes() const {
    std::vector<report::ErrorClass> classes;
    for (std::size_t i = 0; i < by_outcome_.size(); ++i) {
        if (by_outcome_[i].count == 0) continue;
        report::ErrorClass& of = classes.emplace_back(by_outcome_[i]);
        of.outcome = static_cast<metrics::Outcome>(i);
        std::stable_sort(
            of.examples.begin(), of.examples.end(),
            [](const report::ErrorExample& a, const report::ErrorExample& b) { return a.count > b.count; });
    }
    return classes;
}

Claims& Claims::operator+=(const Claims& other) noexcept {
    for (const bool is_stream : {false, true}) {
        of(is_stream).offered += other.of(is_stream).offered;
        of(is_stream).sent += other.of(is_stream).sent;
    }
    return *this;
}

Result<Recorder> Recorder::create(std::filesystem::path path, std::string_view header) {
    Recorder recorder;
    recorder.path_ = std::move(path);
    if (recorder.path_.empty()) return recorder;
    Result<metrics::SamplesWriter> file = metrics::SamplesWriter::create(recorder.path_, header);
    if (!file) return std::move(file.error());
    recorder.file_ = std::move(*file);
    return recorder;
}

void Recorder::take(Batch batch) {
    for (const metrics::Sample& sample : batch.samples) {
        totals_.add(sample);
        if (file_) file_->add(sample);
    }
    for (const metrics::Gap& gap : batch.gaps) {
        totals_.add(gap);
        if (file_) file_->add(gap);
    }
}

Result<void> Recorder::flush() {
    return file_ ? file_->flush() : Result<void>{};
}

Result<void> Recorder::finish(std::string_view header) {
    if (!file_) return {};
    const Result<void> finished = file_->finish();
    file_.reset();
    if (!finished) return finished.error();
    // The format has its header in front, so the file is written once more and takes the old one's place when whole.
    Result<metrics::SamplesReader> reader = metrics::SamplesReader::open(path_);
    if (!reader) return reader.error();
    std::filesystem::path fresh = path_;
    fresh += ".tmp";
    Result<metrics::SamplesWriter> writer = metrics::SamplesWriter::create(fresh, header);
    if (!writer) return writer.error();
    const auto copy = [&](const auto& records) {
        for (const auto& record : records) writer->add(record);
    };
    const Result<metrics::SamplesRead> read = reader->read(copy, copy);
    if (!read) return read.error();
    const Result<void> written = writer->finish();
    if (!written) return written.error();
    std::error_code failed;
    std::filesystem::rename(fresh, path_, failed);
    if (failed)
        return core::Error{.code = core::Code::io_failed,
                           .detail = path_.string() + ": cannot replace it: " + failed.message()};
    return {};
}

}  // namespace oai::loadgen
