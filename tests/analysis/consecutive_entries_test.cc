#include "checker/analysis/consecutive_entries.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

#include "checker/format/endian.h"

namespace cowvet {
namespace {

std::vector<std::byte> encoded(const std::vector<std::uint64_t>& entries) {
  std::vector<std::byte> bytes(entries.size() * 8);
  for (std::size_t i = 0; i < entries.size(); ++i) store_big_endian(bytes.data() + i * 8, entries[i]);
  return bytes;
}

TEST(ConsecutiveEntries, run_ends_at_the_first_entry_that_is_another) {
  EXPECT_TRUE(rc::check([](std::uint64_t first, std::uint64_t step) {
    std::vector<std::uint64_t> entries(*rc::gen::inRange<std::size_t>(0, 200));
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = first + i * step;
    RC_ASSERT(count_consecutive(encoded(entries), first, step) == entries.size());
    if (entries.empty()) return;
    const auto other = *rc::gen::inRange<std::size_t>(0, entries.size());
    entries[other] ^= std::uint64_t{1} << *rc::gen::inRange(0, 64);
    RC_ASSERT(count_consecutive(encoded(entries), first, step) == other);
  }));
}

}  // namespace
}  // namespace cowvet
