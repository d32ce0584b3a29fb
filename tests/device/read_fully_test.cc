#include "checker/device/read_fully.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <vector>

namespace cowvet {
namespace {

// A system call that answers from a table of bytes, and otherwise as it is told.
class Calls {
 public:
  explicit Calls(std::size_t file_bytes) : file_(file_bytes) {
    for (std::size_t i = 0; i < file_bytes; ++i) file_[i] = static_cast<std::byte>(i * 7 + i / 256);
  }

  std::set<std::uint64_t> bad_sectors;
  std::size_t at_most = ~std::size_t{0};  // bytes that one call gives
  std::map<int, int> fails;               // call number -> errno
  bool only_small = false;                // calls for more than a sector fail
  int calls = 0;

  ssize_t operator()(std::uint64_t offset, std::span<std::byte> out) {
    if (const auto failing = fails.find(++calls); failing != fails.end()) return fail(failing->second);
    if (only_small && out.size() > kSectorBytes) return fail(EINVAL);
    const std::uint64_t end = std::min<std::uint64_t>(file_.size(), offset + out.size());
    if (offset >= end) return 0;
    const auto bad = bad_sectors.lower_bound(offset / kSectorBytes);
    if (bad != bad_sectors.end() && *bad * kSectorBytes < end) return fail(EIO);
    const auto got = std::min<std::size_t>(at_most, end - offset);
    std::copy_n(file_.begin() + static_cast<std::ptrdiff_t>(offset), got, out.begin());
    return static_cast<ssize_t>(got);
  }

  std::vector<std::byte> bytes(std::size_t offset, std::size_t length) const {
    const auto begin = file_.begin() + static_cast<std::ptrdiff_t>(offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(length)};
  }

 private:
  static ssize_t fail(int code) {
    errno = code;
    return -1;
  }

  std::vector<std::byte> file_;
};

std::expected<std::uint64_t, IoError> read(Calls& calls, std::uint64_t offset, std::span<std::byte> out) {
  return read_fully([&](std::uint64_t at, std::span<std::byte> part) { return calls(at, part); }, offset,
                    out);
}

TEST(ReadFully, interrupted_calls_are_made_again) {
  Calls calls(4096);
  calls.fails = {{1, EINTR}, {2, EINTR}};
  std::vector<std::byte> out(1000);
  EXPECT_EQ(read(calls, 100, out), 1000u);
  EXPECT_EQ(out, calls.bytes(100, 1000));
  EXPECT_EQ(calls.calls, 3);
}

TEST(ReadFully, short_reads_are_continued) {
  for (const std::size_t at_most : {1, 7, 512, 999}) {
    Calls calls(4096);
    calls.at_most = at_most;
    calls.fails = {{2, EINTR}};
    std::vector<std::byte> out(1000);
    EXPECT_EQ(read(calls, 33, out), 1000u);
    EXPECT_EQ(out, calls.bytes(33, 1000));
  }
}

TEST(ReadFully, end_of_the_file_is_no_error) {
  Calls calls(4096);
  std::vector<std::byte> out(1000);
  EXPECT_EQ(read(calls, 4000, out), 96u);
  EXPECT_EQ(read(calls, 4096, out), 0u);
  EXPECT_EQ(read(calls, 0, {}), 0u);
}

TEST(ReadFully, large_read_that_fails_names_the_sector) {
  Calls calls(1 << 20);
  calls.bad_sectors = {1000, 1001, 2000};
  std::vector<std::byte> out(1 << 20);
  const auto failed = read(calls, 0, out);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().offset, 1000 * kSectorBytes);
  EXPECT_EQ(failed.error().length, kSectorBytes);
  EXPECT_EQ(failed.error().code, EIO);
  // The large read and the sector: a disk may take seconds to give up, so no bad sector is tried again.
  EXPECT_EQ(calls.calls, 1 + 1000 + 1);
}

TEST(ReadFully, small_read_that_fails_is_not_repeated) {
  Calls calls(4096);
  calls.bad_sectors = {2};
  std::vector<std::byte> out(100);
  EXPECT_EQ(read(calls, 1100, out).error().offset, 1100u);
  EXPECT_EQ(calls.calls, 1);
}

TEST(ReadFully, what_can_be_read_by_sectors_is_used) {
  Calls calls(1 << 16);
  calls.only_small = true;
  std::vector<std::byte> out(10'000);
  EXPECT_EQ(read(calls, 300, out), 10'000u);
  EXPECT_EQ(out, calls.bytes(300, 10'000));
}

TEST(ReadFully, error_is_the_first_bad_byte_whatever_is_read_around_it) {
  EXPECT_TRUE(rc::check([] {
    Calls calls(64 * 512);
    calls.bad_sectors = *rc::gen::container<std::set<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 64));
    calls.at_most = *rc::gen::inRange<std::size_t>(1, 8000);
    const auto offset = *rc::gen::inRange<std::uint64_t>(0, 64 * 512);
    std::vector<std::byte> out(*rc::gen::inRange<std::size_t>(1, 64 * 512 - offset + 1));
    const std::uint64_t end = offset + out.size();
    const auto result = read(calls, offset, out);
    const auto bad = calls.bad_sectors.lower_bound(offset / kSectorBytes);
    if (bad == calls.bad_sectors.end() || *bad * kSectorBytes >= end) {
      RC_ASSERT(result.value() == out.size());
      RC_ASSERT(out == calls.bytes(offset, out.size()));
    } else {
      RC_ASSERT(!result);
      RC_ASSERT(result.error().offset == std::max(offset, *bad * kSectorBytes));
      RC_ASSERT(result.error().offset + result.error().length == std::min(end, (*bad + 1) * kSectorBytes));
    }
  }));
}

}  // namespace
}  // namespace cowvet
