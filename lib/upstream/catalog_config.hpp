#pragma once

#include <string>
#include <string_view>

#include "config/section.hpp"
#include "core/result.hpp"
#include "upstream/catalog.hpp"

namespace oai::upstream {

/// Reads [[provider]], [[account]] and [[route]]. What is wrong is noted in the document. One provider and no route
/// means that it takes every model.
Catalog read_catalog(const config::Section& root);

/// One upstream for every model: what `--upstream` and OPENAI_BASE_URL make. Error: the URL cannot be used.
core::Result<Catalog> single_upstream(std::string_view base_url, std::string_view api_key);

}  // namespace oai::upstream
