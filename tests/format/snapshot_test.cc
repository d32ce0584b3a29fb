#include "checker/format/snapshot.h"

#include <gtest/gtest.h>

#include "tests/format/bytes.h"

namespace cowvet {
namespace {

Snapshot any_snapshot() {
  return {.l1_table_offset = any_number<std::uint64_t>(),
          .l1_size = any_number<std::uint32_t>(),
          .date_seconds = any_number<std::uint32_t>(),
          .date_nanoseconds = any_number<std::uint32_t>(),
          .vm_clock_nanoseconds = any_number<std::uint64_t>(),
          .vm_state_size_32 = any_number<std::uint32_t>(),
          .extra_data = any_bytes(40),
          .id = any_text(20),
          .name = any_text(300)};
}

TEST(SnapshotEntry, survives_encode_and_decode) {
  EXPECT_TRUE(rc::check([] {
    const Snapshot snapshot = any_snapshot();
    std::vector<std::byte> bytes;
    encode_snapshot(snapshot, bytes);
    RC_ASSERT(bytes.size() % 8 == 0u);
    const auto decoded = decode_snapshot(bytes);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded->snapshot == snapshot);
    RC_ASSERT(decoded->entry_bytes == bytes.size());
  }));
}

TEST(SnapshotEntry, a_table_of_them_decodes_one_behind_the_other) {
  EXPECT_TRUE(rc::check([] {
    std::vector<Snapshot> snapshots(*rc::gen::inRange<std::size_t>(0, 6));
    std::vector<std::byte> table;
    for (Snapshot& snapshot : snapshots) encode_snapshot(snapshot = any_snapshot(), table);

    std::span<const std::byte> rest = table;
    for (const Snapshot& snapshot : snapshots) {
      const auto decoded = decode_snapshot(rest);
      RC_ASSERT(decoded.has_value());
      RC_ASSERT(decoded->snapshot == snapshot);
      rest = rest.subspan(decoded->entry_bytes);
    }
    RC_ASSERT(rest.empty());
  }));
}

TEST(SnapshotEntry, a_shorter_piece_says_how_many_bytes_are_needed) {
  EXPECT_TRUE(rc::check([] {
    const Snapshot snapshot = any_snapshot();
    std::vector<std::byte> bytes;
    encode_snapshot(snapshot, bytes);
    const std::uint64_t needed = 40 + snapshot.extra_data.size() + snapshot.id.size() + snapshot.name.size();
    const auto size = *rc::gen::inRange<std::size_t>(0, needed);
    const auto decoded = decode_snapshot(std::span(bytes).first(size));
    RC_ASSERT(!decoded.has_value());
    RC_ASSERT(decoded.error() == (size < 40 ? 40 : needed));
    RC_ASSERT(decode_snapshot(std::span(bytes).first(needed)).has_value());  // padding is not asked for
  }));
}

TEST(SnapshotEntry, lengths_that_no_file_can_hold_are_an_error_not_a_read) {
  std::vector<std::byte> bytes;
  encode_snapshot({}, bytes);
  store_big_endian<std::uint16_t>(bytes.data() + 12, 0xffff);
  store_big_endian<std::uint16_t>(bytes.data() + 14, 0xffff);
  store_big_endian<std::uint32_t>(bytes.data() + 36, 0xffffffff);
  EXPECT_EQ(decode_snapshot(bytes).error(), 40 + 0xffff + 0xffff + 0xffffffffull);
}

// Written by hand from the table in the specification: id "7", name "before".
constexpr const char* kEntry = R"(
  0000000000060000
  00000002
  0001 0006
  65a0bc00 0000002a
  00000000000003e8
  00000000
  00000018
  0000000000000400 0000000040000000 ffffffffffffffff
  37
  6265666f7265
  00)";

TEST(SnapshotEntry, golden_bytes_decode_to_their_fields) {
  const auto bytes = from_hex(kEntry);
  const DecodedSnapshot decoded = decode_snapshot(bytes).value();
  const Snapshot& snapshot = decoded.snapshot;
  EXPECT_EQ(decoded.entry_bytes, 72u);
  EXPECT_EQ(snapshot.l1_table_offset, 0x60000u);
  EXPECT_EQ(snapshot.l1_size, 2u);
  EXPECT_EQ(snapshot.date_seconds, 0x65a0bc00u);
  EXPECT_EQ(snapshot.date_nanoseconds, 42u);
  EXPECT_EQ(snapshot.vm_clock_nanoseconds, 1000u);
  EXPECT_EQ(snapshot.id, "7");
  EXPECT_EQ(snapshot.name, "before");
  EXPECT_EQ(snapshot.vm_state_size(), 1024u);
  EXPECT_EQ(snapshot.disk_size(0), 1u << 30);

  std::vector<std::byte> encoded;
  encode_snapshot(snapshot, encoded);
  EXPECT_EQ(to_hex(encoded), to_hex(bytes));
}

TEST(SnapshotEntry, extra_fields_count_only_where_they_are_whole) {
  const auto with_extra = [](std::size_t size) {
    std::vector<std::byte> extra(size, std::byte{0});
    if (size >= 8) extra[7] = std::byte{9};
    if (size >= 16) extra[15] = std::byte{5};
    return Snapshot{.vm_state_size_32 = 77, .extra_data = extra};
  };
  EXPECT_EQ(with_extra(0).vm_state_size(), 77u);
  EXPECT_EQ(with_extra(7).vm_state_size(), 77u);
  EXPECT_EQ(with_extra(8).vm_state_size(), 9u);
  EXPECT_EQ(with_extra(15).disk_size(1234), 1234u);
  EXPECT_EQ(with_extra(16).disk_size(1234), 5u);
}

}  // namespace
}  // namespace cowvet
