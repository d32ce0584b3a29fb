// Work shared out over threads: items are taken in order from one counter, so that neighbours in a file are
// read at about the same time and no thread waits for another's share.
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace cowvet {

// Processors that this process may use.
inline unsigned available_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return std::max(1u, std::thread::hardware_concurrency());
  return static_cast<unsigned>(CPU_COUNT(&set));
}

// Threads to use for `items` pieces of work: `wanted`, or one for each processor where that is 0.
inline unsigned thread_count(unsigned wanted, std::uint64_t items) {
  if (items <= 1) return 1;
  if (wanted == 0) wanted = available_processors();
  return static_cast<unsigned>(std::clamp<std::uint64_t>(items, 1, wanted));
}

// Calls work(item, worker) for every item in [0, items); worker numbers the thread, from 0 to threads - 1.
// An exception (out of memory) ends the other threads early and is thrown here.
template <typename Work>
void parallel_for(unsigned threads, std::uint64_t items, Work work) {
  std::atomic<std::uint64_t> next{0};
  std::mutex failure_mutex;
  std::exception_ptr failure;
  const auto run = [&](unsigned worker) {
    try {
      for (std::uint64_t item = 0; (item = next.fetch_add(1, std::memory_order_relaxed)) < items;)
        work(item, worker);
    } catch (...) {
      next.store(items, std::memory_order_relaxed);
      const std::scoped_lock lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned worker = 1; worker < threads; ++worker) helpers.emplace_back(run, worker);
    run(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace cowvet
