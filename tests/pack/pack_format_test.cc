// Packs that are damaged, or made to do damage.
#include "checker/pack/pack_format.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <sstream>

#include "checker/device/memory_device.h"
#include "checker/format/endian.h"
#include "tests/pack/support.h"
#include "tests/support/sparse_device.h"

namespace cowvet {
namespace {

using testing::HasSubstr;

std::string packed(const Device& device) {
  std::ostringstream out;
  PackWriter writer(out);
  writer.add(PackedFile::image, device);
  writer.finish();
  return out.str();
}

std::string number(std::uint64_t value) {
  char bytes[8];
  store_big_endian(bytes, value);
  return {bytes, 8};
}

MemoryDevice some_bytes(std::size_t length) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; i += 700) bytes[i] = static_cast<std::byte>(i % 251 + 1);
  return MemoryDevice(std::move(bytes));
}

TEST(PackFormat, gives_back_what_was_packed) {
  for (const std::size_t length : {0, 1, 4095, 4096, 70000, 3 << 20}) {
    MemoryDevice device = some_bytes(length);
    const auto unpacked = unpack(packed(device));
    ASSERT_TRUE(unpacked.has_value()) << unpacked.error();
    EXPECT_EQ(unpacked->image, device.bytes());
  }
}

TEST(PackFormat, costs_nothing_for_holes) {
  SparseDevice device(std::uint64_t{1} << 62, std::vector<std::byte>(4096, std::byte{1}));
  device.put(std::uint64_t{1} << 61, std::vector<std::byte>(5, std::byte{2}));
  EXPECT_LT(packed(device).size(), 300U);
}

TEST(PackFormat, of_another_kind_is_refused) {
  EXPECT_THAT(unpack("").error(), HasSubstr("not a cowvet pack"));
  EXPECT_THAT(unpack("cowvet pack 2\nI").error(), HasSubstr("not a cowvet pack"));
}

TEST(PackFormat, is_refused_wherever_it_is_cut_or_longer) {
  MemoryDevice device = some_bytes(20000);
  const std::string pack = packed(device);
  for (std::size_t length = 0; length < pack.size(); ++length)
    EXPECT_FALSE(unpack(pack.substr(0, length)).has_value()) << length;
  EXPECT_FALSE(unpack(pack + "x").has_value());
}

TEST(PackFormat, is_refused_when_any_bit_is_changed) {
  MemoryDevice device = some_bytes(9000);
  const std::string pack = packed(device);
  for (std::size_t i = 0; i < pack.size(); ++i) {
    std::string other = pack;
    other[i] = static_cast<char>(other[i] ^ 1 << i % 8);
    const auto unpacked = unpack(other);
    // A frame may hold bits that mean nothing: then what comes out is the same.
    EXPECT_TRUE(!unpacked || unpacked->image == device.bytes()) << i;
  }
}

TEST(PackFormat, that_is_a_bomb_stops_at_what_was_allowed) {
  MemoryDevice device(std::vector<std::byte>(64 << 20, std::byte{7}));
  const std::string pack = packed(device);
  EXPECT_LT(pack.size(), 100000U);
  EXPECT_THAT(unpack(pack, 1 << 20).error(), HasSubstr("more than was allowed"));
}

TEST(PackFormat, with_impossible_numbers_is_refused) {
  const std::string magic = "cowvet pack 1\n";
  const std::string head = magic + "I" + number(4096);
  EXPECT_FALSE(unpack(magic + "I" + number(~std::uint64_t{0})).has_value());
  EXPECT_FALSE(unpack(magic + "D" + number(0)).has_value());
  EXPECT_FALSE(unpack(magic + "B").has_value());
  EXPECT_FALSE(unpack(head + "I" + number(0)).has_value());
  // Blocks: offset, length and packed length, check.
  for (const auto& [offset, lengths] :
       std::initializer_list<std::pair<std::uint64_t, std::uint64_t>>{{0, 4097ull << 32 | 1},
                                                                      {4096, 1ull << 32 | 1},
                                                                      {~0ull, 1ull << 32 | 1},
                                                                      {0, 0},
                                                                      {0, 1ull << 32 | 0xffffffff}})
    EXPECT_FALSE(unpack(head + "B" + number(offset) + number(lengths) + number(0) + std::string(100, 'x'))
                     .has_value());
}

TEST(PackFormat, of_random_bytes_is_refused) {
  EXPECT_TRUE(rc::check([] {
    const auto bytes = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("IDBES\0\1\xff", 8)));
    RC_ASSERT(!unpack("cowvet pack 1\n" + bytes).has_value());
  }));
}

}  // namespace
}  // namespace cowvet
