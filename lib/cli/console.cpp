#include "cli/console.hpp"

#include <string>
#include <unistd.h>

#include "core/units.hpp"

namespace oai::cli {
namespace {

Console console(int descriptor, const config::Environment& environment) {
    Console console;
    console.terminal = ::isatty(descriptor) == 1;
    const auto set = [&](const char* name) { return environment(name).value_or(""); };
    console.color = console.terminal && set("NO_COLOR").empty() && set("TERM") != "dumb";
    // The first of the three that is set decides, as in setlocale().
    std::string locale = set("LC_ALL");
    if (locale.empty()) locale = set("LC_CTYPE");
    if (locale.empty()) locale = set("LANG");
    locale = core::to_lower(locale);
    const bool utf8 = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
    console.unicode = console.terminal && utf8;
    return console;
}

}  // namespace

Console stdout_console(const config::Environment& environment) {
    return console(STDOUT_FILENO, environment);
}

Console stderr_console(const config::Environment& environment) {
    return console(STDERR_FILENO, environment);
}

}  // namespace oai::cli
