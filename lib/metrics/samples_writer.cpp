#include <cerrno>
#include <cstring>

#include "metrics/samples_file.hpp"
#include "metrics/samples_format.hpp"

namespace oai::metrics {
namespace {

core::Error failed_to(std::string_view what, const std::string& path, int error) {
    return core::Error{.code = core::Code::io_failed,
                       .detail = path + ": cannot " + std::string(what) + ": " + std::strerror(error)};
}

}  // namespace

core::Result<SamplesWriter> SamplesWriter::create(const std::filesystem::path& path, std::string_view header) {
    if (header.size() > format::kMaxHeader)
        return core::Error{.code = core::Code::invalid_argument, .detail = path.string() + ": a header of over 16 MiB"};
    File file(std::fopen(path.c_str(), "wb"));
    if (!file) return failed_to("create", path.string(), errno);
    SamplesWriter writer(std::move(file), path.string());
    std::string head(format::kMagic);
    format::append_u32(head, format::kVersion);
    format::append_u32(head, static_cast<std::uint32_t>(header.size()));
    format::append_u32(head, format::crc(header));
    writer.write(head);
    writer.write(header);
    // A full disk is better known before the run than after it.
    if (core::Result<void> flushed = writer.flush(); !flushed) return flushed.error();
    return writer;
}

void SamplesWriter::add(const Sample& sample) {
    format::append(samples_.records, sample);
    if (++samples_.count == format::kRecordsPerBlock) write_block(format::kSamples, samples_);
}

void SamplesWriter::add(const Gap& gap) {
    format::append(gaps_.records, gap);
    if (++gaps_.count == format::kRecordsPerBlock) write_block(format::kGaps, gaps_);
}

core::Result<void> SamplesWriter::flush() {
    write_block(format::kSamples, samples_);
    write_block(format::kGaps, gaps_);
    if (error_ == 0 && std::fflush(file_.get()) != 0) error_ = errno;
    if (error_ != 0) return failed_to("write", path_, error_);
    return {};
}

core::Result<void> SamplesWriter::finish() {
    core::Result<void> flushed = flush();
    if (std::fclose(file_.release()) != 0 && flushed) return failed_to("close", path_, errno);
    return flushed;
}

void SamplesWriter::write_block(std::uint32_t type, Pending& pending) {
    if (pending.count == 0) return;
    std::string head;
    format::append_u32(head, type);
    format::append_u32(head, pending.count);
    format::append_u32(head, format::crc(pending.records));
    format::append_u32(head, format::crc(head));
    write(head);
    write(pending.records);
    pending.records.clear();
    pending.count = 0;
}

void SamplesWriter::write(std::string_view bytes) {
    if (error_ != 0 || bytes.empty()) return;
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) error_ = errno != 0 ? errno : EIO;
}

}  // namespace oai::metrics
