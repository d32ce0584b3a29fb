#include "repair/journal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "checker/device/memory_device.h"

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;

// Old and new bytes of each change.
class BytesInMemory final : public ChangeBytes {
 public:
  std::expected<void, std::string> read(const Change& change, Side side,
                                        std::span<std::byte> out) const override {
    std::ranges::copy(bytes.at({change.target, change.offset, side}), out.begin());
    return {};
  }

  std::map<std::tuple<File, std::uint64_t, Side>, Bytes> bytes;
};

Bytes encode(const Journal& journal, const std::vector<JournalStage>& marks) {
  Bytes bytes;
  const auto seal = encode_journal(journal, [&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return std::expected<void, std::string>{};
  });
  for (const JournalStage stage : marks) {
    const Bytes mark = encode_mark(seal.value(), stage);
    bytes.insert(bytes.end(), mark.begin(), mark.end());
  }
  return bytes;
}

Bytes arbitrary_bytes(std::size_t length) {
  return *rc::gen::container<Bytes>(length,
                                    rc::gen::map(rc::gen::arbitrary<std::uint8_t>(),
                                                 [](std::uint8_t b) { return static_cast<std::byte>(b); }));
}

ChangedFile arbitrary_file(std::uint64_t size) {
  ChangedFile file{.path = *rc::gen::arbitrary<std::string>(),
                   .old_size_bytes = *rc::gen::inRange<std::uint64_t>(0, size + 1),
                   .new_size_bytes = size,
                   .bound_hash = *rc::gen::arbitrary<std::uint64_t>()};
  if (*rc::gen::arbitrary<bool>())
    file.identity = {*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()};
  return file;
}

void add_arbitrary_changes(Changes& changes, BytesInMemory& bytes, File target, std::uint64_t size) {
  std::uint64_t offset = *rc::gen::inRange(0, 3) * kBlockBytes;
  while (offset < size) {
    const std::size_t length = std::min<std::uint64_t>(*rc::gen::inRange(1, 600), size - offset);
    changes.changes.push_back(
        {target, *rc::gen::element(Phase::structures, Phase::pointers), offset, length});
    for (const Side side : {Side::old_bytes, Side::new_bytes})
      bytes.bytes[{target, offset, side}] = arbitrary_bytes(length);
    offset += *rc::gen::inRange(1, 4) * kBlockBytes;
  }
}

Journal arbitrary_journal() {
  Journal journal{.id = *rc::gen::arbitrary<std::uint64_t>()};
  journal.boot_id.fill(static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>()));
  const auto size = *rc::gen::inRange<std::uint64_t>(0, 20'000);
  journal.changes.note = *rc::gen::arbitrary<std::string>();
  journal.changes.image = arbitrary_file(size);
  const auto bytes = std::make_shared<BytesInMemory>();
  journal.changes.bytes = bytes;
  add_arbitrary_changes(journal.changes, *bytes, File::image, size);
  if (!*rc::gen::arbitrary<bool>()) return journal;
  journal.changes.data_file = arbitrary_file(size);
  add_arbitrary_changes(journal.changes, *bytes, File::data_file, size);
  return journal;
}

void expect_same(const Changes& read, const Changes& written) {
  RC_ASSERT(read.image == written.image);
  RC_ASSERT(read.data_file == written.data_file);
  RC_ASSERT(read.note == written.note);
  RC_ASSERT(read.changes.size() == written.changes.size());
  for (std::size_t i = 0; i < read.changes.size(); ++i) {
    Change change = read.changes[i];
    change.place = 0;
    RC_ASSERT(change == written.changes[i]);
    for (const Side side : {Side::old_bytes, Side::new_bytes})
      RC_ASSERT(read.read(read.changes[i], side).value() == written.read(written.changes[i], side).value());
  }
}

TEST(Journal, reads_what_was_written) {
  EXPECT_TRUE(rc::check([] {
    const Journal journal = arbitrary_journal();
    const JournalStage last = *rc::gen::element(JournalStage::back, JournalStage::committed);
    const Bytes bytes = encode(journal, {JournalStage::sealed, last});
    const MemoryDevice device(bytes);
    const auto read = read_journal(device);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->id == journal.id);
    RC_ASSERT(read->boot_id == journal.boot_id);
    expect_same(read->changes, journal.changes);
    RC_ASSERT(read->stage == last);
    RC_ASSERT(read->end_bytes == bytes.size());
    RC_ASSERT(!read->has_tail);
  }));
}

TEST(Journal, takes_no_flipped_bit_before_the_seal_for_a_journal) {
  EXPECT_TRUE(rc::check([] {
    Bytes bytes = encode(arbitrary_journal(), {JournalStage::sealed});
    const auto bit = *rc::gen::inRange<std::size_t>(0, (bytes.size() - kBlockBytes) * 8);
    bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    RC_ASSERT(!read_journal(MemoryDevice(bytes)).has_value());
  }));
}

TEST(Journal, takes_a_cut_one_for_one_that_was_never_sealed) {
  EXPECT_TRUE(rc::check([] {
    Bytes bytes = encode(arbitrary_journal(), {JournalStage::sealed});
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size()));
    const auto read = read_journal(MemoryDevice(bytes));
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->stage == JournalStage::unsealed);
    RC_ASSERT(read->changes.changes.empty());
  }));
}

TEST(Journal, survives_any_bytes) {
  EXPECT_TRUE(rc::check([] {
    Bytes bytes = encode(arbitrary_journal(), {JournalStage::sealed, JournalStage::back});
    for (int i = 0; i < *rc::gen::inRange(1, 20); ++i)
      bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
          static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
    (void)read_journal(MemoryDevice(bytes));
    (void)read_journal(MemoryDevice(arbitrary_bytes(*rc::gen::inRange<std::size_t>(0, 10'000))));
  }));
}

}  // namespace
}  // namespace cowvet
