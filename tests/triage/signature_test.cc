#include "checker/triage/signature.h"

#include <gtest/gtest.h>

#include "tests/support/mapped_image.h"

namespace cowvet {
namespace {

std::string signature(const MemoryImage& image) {
  Examination examination(image);
  return signature_of(analyze(examination.inputs, {.threads = 1}));
}

// A sound image: header, refcount table and block, L1, L2, all with a refcount of one, and `mapped` clusters.
struct SmallImage : MappedImage {
  explicit SmallImage(std::uint64_t mapped = 0) {
    put(kClusterBytes, std::uint64_t{2 * kClusterBytes});
    for (std::uint64_t cluster = 0; cluster < 5 + mapped; ++cluster) set_refcount(cluster, 1);
    for (std::uint64_t index = 0; index < mapped; ++index) {
      map(index, (5 + index) * kClusterBytes | kCopied);
      put((6 + index) * kClusterBytes - 1, std::uint8_t{1});
    }
  }
  void set_refcount(std::uint64_t cluster, std::uint16_t count) {
    put(2 * kClusterBytes + cluster * 2, count);
  }
};

TEST(Signature, says_what_a_sound_image_has) {
  EXPECT_EQ(signature(SmallImage(2)), "sound v3");
  SmallImage old;
  old.header.version = 2;
  old.header.header_length = kHeaderV2Bytes;
  EXPECT_TRUE(signature(old).starts_with("sound v2")) << signature(old);
}

TEST(Signature, names_the_rule_and_the_structure) {
  SmallImage image(2);
  image.map(1, 6 * MemoryImage::kClusterBytes);  // COPIED is clear, the refcount is one
  EXPECT_EQ(signature(image), "corrupt v3: l2/copied(L2 table)");
}

TEST(Signature, does_not_depend_on_where_or_how_often) {
  SmallImage once(4);
  once.map(1, 6 * MemoryImage::kClusterBytes);
  SmallImage elsewhere(9);
  elsewhere.map(3, 8 * MemoryImage::kClusterBytes);
  elsewhere.map(7, 12 * MemoryImage::kClusterBytes);
  EXPECT_EQ(signature(once), signature(elsewhere));
}

TEST(Signature, tells_rules_apart) {
  SmallImage leak(1);
  leak.set_refcount(5, 2);
  SmallImage low(1);
  low.set_refcount(5, 0);
  EXPECT_NE(signature(leak), signature(low));
}

TEST(Signature, leaves_out_whose_name_it_is) {
  Report report{.is_qcow2 = true, .header_usable = true, .header = {.nb_snapshots = 1}};
  report.counters.corruptions = 1;
  report.worst = Severity::corruption;
  report.totals.push_back({rule("l1/unaligned"), 1, 1, Severity::corruption});
  report.findings.push_back(
      {.rule = rule("l1/unaligned"),
       .place = {.structure = Structure::snapshot_l1_table, .owner = "snapshot 7 (x y)"},
       .other = Place{.file = File::data_file, .structure = Structure::data}});
  EXPECT_EQ(signature_of(report),
            "corrupt v3 snapshots: l1/unaligned(snapshot snapshot L1 table ~ data-file data)");
}

TEST(Signature, says_that_a_file_is_no_image) {
  Examination examination(std::vector<std::byte>(100000));
  const Report report = analyze(examination.inputs, {.threads = 1});
  EXPECT_EQ(outcome_of(report), Outcome::not_qcow2);
  EXPECT_EQ(signature_of(report), "not-qcow2: header/magic(header)");
}

TEST(Signature, knows_an_unfinished_repair) {
  const Report report{.is_qcow2 = true, .header_usable = true, .unfinished_journal = "a.cowvet-journal"};
  EXPECT_EQ(outcome_of(report), Outcome::unreadable);
}

}  // namespace
}  // namespace cowvet
