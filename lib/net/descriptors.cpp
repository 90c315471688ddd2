#include "net/descriptors.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace oai::net {

namespace {

core::Error failure(const char* what) {
    return core::Error{.code = core::Code::io_failed, .detail = std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace

void Descriptor::reset() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

core::Result<Descriptor> Descriptor::duplicate() const {
    const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return failure("cannot duplicate a descriptor");
    return Descriptor(copy);
}

core::Result<DescriptorLimit> raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return failure("cannot read the limit of open files");
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return failure("cannot raise the limit of open files");
    return DescriptorLimit{.soft = limit.rlim_cur, .hard = limit.rlim_max};
}

}  // namespace oai::net
