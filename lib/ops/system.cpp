#include "ops/system.hpp"

#include <cstdio>
#include <sys/resource.h>
#include <unistd.h>

namespace oai::ops {

SystemSample read_system() noexcept {
    SystemSample sample;
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto us = [](const timeval& t) { return std::int64_t{t.tv_sec} * 1'000'000 + t.tv_usec; };
    sample.cpu_us = us(usage.ru_utime) + us(usage.ru_stime);
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
        long long size = 0, resident = 0;
        if (std::fscanf(file, "%lld %lld", &size, &resident) == 2)
            sample.rss_bytes = resident * ::sysconf(_SC_PAGESIZE);
        std::fclose(file);
    }
    return sample;
}

}  // namespace oai::ops
