// Shares images out among worker processes (see worker.h), each of which takes many: a process for each image
// would cost more than most images do.
//
// A worker has a short queue of names. Its answers come in the order of the names, so that when it dies, the
// image at the head of its queue is to blame; the others in the queue are given out again. One that takes too
// long over the head of its queue is killed, with the same effect.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "checker/triage/image_result.h"
#include "checker/triage/worker.h"

namespace cowvet {

struct PoolOptions {
  unsigned jobs = 1;                   // worker processes
  std::chrono::nanoseconds timeout{};  // for one image
  std::uint64_t max_memory_bytes = 0;  // as in start_worker
};

// The next image; nothing: there are no more.
using ImageSource = std::function<std::optional<std::string>()>;
using ResultSink = std::function<void(const ImageResult& result)>;

// Hands each image's result to `sink`, in any order, exactly once. Must be called with no other thread
// running. The error says why no worker could be started; then some images were not examined.
std::expected<void, std::string> examine_all(const ImageSource& source, const Examine& examine,
                                             const PoolOptions& options, const ResultSink& sink);

}  // namespace cowvet
