#include "report/run_folder.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "core/units.hpp"
#include "report/baseline.hpp"

namespace oai::report {
namespace {

namespace fs = std::filesystem;

core::Error io_error(const fs::path& path, const std::string& what, const std::error_code& why) {
    return core::Error{.code = core::Code::io_failed, .detail = path.string() + ": " + what + ": " + why.message()};
}

std::error_code last_error() {
    return {errno, std::generic_category()};
}

class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const noexcept { return fd_; }
    bool close() noexcept { return ::close(std::exchange(fd_, -1)) == 0; }

private:
    int fd_;
};

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

}  // namespace

core::Result<fs::path> create_run_folder(const fs::path& out_dir, std::string_view kind, core::WallTime started) {
    std::error_code ec;
    fs::create_directories(out_dir, ec);
    if (ec) return io_error(out_dir, "cannot create the folder for reports", ec);
    const std::string name = core::format_compact_utc(started) + "-" + std::string(kind);
    constexpr int kTries = 1000;
    for (int i = 1; i <= kTries; ++i) {
        const fs::path folder = out_dir / (i == 1 ? name : name + "-" + std::to_string(i));
        // Tells who made it, so two programs that start in the same second never share a folder.
        if (fs::create_directory(folder, ec)) return folder;
        if (ec && ec != std::errc::file_exists) return io_error(folder, "cannot create the run folder", ec);
    }
    return io_error(out_dir / name, "cannot create the run folder", std::make_error_code(std::errc::file_exists));
}

core::Result<void> write_file(const fs::path& path, std::string_view bytes) {
    const fs::path part = path.string() + ".part-" + std::to_string(::getpid());
    const auto failed = [&](const char* what) {
        const std::error_code why = last_error();
        std::error_code ignored;
        fs::remove(part, ignored);
        return io_error(path, what, why);
    };
    Descriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) return io_error(path, "cannot open for writing", last_error());
    if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0) return failed("cannot write");
    if (!file.close()) return failed("cannot write");
    if (::rename(part.c_str(), path.c_str()) != 0) return failed("cannot rename into place");
    return {};
}

core::Result<void> write_documents(const fs::path& folder, const BaselineReport& report) {
    if (core::Result<void> ok = write_file(folder / "report.json", write_json(report)); !ok) return ok;
    if (core::Result<void> ok = write_file(folder / "report.md", write_markdown(report)); !ok) return ok;
    return write_file(folder / "report.html", write_html(report));
}

}  // namespace oai::report
