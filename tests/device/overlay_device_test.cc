#include "checker/device/overlay_device.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "checker/device/memory_device.h"

namespace cowvet {
namespace {

std::vector<std::byte> read_all(const Device& device) {
  std::vector<std::byte> bytes(device.size_bytes());
  EXPECT_TRUE(device.read(0, bytes));
  return bytes;
}

TEST(OverlayDevice, reads_as_a_plain_copy_that_was_written_and_resized) {
  rc::check([] {
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
  });
}

}  // namespace
}  // namespace cowvet
