// The devices that tests wrap around others, held to what they promise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "checker/device/memory_device.h"
#include "tests/support/counting_device.h"
#include "tests/support/fault_device.h"

namespace cowvet {
namespace {

using testing::ElementsAre;

const MemoryDevice& ones() {
  static const MemoryDevice device(std::vector<std::byte>(4096, std::byte{1}));
  return device;
}

TEST(FaultDevice, only_the_read_of_that_number_fails) {
  FaultDevice device(ones());
  device.fail_read(2, ENXIO);
  std::array<std::byte, 16> out{};
  EXPECT_TRUE(device.read(0, out));
  const auto failed = device.read(64, out);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().offset, 64u);
  EXPECT_EQ(failed.error().length, 16u);
  EXPECT_EQ(failed.error().code, ENXIO);
  EXPECT_TRUE(device.read(64, out));
  EXPECT_EQ(out[0], std::byte{1});
  EXPECT_EQ(device.reads(), 3u);
  EXPECT_EQ(device.failures(), 1u);
}

TEST(FaultDevice, reads_that_touch_the_range_fail_at_its_first_byte) {
  FaultDevice device(ones());
  device.fail_range(200, 300, ENXIO);
  device.fail_range(100, 110);
  std::array<std::byte, 50> out{};
  EXPECT_TRUE(device.read(50, out));
  EXPECT_TRUE(device.read(300, out));
  EXPECT_EQ(device.read(51, out).error().offset, 100u);
  EXPECT_EQ(device.read(109, out).error().length, 1u);
  EXPECT_EQ(device.read(299, out).error().offset, 299u);
  std::array<std::byte, 300> all{};
  EXPECT_EQ(device.read(0, all).error().offset, 100u);
  EXPECT_EQ(device.read(0, all).error().code, EIO);
}

TEST(CountingDevice, tells_what_was_read_again) {
  const CountingDevice device(ones());
  std::array<std::byte, 100> out{};
  for (const std::uint64_t offset : {1000, 0, 100, 1050, 1020}) EXPECT_TRUE(device.read(offset, out));
  EXPECT_EQ(device.reads(), 5u);
  EXPECT_EQ(device.bytes_read(), 500u);
  EXPECT_THAT(device.read_again(), ElementsAre(DataExtent{1020, 1120}));
  EXPECT_TRUE(device.read(50, out));
  EXPECT_THAT(device.read_again(), ElementsAre(DataExtent{50, 150}, DataExtent{1020, 1120}));
}

}  // namespace
}  // namespace cowvet
