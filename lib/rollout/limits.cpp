#include "rollout/limits.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "config/file.hpp"

namespace oai::rollout {

using core::Code;
using core::Error;
using core::Result;

namespace {

Result<thresholds::LimitSet> read_limits_file(const std::string& path) {
    constexpr std::size_t kMostBytes = std::size_t{1} << 20;
    const auto named = [&](const std::string& why) {
        return Error{.code = Code::invalid_argument, .detail = "--limits " + path + ": " + why};
    };
    const Result<std::string> text = config::read_file(path, kMostBytes);
    if (!text) return named(text.error().detail);
    if (text->size() > kMostBytes) return named("is larger than 1 MiB: not a file of limits");
    Result<thresholds::LimitSet> set = thresholds::read_limits(*text, std::filesystem::path(path).filename().string());
    if (!set) return named(set.error().detail);
    if (set->rules.empty()) return named("holds no limit, so nothing could be judged");
    return set;
}

}  // namespace

Result<LimitChoice> choose_limits(const std::string& file, const std::string& set,
                                  const std::vector<std::string>& single) {
    LimitChoice choice;
    if (!file.empty() && !set.empty())
        return Error{.code = Code::invalid_argument,
                     .detail = "--limits and --set exclude each other: give one of them"};
    if (!file.empty()) {
        Result<thresholds::LimitSet> read = read_limits_file(file);
        if (!read) return read.error();
        choice.base = std::move(*read);
        choice.from = "--limits " + file;
    } else if (set == "target" || set == "rollback") {
        choice.base = set == "target" ? thresholds::target_set() : thresholds::rollback_set();
        choice.from = "--set " + set;
    } else if (!set.empty()) {
        return Error{.code = Code::invalid_argument, .detail = "--set must be target or rollback, got \"" + set + "\""};
    }
    for (const std::string& text : single) {
        Result<thresholds::Limit> limit = thresholds::parse_limit(text);
        if (!limit) return Error{.code = limit.error().code, .detail = "--limit: " + limit.error().detail};
        for (const thresholds::Limit& other : choice.single) {
            if (other.subject() == limit->subject())
                return Error{.code = Code::invalid_argument,
                             .detail = "--limit: " + limit->subject() + " stands twice"};
        }
        choice.single.push_back(*limit);
    }
    return choice;
}

void apply(thresholds::LimitSet& set, const std::vector<thresholds::Limit>& single) {
    for (const thresholds::Limit& limit : single) {
        const std::string subject = limit.subject();
        const auto same = [&](const thresholds::Rule& rule) { return rule.limit.subject() == subject; };
        // Several rules may speak of one subject (an advisory one beside a required one): the option replaces them all.
        const auto first = std::find_if(set.rules.begin(), set.rules.end(), same);
        thresholds::Rule rule{.limit = limit};
        if (first == set.rules.end()) {
            set.rules.push_back(std::move(rule));
            continue;
        }
        *first = std::move(rule);
        set.rules.erase(std::remove_if(first + 1, set.rules.end(), same), set.rules.end());
    }
    if (!single.empty()) set.name += "+limit";
}

}  // namespace oai::rollout
