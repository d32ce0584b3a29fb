#include "fuzz/bounds.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "fuzz/count_allocations.h"

namespace cowvet::fuzz {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;

// Two sanitizers and the counters of libFuzzer together take up to twenty times as long.
double most_seconds() {
  return is_sanitized() ? 20 : 1;
}

Cost highest;

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Cost cost_of(std::span<const std::uint8_t> input) {
  begin_counting();
  const double begin = cpu_seconds();
  run_input(input);
  const std::size_t bytes = most_bytes_counted();
  return {.cpu_seconds = cpu_seconds() - begin, .bytes = bytes - std::min(bytes, input.size())};
}

}  // namespace

Cost highest_cost() {
  return highest;
}

}  // namespace cowvet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cowvet::fuzz;
  const Cost cost = cost_of({data, size});
  if (size == 0) return 0;
  highest.cpu_seconds = std::max(highest.cpu_seconds, cost.cpu_seconds);
  highest.bytes = std::max(highest.bytes, cost.bytes);
  if (cost.cpu_seconds <= most_seconds() && cost.bytes <= kMostBytes) return 0;
  std::fprintf(stderr, "an input of %zu bytes takes %.1f s and %zu bytes more than it has itself\n", size,
               cost.cpu_seconds, cost.bytes);
  std::abort();
}
