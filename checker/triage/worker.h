// A worker process: takes images by name, one after another, and answers each with a line of JSON.
//
// A worker may die of an image, hang in it or eat memory: that is its own affair. Its memory is limited by
// the system, its time by the program, which ends it. Names come in as "NAME\0", answers go out in the same
// order.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "checker/device/descriptor.h"
#include "checker/triage/image_result.h"

namespace cowvet {

// Called in a worker. May do anything.
using Examine = std::function<ImageResult(const std::string& path)>;

struct WorkerProcess {
  pid_t process = -1;
  Descriptor socket;  // closing it ends the worker once it has answered
};

// Forks, so there must be no other thread. `max_memory_bytes`: more than now; 0: no limit. The error is an
// errno value.
std::expected<WorkerProcess, int> start_worker(const Examine& examine, std::uint64_t max_memory_bytes);

// Whether all of it was sent; else there is nobody at the other end. Waits where there is no room.
bool send_all(int socket, std::string_view text);

}  // namespace cowvet
