#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.hpp"
#include "config/section.hpp"
#include "core/result.hpp"

namespace oai::config {

/// A TOML file being read. The reader takes values section by section and never stops at the first mistake; `finish`
/// then says everything that was wrong at once, each with file and line:
///
///     core::Result<Document> document = Document::load("oaigw.toml");
///     if (!document) return document.error();
///     const Section limits = document->root().section("limits");
///     config.ip_rpm = limits.integer("ip_rpm", 0, 0, 1'000'000);
///     if (core::Result<void> good = document->finish(); !good) return good.error();
///
/// One thread at a time, sections included.
class Document {
public:
    /// `name` stands in the messages, usually the path. Errors: parse_failed with `name:line:column`.
    static core::Result<Document> parse(std::string_view text, std::string name,
                                        Environment environment = process_environment());
    /// Errors: io_failed when the file cannot be read, parse_failed as above.
    static core::Result<Document> load(const std::string& path, Environment environment = process_environment());

    const std::string& name() const noexcept;
    Section root() const;

    /// Everything wrong so far, in the order of the file, and every key that was never asked for. Call it last.
    std::vector<std::string> problems() const;
    /// The same as one error (parse_failed), one problem per line.
    core::Result<void> finish() const;

private:
    explicit Document(std::shared_ptr<DocumentState> state) : state_(std::move(state)) {}

    std::shared_ptr<DocumentState> state_;
};

}  // namespace oai::config
