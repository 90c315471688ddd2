#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "crypto/hash.hpp"
#include "mock/members.hpp"

namespace oai::mock {

/// One file of a form: counted and hashed whole, kept in part.
struct UploadedFile {
    std::string field;
    std::string name;
    std::uint64_t bytes = 0;
    std::string sha256;   ///< hex
    std::string content;  ///< empty when it is longer than Multipart::kKeptBytes

    bool is_kept() const noexcept { return content.size() == bytes; }
};

struct Upload {
    Members fields;  ///< those without a file name, as JSON strings
    std::vector<UploadedFile> files;
};

/// Reads multipart/form-data (RFC 7578) as it arrives, in bounded memory however large its files are.
class Multipart {
public:
    static constexpr std::size_t kKeptBytes = std::size_t{1} << 20;  ///< of a file
    static constexpr std::size_t kMostFieldBytes = std::size_t{256} << 10;
    static constexpr std::size_t kMostHeadBytes = std::size_t{8} << 10;
    static constexpr std::size_t kMostParts = 256;

    /// Whether a content type is one of these forms.
    static bool is_form(std::string_view content_type) noexcept;
    explicit Multipart(std::string_view content_type);

    /// Errors: invalid_request, for what is no such form.
    core::Result<void> feed(std::string_view bytes);
    /// An error when the form has not ended.
    core::Result<Upload> finish();

private:
    enum class State : std::uint8_t { preamble, delimiter, head, data, end };

    core::Result<bool> step();
    core::Result<void> begin_part(std::string_view head);
    core::Result<void> add_data(std::string_view bytes);
    void end_part();

    std::string delimiter_;  ///< CR LF, two hyphens and the boundary; empty: none was given
    State state_ = State::preamble;
    std::string pending_ = "\r\n";  ///< as if a line had ended before the first delimiter
    Upload upload_;
    std::size_t parts_ = 0;
    std::size_t field_bytes_ = 0;
    // The part being read.
    bool is_file_ = false;
    UploadedFile file_;
    std::string value_;
    std::unique_ptr<crypto::Sha256> hash_;
};

}  // namespace oai::mock
