// Threads that share a queue of work.
#pragma once

#include <algorithm>
#include <system_error>
#include <thread>
#include <vector>

namespace cowvet {

// 0: one for each processor.
inline unsigned thread_count(unsigned asked) {
  return asked != 0 ? asked : std::max(1u, std::thread::hardware_concurrency());
}

// Calls `work` on `threads` threads, the calling one among them, and waits for all. `work` takes pieces from
// a queue until none is left, so that it does no harm when the system refuses to start that many.
template <typename Work>
void run_on_threads(unsigned threads, Work&& work) {
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < thread_count(threads)) others.emplace_back([&work] { work(); });
  } catch (const std::system_error&) {
    // Those that did start, and this one, do it all.
  }
  work();
}

}  // namespace cowvet
