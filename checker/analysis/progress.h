// How far an analysis is. Written by the passes, read by whoever shows it; never waits for either.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace cowvet {

struct Progress {
  std::atomic<const char*> pass{""};  // name of the running pass
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> total{0};  // in the unit of `done`; 0: unknown

  // Called when the first pass begins that has more to do than a small image gives it; may be empty.
  std::function<void()> when_long;
  static constexpr std::uint64_t kFewUnits = 64;

  void begin(const char* name, std::uint64_t units) {
    done.store(0, std::memory_order_relaxed);
    total.store(units, std::memory_order_relaxed);
    pass.store(name, std::memory_order_relaxed);
    if (units > kFewUnits && when_long) std::exchange(when_long, nullptr)();
  }
  void advance(std::uint64_t units) { done.fetch_add(units, std::memory_order_relaxed); }
};

}  // namespace cowvet
