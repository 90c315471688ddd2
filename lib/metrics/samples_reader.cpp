#include <cerrno>
#include <cstring>

#include "metrics/samples_file.hpp"
#include "metrics/samples_format.hpp"

namespace oai::metrics {
namespace {

/// Up to `size` bytes; fewer at the end of the file.
std::string read_up_to(std::FILE* file, std::size_t size) {
    std::string bytes(size, '\0');
    bytes.resize(std::fread(bytes.data(), 1, size, file));
    return bytes;
}

/// The records of one block; false when one of them holds what no writer writes.
template <class Record>
bool parse_all(std::string_view bytes, std::size_t record_size, std::vector<Record>& records) {
    records.resize(bytes.size() / record_size);
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (!format::parse(bytes.substr(i * record_size, record_size), records[i])) return false;
    }
    return true;
}

}  // namespace

core::Error SamplesReader::damaged(std::uint64_t offset, std::string_view what) const {
    return core::Error{.code = core::Code::parse_failed,
                       .detail = path_ + ": damaged at byte " + std::to_string(offset) + ": " + std::string(what)};
}

core::Result<SamplesReader> SamplesReader::open(const std::filesystem::path& path) {
    File file(std::fopen(path.c_str(), "rb"));
    if (!file)
        return core::Error{.code = core::Code::io_failed,
                           .detail = path.string() + ": cannot open: " + std::strerror(errno)};
    SamplesReader reader(std::move(file), path.string());
    if (core::Result<void> head = reader.read_head(); !head) return head.error();
    return reader;
}

core::Result<SamplesReader> SamplesReader::from_memory(std::string_view bytes, std::string name) {
    // Opened for reading only: the bytes are not touched.
    File file(::fmemopen(const_cast<char*>(bytes.data()), bytes.size(), "rb"));
    if (!file) return core::Error{.code = core::Code::parse_failed, .detail = name + ": empty"};
    SamplesReader reader(std::move(file), std::move(name));
    if (core::Result<void> head = reader.read_head(); !head) return head.error();
    return reader;
}

core::Result<void> SamplesReader::read_head() {
    const auto refuse = [&](const std::string& why) {
        return core::Error{.code = core::Code::parse_failed, .detail = path_ + ": " + why};
    };
    const std::string head = read_up_to(file_.get(), format::kFileHeadSize);
    if (head.size() < format::kFileHeadSize || !head.starts_with(format::kMagic))
        return refuse("not a samples file: it must begin with \"OAIS\"");
    if (const std::uint32_t version = format::read_u32(head, 4); version != format::kVersion)
        return refuse("samples format " + std::to_string(version) + "; this program reads format " +
                      std::to_string(format::kVersion));
    const std::uint32_t length = format::read_u32(head, 8);
    if (length > format::kMaxHeader) return damaged(8, "a header of over 16 MiB");
    header_ = read_up_to(file_.get(), length);
    if (header_.size() < length) return refuse("cut within its header");
    if (format::crc(header_) != format::read_u32(head, 12))
        return damaged(12, "the header does not match its checksum");
    offset_ = format::kFileHeadSize + length;
    return {};
}

core::Result<SamplesRead> SamplesReader::read(const OnSamples& on_samples, const OnGaps& on_gaps) {
    SamplesRead sum;
    std::vector<Sample> samples;
    std::vector<Gap> gaps;
    for (;;) {
        const std::string head = read_up_to(file_.get(), format::kBlockHeadSize);
        if (head.size() < format::kBlockHeadSize) {
            sum.ignored_bytes = head.size();
            break;
        }
        // The head has a checksum of its own: a damaged count must not pass for a cut file, which would hide what
        // follows.
        if (format::crc(std::string_view(head).substr(0, 12)) != format::read_u32(head, 12))
            return damaged(offset_, "a block head that does not match its checksum");
        const std::uint32_t type = format::read_u32(head, 0), count = format::read_u32(head, 4);
        if ((type != format::kSamples && type != format::kGaps) || count == 0 || count > format::kRecordsPerBlock)
            return damaged(offset_,
                           "a block of type " + std::to_string(type) + " with " + std::to_string(count) + " records");
        const std::size_t record_size = type == format::kSamples ? format::kSampleSize : format::kGapSize;
        const std::string records = read_up_to(file_.get(), count * record_size);
        if (records.size() < count * record_size) {
            sum.ignored_bytes = head.size() + records.size();
            break;
        }
        if (format::crc(records) != format::read_u32(head, 8))
            return damaged(offset_, "records that do not match their checksum");
        const bool known =
            type == format::kSamples ? parse_all(records, record_size, samples) : parse_all(records, record_size, gaps);
        if (!known) return damaged(offset_, "a record that no writer writes");
        if (type == format::kSamples) {
            sum.samples += count;
            if (on_samples) on_samples(samples);
        } else {
            sum.gaps += count;
            if (on_gaps) on_gaps(gaps);
        }
        offset_ += head.size() + records.size();
    }
    if (std::ferror(file_.get()) != 0)
        return core::Error{.code = core::Code::io_failed, .detail = path_ + ": cannot read: " + std::strerror(errno)};
    return sum;
}

}  // namespace oai::metrics
