#pragma once

#include <memory>

#include "core/result.hpp"
#include "gateway/config.hpp"
#include "loadgen/baseline.hpp"
#include "mock/server.hpp"

/// The whole system in one process: a real gateway in front of a scripted upstream, and a target for load.
namespace oai::lab {

/// First output after 20 ms, an event each 5 ms, a whole answer after 50 ms, no faults: what is measured beyond that is
/// the gateway's.
mock::Behaviour steady_upstream();

struct LabOptions {
    mock::Behaviour upstream = steady_upstream();
    unsigned gateway_workers = 1;
};

/// Starts both on free loopback ports with a store in memory. They live as long as the result's `keep`.
core::Result<loadgen::Embedded> start(const LabOptions& options);

}  // namespace oai::lab
