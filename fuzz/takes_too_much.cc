// Does what no input may do, to show that the bounds hold.
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "fuzz/bounds.h"
#include "fuzz/count_allocations.h"

namespace {

constexpr std::size_t kTooManyBytes = std::size_t{65} << 20;

// Out of sight of the compiler, which leaves out what is freed unused.
void* (*volatile malloc_at_once)(std::size_t) = std::malloc;

void take_seconds(double seconds) {
  const std::clock_t begin = std::clock();
  while (static_cast<double>(std::clock() - begin) < seconds * CLOCKS_PER_SEC) {
  }
}

}  // namespace

void cowvet::fuzz::run_input(std::span<const std::uint8_t> input) {
  const std::string_view much(reinterpret_cast<const char*>(input.data()), input.size());
  if (much == "time") take_seconds(is_sanitized() ? 10.1 : 1.1);
  if (much == "malloc") std::free(malloc_at_once(kTooManyBytes));
  if (much == "new") std::vector<char>(kTooManyBytes).clear();
}
