#include "crypto/key_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "core/ids.hpp"
#include "crypto/random.hpp"

namespace oai::crypto {
namespace {

using core::Code;
using core::Error;
using core::Result;

constexpr std::size_t kHexDigits = 64;

class File {
public:
    explicit File(int fd) noexcept : fd_(fd) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

Error failed(const std::string& path, const std::string& what, int error) {
    return Error{.code = Code::io_failed, .detail = path + ": " + what + ": " + std::strerror(error)};
}

/// Empty when there is no such file.
Result<std::optional<Key>> read_key(const std::string& path) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        if (errno == ENOENT) return std::optional<Key>{};
        return failed(path, "the key file cannot be opened", errno);
    }
    struct stat facts {};
    if (::fstat(file.fd(), &facts) != 0) return failed(path, "the key file cannot be looked at", errno);
    if (!S_ISREG(facts.st_mode)) return Error{.code = Code::invalid_argument, .detail = path + ": not a file"};
    if ((facts.st_mode & 07777 & ~0600U) != 0)
        return Error{.code = Code::invalid_argument,
                     .detail = path + ": others than its owner may use this key file; run: chmod 600 " + path};
    std::string text(kHexDigits + 3, '\0');  // one more than a key with its line end, to notice what is longer
    const ssize_t got = ::read(file.fd(), text.data(), text.size());
    if (got < 0) return failed(path, "the key file cannot be read", errno);
    text.resize(static_cast<std::size_t>(got));
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    Result<Key> key = parse_key_hex(text, path);
    if (!key) return key.error();
    return std::optional<Key>(*key);
}

Result<void> write_all(const File& file, const std::string& path, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(file.fd(), text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return failed(path, "the key file cannot be written", errno);
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    if (::fsync(file.fd()) != 0) return failed(path, "the key file cannot be brought to disk", errno);
    return {};
}

/// The directory of `path`, made when missing with mode 0700; those above it with the usual mode.
Result<std::string> directory_of(const std::string& path) {
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    if (parent.empty()) return std::string(".");
    std::error_code ec;
    if (parent.has_parent_path()) std::filesystem::create_directories(parent.parent_path(), ec);
    if (::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST)
        return failed(parent.string(), "the directory of the key file cannot be made", errno);
    return parent.string();
}

/// Writes beside and links into place: O_EXCL on the file itself would show a second process a file still empty, and a
/// crash would leave one. `link` never replaces: when another process was faster, its key is the one.
Result<void> create_key(const std::string& path) {
    Result<std::string> directory = directory_of(path);
    if (!directory) return directory.error();
    const std::string draft = path + ".new-" + core::to_hex(random_bytes(8));
    Result<void> made = [&]() -> Result<void> {
        const File file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!file) return failed(draft, "the key file cannot be created", errno);
        Result<void> written = write_all(file, draft, core::to_hex(random_bytes(sizeof(Key))) + "\n");
        if (!written) return written;
        if (::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST)
            return failed(path, "the key file cannot be put into place", errno);
        return {};
    }();
    ::unlink(draft.c_str());
    if (!made) return made;
    const File parent(::open(directory->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.fd()) != 0)
        return failed(*directory, "the directory cannot be brought to disk", errno);
    return {};
}

}  // namespace

std::string_view as_bytes(const Key& key) noexcept {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}

Result<Key> parse_key_hex(std::string_view hex, std::string_view where) {
    const std::string bytes = hex.size() == kHexDigits ? core::from_hex(hex) : std::string();
    Key key;
    if (bytes.size() != key.size())
        return Error{.code = Code::invalid_argument,
                     .detail = std::string(where) + ": must be 64 hex digits (32 bytes), got " +
                               (hex.size() > kHexDigits    ? "more"
                                : hex.size() == kHexDigits ? "something that is not hex"
                                                           : std::to_string(hex.size()) + " characters")};
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return key;
}

Result<Key> load_or_create_key_file(const std::string& path) {
    if (path.empty()) return Error{.code = Code::invalid_argument, .detail = "the key file has no name"};
    Result<std::optional<Key>> key = read_key(path);
    if (key && !*key) {
        if (Result<void> made = create_key(path); !made) return made.error();
        // Read back, also what was just written: both starts of a race, and every later start, get the key the same
        // way.
        key = read_key(path);
    }
    if (!key) return key.error();
    if (!*key) return Error{.code = Code::io_failed, .detail = path + ": the key file vanished while it was read"};
    return **key;
}

}  // namespace oai::crypto
