#include "config/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace oai::config {

core::Result<std::string> read_file(const std::string& path, std::size_t most) {
    // Not std::ifstream: it opens a directory, and reading one throws.
    const auto failed = [](int error) {
        return core::Error{.code = core::Code::io_failed,
                           .detail = std::string("cannot be read: ") + std::strerror(error)};
    };
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed(errno);
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t got = 0;
    while (text.size() <= most && (got = ::read(fd, buffer.data(), buffer.size())) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    const int error = errno;
    ::close(fd);
    if (got < 0) return failed(error);
    text.resize(std::min(text.size(), most + 1));
    return text;
}

}  // namespace oai::config
