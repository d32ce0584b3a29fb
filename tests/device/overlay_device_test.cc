#include "checker/device/overlay_device.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <vector>

#include "checker/device/memory_device.h"
#include "tests/support/fault_device.h"
#include "tests/support/sparse_device.h"

namespace cowvet {
namespace {

std::vector<std::byte> read_all(const Device& device) {
  std::vector<std::byte> bytes(device.size_bytes());
  EXPECT_TRUE(device.read(0, bytes));
  return bytes;
}

TEST(OverlayDevice, reads_as_a_plain_copy_that_was_written_and_resized) {
  EXPECT_TRUE(rc::check([] {
    const auto size = *rc::gen::inRange<std::size_t>(0, 20000);
    const std::vector<std::byte> base(size, std::byte{0xaa});
    const MemoryDevice below(base);
    OverlayDevice overlay(below);
    std::vector<std::byte> model = base;
    const auto steps = *rc::gen::inRange(1, 12);
    for (int i = 0; i < steps; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, 25000);
      if (*rc::gen::inRange(0, 3) == 0) {
        overlay.resize(at);
        model.resize(at);
      } else {
        const std::vector<std::byte> bytes(*rc::gen::inRange<std::size_t>(1, 9000), std::byte(i + 1));
        overlay.write(at, bytes);
        model.resize(std::max(model.size(), at + bytes.size()));
        std::ranges::copy(bytes, model.begin() + static_cast<std::ptrdiff_t>(at));
      }
      RC_ASSERT(overlay.size_bytes() == model.size());
      RC_ASSERT(read_all(overlay) == model);
      // What next_data passes over must be zeros.
      std::uint64_t at_byte = 0;
      while (at_byte < model.size()) {
        const DataExtent data = overlay.next_data(at_byte);
        RC_ASSERT(data.begin >= at_byte);
        RC_ASSERT(data.end <= model.size());
        for (std::uint64_t b = at_byte; b < data.begin; ++b) RC_ASSERT(model[b] == std::byte{0});
        RC_ASSERT(data.end > at_byte);
        at_byte = data.end;
      }
    }
    RC_ASSERT(read_all(below) == base);
  }));
}

TEST(OverlayDevice, any_piece_reads_as_in_a_plain_copy) {
  EXPECT_TRUE(rc::check([] {
    const MemoryDevice below(std::vector<std::byte>(10000, std::byte{0xaa}));
    OverlayDevice overlay(below);
    std::vector<std::byte> model(10000, std::byte{0xaa});
    for (int i = 0; i < 8; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, 12000);
      const std::vector<std::byte> bytes(*rc::gen::inRange<std::size_t>(1, 6000), std::byte(i));
      overlay.write(at, bytes);
      model.resize(std::max(model.size(), at + bytes.size()));
      std::ranges::copy(bytes, model.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const auto offset = *rc::gen::inRange<std::size_t>(0, 20000);
    std::vector<std::byte> out(*rc::gen::inRange<std::size_t>(0, 9000), std::byte{0x55});
    std::vector<std::byte> expected = model;
    expected.resize(std::max<std::size_t>(offset + out.size(), expected.size()));
    expected = {expected.begin() + static_cast<std::ptrdiff_t>(offset),
                expected.begin() + static_cast<std::ptrdiff_t>(offset + out.size())};
    RC_ASSERT(overlay.read(offset, out).has_value());
    RC_ASSERT(out == expected);
  }));
}

TEST(OverlayDevice, what_was_written_hides_what_cannot_be_read) {
  const MemoryDevice memory(std::vector<std::byte>(20000, std::byte{1}));
  FaultDevice below(memory);
  below.fail_range(5000, 6000);
  OverlayDevice overlay(below);
  std::vector<std::byte> out(20000);
  EXPECT_EQ(overlay.read(0, out).error().offset, 5000u);
  overlay.write(5000, std::vector<std::byte>(500));
  EXPECT_TRUE(overlay.read(5000, std::span(out).first(500)));
  EXPECT_FALSE(overlay.read(5000, std::span(out).first(501)));
  overlay.write(4096, std::vector<std::byte>(4096));
  EXPECT_TRUE(overlay.read(0, out));
  EXPECT_EQ(std::ranges::count(out, std::byte{0}), 4096);
}

TEST(OverlayDevice, size_costs_nothing) {
  constexpr std::uint64_t kSize = std::uint64_t{1} << 62;
  SparseDevice below(kSize, {});
  below.put(1 << 20, std::vector<std::byte>(4096, std::byte{1}));
  OverlayDevice overlay(below);
  overlay.resize(2 * kSize - 1);
  overlay.write(kSize, std::vector<std::byte>(10, std::byte{7}));
  EXPECT_EQ(overlay.next_data(0), (DataExtent{1 << 20, (1 << 20) + 4096}));
  EXPECT_EQ(overlay.next_data((1 << 20) + 4096), (DataExtent{kSize, kSize + 10}));
  EXPECT_EQ(overlay.next_data(kSize + 10), (DataExtent{2 * kSize - 1, 2 * kSize - 1}));
  std::array<std::byte, 20> out{};
  EXPECT_TRUE(overlay.read(kSize, out));
  EXPECT_EQ(std::ranges::count(out, std::byte{7}), 10);
  EXPECT_TRUE(overlay.read(~std::uint64_t{0} - 10, out));
  EXPECT_EQ(std::ranges::count(out, std::byte{0}), 20);
  overlay.resize(1 << 20);
  overlay.resize(kSize);
  EXPECT_EQ(overlay.next_data(0), (DataExtent{kSize, kSize}));
}

}  // namespace
}  // namespace cowvet
