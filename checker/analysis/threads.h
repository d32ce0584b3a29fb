// Threads that share a queue of work.
#pragma once

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace cowvet {

// Calls `work` on `threads` threads (0: one for each processor), but no more than there are `pieces`, the
// calling thread among them, and waits for all. `work` takes pieces from a queue until none is left, so that
// it does no harm when the system refuses to start that many.
template <typename Work>
void run_on_threads(unsigned threads, std::uint64_t pieces, Work&& work) {
  const std::uint64_t wanted =
      std::min<std::uint64_t>(threads != 0 ? threads : std::thread::hardware_concurrency(), pieces);
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < wanted) others.emplace_back([&work] { work(); });
  } catch (const std::system_error&) {
    // Those that did start, and this one, do it all.
  }
  work();
}

}  // namespace cowvet
