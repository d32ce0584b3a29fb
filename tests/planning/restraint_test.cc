// What a repair must not do: lower refcounts while something that may refer to clusters is not understood,
// let a block device grow, touch bitmaps, unknown extensions, unknown fields and names that are none of its
// business.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "checker/analysis/passes.h"
#include "checker/device/memory_device.h"
#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

constexpr const char* kDisk = R"(
  image size=8M cluster=4K
  write 0+256K with=0x11
  snapshot 1
  write 64K+64K with=0x22
  bitmap b set=0+64K
  leak clusters=3 with=random
)";

const PlanOptions kAllConsents{.allow_metadata = true, .allow_lossy = true};

void expect_no_refcount_lowered(const PlannedRepair& repair) {
  const std::vector<std::uint64_t> before = stored_refcounts(repair.built.image);
  const std::vector<std::uint64_t> after = stored_refcounts(repair.image);
  std::vector<std::size_t> lowered;
  for (std::size_t cluster = 0; cluster < before.size(); ++cluster)
    if (after[cluster] < before[cluster]) lowered.push_back(cluster);
  EXPECT_EQ(lowered, std::vector<std::size_t>());
}

TEST(Restraint, refcounts_are_lowered_where_all_is_understood) {
  const PlannedRepair repair(kDisk, {});
  EXPECT_EQ(repair.fired(), "");
  EXPECT_EQ(stored_refcounts(repair.image).at(repair.built.layout.leaks.at(0) / 4096), 0u);
}

TEST(Restraint, no_refcount_is_lowered_where_something_is_not_understood) {
  for (const char* damage : {
           "unreadable at=l2:0",                             // an L2 table
           "unreadable at=l1",                               // the L1 table
           "unreadable at=l1@1",                             // that of a snapshot
           "unreadable at=snapshot-table",                   //
           "unreadable at=bitmap-directory",                 //
           "unreadable at=bitmap-table:b",                   //
           "set header snapshots_offset=1T nb_snapshots=2",  // no such table is in the file
           "set header crypt_method=3",                      // may have structures of its own
           "fill at=bitmap-directory with=0xff",
           "fill at=snapshot-table with=0xff",
       }) {
    SCOPED_TRACE(damage);
    const PlannedRepair repair(std::string(kDisk) + "  " + damage + "\n", {});
    expect_no_refcount_lowered(repair);
  }
}

TEST(Restraint, an_encryption_header_that_is_not_understood_keeps_its_clusters) {
  for (const char* damage : {"set luks magic=\"none\"", "set extension luks length=4096",
                             "set luks-slot 0 key_material_sector=0xffffff", "remove-extension luks"}) {
    SCOPED_TRACE(damage);
    const PlannedRepair repair("  image size=4M crypt=luks\n  luks\n  write 0+64K with=random\n  leak\n  " +
                                   std::string(damage) + "\n",
                               kAllConsents);
    expect_no_refcount_lowered(repair);
  }
}

TEST(Restraint, an_unknown_incompatible_feature_forbids_any_plan) {
  MemoryImage image;
  image.header.incompatible_features = std::uint64_t{1} << 40;
  const MemoryDevice device(image.encoded());
  EXPECT_FALSE(make_plan({device, {}, {}}, kAllConsents));
}

// Some of these need new clusters.
constexpr const char* kDamages[] = {
    "set header refcount_table_offset=0",
    "set l2 guest=0 offset=guest:64K",
    "set l2 guest=0 offset=l2:0",
    "set header size+=64M",
    "set header refcount_table_offset=l1",
    "set refcount of=guest:0 value=0",
    "set snapshot 1 id=\"\" id_size=0",
    "set header l1_table_offset=1T",
    "set bitmap b type=7",
    "set refcount-table index=0 raw=0x1ff",
};

TEST(Restraint, a_block_device_never_grows) {
  bool used_free_clusters = false;
  for (const char* damage : kDamages) {
    SCOPED_TRACE(damage);
    const std::string text = std::string(kDisk) + "  free clusters=8\n  " + damage + "\n";
    const PlannedRepair repair(text, kAllConsents, Medium::block_device);
    EXPECT_EQ(repair.plan.image_bytes_after, repair.built.image.size());
    for (const Step& step : repair.plan.steps)
      for (const Write& write : step.writes) {
        EXPECT_LE(write.offset + write.new_bytes.size(), repair.built.image.size());
        used_free_clusters |= step.phase == Phase::structures;
      }
  }
  EXPECT_TRUE(used_free_clusters);
}

TEST(Restraint, a_full_block_device_is_left_as_it_is_where_a_cluster_is_needed) {
  const std::string text = R"(
  image size=1M cluster=4K
  write 0+64K
  set l2 guest=0 offset=guest:4K
  set refcount of=guest:4K value=2
)";
  const PlannedRepair on_file(text, kAllConsents);
  EXPECT_EQ(on_file.fired(), "");
  const PlannedRepair full(text + "  set refcount of=guest:0 value=2\n", {}, Medium::block_device);
  EXPECT_EQ(full.plan.image_bytes_after, full.built.image.size());
}

TEST(Restraint, no_file_ever_becomes_shorter) {
  for (const char* damage : kDamages) {
    SCOPED_TRACE(damage);
    const PlannedRepair repair(std::string(kDisk) + "  trailing size=1M\n  " + damage + "\n", kAllConsents);
    EXPECT_GE(repair.plan.image_bytes_after, repair.built.image.size());
  }
}

TEST(Restraint, what_is_free_keeps_its_bytes) {
  const PlannedRepair repair(kDisk, {});
  EXPECT_EQ(repair.fired(), "");
  const std::uint64_t leak = repair.built.layout.leaks.at(0);
  EXPECT_TRUE(std::equal(repair.image.begin() + static_cast<std::ptrdiff_t>(leak),
                         repair.image.begin() + static_cast<std::ptrdiff_t>(leak + 4096),
                         repair.built.image.begin() + static_cast<std::ptrdiff_t>(leak)));
}

// Of a bitmap: its directory entry, its table and its data.
void expect_bitmaps_untouched(const PlannedRepair& sound, const PlannedRepair& repair) {
  ASSERT_EQ(repair.bitmaps(), sound.bitmaps());
  EXPECT_TRUE(repair.header().has_bitmaps_bit());
  for (const Bitmap& bitmap : sound.bitmaps()) {
    const auto at = static_cast<std::ptrdiff_t>(bitmap.table_offset);
    EXPECT_TRUE(
        std::equal(sound.image.begin() + at, sound.image.begin() + at + 4096, repair.image.begin() + at));
    const auto data = static_cast<std::ptrdiff_t>(
        load_big_endian<std::uint64_t>(sound.image.data() + bitmap.table_offset) & ~std::uint64_t{0xfff});
    EXPECT_TRUE(std::equal(sound.image.begin() + data, sound.image.begin() + data + 4096,
                           repair.image.begin() + data));
  }
}

TEST(Restraint, bitmaps_survive_every_repair_that_does_not_concern_them) {
  const PlannedRepair sound(kDisk, {});
  for (const char* damage :
       {"set header refcount_table_offset=0", "set refcount of=guest:0 value=0",
        "set header l1_table_offset=1T", "set l2 guest=0 offset=guest:64K", "set header refcount_order=9",
        "set header autoclear_features|=0x80", "set snapshot 1 l1_table_offset=1T",
        "set header incompatible_features|=3", "fill at=refcount-block:0", "set header header_length=0",
        "set extension bitmaps data_length=16", "set header refcount_table_offset=bitmap-table:b",
        "set header l1_table_offset=bitmap-table:b"}) {
    SCOPED_TRACE(damage);
    const PlannedRepair repair(std::string(kDisk) + "  " + damage + "\n", kAllConsents);
    EXPECT_EQ(repair.fired(), "");
    expect_bitmaps_untouched(sound, repair);
  }
}

// The first cluster anew: header, extensions and name; what nobody knows stays.
TEST(Restraint, unknown_fields_survive_a_rewrite_of_the_first_cluster) {
  const PlannedRepair repair(R"(
  image size=1M header-length=128
  backing base.raw format=raw size=1M with=zeros
  extension 0x12345678 text="kept as it is"
  extension backing-format text=raw
  patch at=header+112 hex=0123456789abcdeffedcba9876543210
)",
                             {});
  EXPECT_EQ(repair.fired(), "");
  EXPECT_FALSE(repair.plan.empty());
  EXPECT_TRUE(
      std::equal(repair.image.begin() + 112, repair.image.begin() + 128, repair.built.image.begin() + 112));
  EXPECT_NE(repair.image[112], std::byte{0});
  const CommandResult info = repair.run("qemu-img info -f qcow2 disk.qcow2");
  EXPECT_NE(info.out.find("backing file: base.raw"), std::string::npos) << info.out;
}

// What looks like a snapshot table may be guest data of the table that is lost.
TEST(Restraint, nothing_but_the_header_is_touched_while_the_l1_table_is_lost) {
  const PlannedRepair repair(R"(
  image cluster=512 size=48K refcount-bits=64
  write 0+8K
  snapshot 1
  write 0+1K
  set header l1_size=0x1600 snapshots_offset=0x1400
)",
                             kAllConsents);
  EXPECT_NE(repair.consent_needed().find("header/l1-outside"), std::string::npos);
  ASSERT_GE(repair.image.size(), repair.built.image.size());
  EXPECT_TRUE(
      std::equal(repair.built.image.begin() + 512, repair.built.image.end(), repair.image.begin() + 512));
}

TEST(Restraint, a_disk_whose_l1_table_is_gone_does_not_shrink_to_nothing) {
  const PlannedRepair repair(
      "  image version=2 cluster=512 size=100K\n  write 0+16K\n  snapshot 1 extra=0\n"
      "  set header l1_size=0 size=0x8000019000\n",
      kAllConsents);
  EXPECT_NE(repair.fired().find("header/size-beyond-l1"), std::string::npos);
  EXPECT_EQ(repair.header().size, 0x8000019000u);
}

// A table of noise may name one cluster a thousand times.
TEST(Restraint, a_file_grows_by_many_times_its_size_only_where_the_user_says_so) {
  const std::string disk = "  image size=64M cluster=64K\n  write 0+128K with=0x11\n";
  const auto shared_by = [&](int entries) {
    std::string text = disk;
    for (int i = 0; i < entries; ++i)
      text += fmt::format("  set l2 guest={}K offset=guest:0 copied=1\n", 1024 + 64 * i);
    return text;
  };
  EXPECT_EQ(PlannedRepair(shared_by(20), kAllConsents).fired(), "");
  PlanOptions options = kAllConsents;
  const PlannedRepair few(shared_by(200), options);
  EXPECT_NE(few.consent_needed().find("--choose l2/cross-linked=copy"), std::string::npos);
  EXPECT_LT(few.image.size(), 1u << 20);
  options.choices["l2/cross-linked"] = "copy";
  const PlannedRepair all(shared_by(200), options);
  EXPECT_EQ(all.fired(), "");
  EXPECT_GT(all.image.size(), 12u << 20);
}

TEST(Restraint, l2_tables_that_share_all_they_name_are_not_copied_many_times) {
  std::string text = "  image size=8M cluster=4K\n  write 0+1M with=0x11\n";
  for (int entry = 1; entry < 4; ++entry) text += fmt::format("  set l1 index={} offset=l2:0\n", entry);
  EXPECT_EQ(PlannedRepair(text, kAllConsents).fired(), "");
  text = "  image size=64M cluster=4K\n  write 0+1M with=0x11\n";
  for (int entry = 1; entry < 12; ++entry) text += fmt::format("  set l1 index={} offset=l2:0\n", entry);
  const PlannedRepair repair(text, kAllConsents);
  EXPECT_NE(repair.consent_needed().find("--choose l1/shared=copy"), std::string::npos);
  EXPECT_LT(repair.image.size(), 2u << 20);
}

}  // namespace
}  // namespace cowvet
