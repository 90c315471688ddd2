#include "loadgen/environment.hpp"

#include <fstream>
#include <sys/utsname.h>
#include <thread>

#include "core/units.hpp"

namespace oai::loadgen {

report::Build this_build() {
    return {.version = OAI_VERSION, .type = OAI_BUILD_TYPE, .compiler = OAI_COMPILER};
}

report::Machine this_machine() {
    report::Machine machine;
    utsname name{};
    if (::uname(&name) == 0) machine.kernel = std::string(name.sysname) + " " + name.release;
    std::ifstream cpus("/proc/cpuinfo");
    for (std::string line; std::getline(cpus, line);) {
        const std::size_t colon = line.find(':');
        if (!line.starts_with("model name") || colon == std::string::npos) continue;
        machine.cpu_model = core::trim(std::string_view(line).substr(colon + 1));
        break;
    }
    machine.cpus = std::thread::hardware_concurrency();
    return machine;
}

}  // namespace oai::loadgen
