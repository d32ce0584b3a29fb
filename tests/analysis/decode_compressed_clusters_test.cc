#include <gtest/gtest.h>
#include <libdeflate.h>

#include "checker/analysis/passes.h"
#include "tests/support/mapped_image.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;
constexpr std::uint64_t kStreams = 5 * kCluster;

std::vector<std::byte> deflated(std::byte content) {
  const std::vector<std::byte> plain(kCluster, content);
  std::vector<std::byte> out(kCluster);
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  out.resize(libdeflate_deflate_compress(compressor, plain.data(), plain.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

// Guest clusters 10, 11, 12 ... are compressed, their streams 128 bytes apart, none across a sector.
struct CompressedImage : MappedImage {
  explicit CompressedImage(unsigned count) {
    for (unsigned index = 0; index < count; ++index) {
      put(stream_offset(index), deflated(static_cast<std::byte>(index)));
      map(10 + index, encode_compressed({stream_offset(index), 0}, 12).raw);
    }
  }
  static std::uint64_t stream_offset(unsigned index) { return kStreams + index * 128; }
  void damage(unsigned index) { put(stream_offset(index), std::uint64_t{0xffffffffffffffff}); }
};

struct Decoded {
  explicit Decoded(const MemoryImage& image, unsigned threads = 1)
      : examination(image, {.threads = threads, .deep = true, .findings_per_rule = 0}) {
    load_header(examination.context);
    decode_compressed_clusters(examination.context);
  }
  std::vector<Finding> findings() const { return examination.context.findings.sorted(); }

  Examination examination;
};

TEST(DecodeCompressedClusters, sound_streams_fire_nothing) {
  EXPECT_EQ(Decoded(CompressedImage(20)).examination.fired(), "");
}

TEST(DecodeCompressedClusters, damaged_stream_is_found_with_its_places) {
  CompressedImage image(20);
  image.damage(5);
  const Decoded decoded(image);
  ASSERT_EQ(decoded.findings().size(), 1u);
  const Finding finding = decoded.examination.first("l2/compressed-undecodable");
  EXPECT_EQ(finding.place.structure, Structure::l2_table);
  EXPECT_EQ(finding.place.offset, MappedImage::kFirstL2 + 15 * 8);
  EXPECT_EQ(finding.place.length, 8u);
  EXPECT_EQ(finding.place.l1_index, 0u);
  EXPECT_EQ(finding.place.l2_index, 15u);
  EXPECT_EQ(finding.place.guest, (GuestRange{15 * kCluster, kCluster}));
  ASSERT_TRUE(finding.other);
  EXPECT_EQ(finding.other->offset, CompressedImage::stream_offset(5));
  EXPECT_EQ(finding.detail, "the deflate stream is damaged");
}

TEST(DecodeCompressedClusters, neighbours_with_the_same_fault_are_one_finding) {
  CompressedImage image(20);
  for (const unsigned index : {3u, 4u, 5u, 9u}) image.damage(index);
  const auto findings = Decoded(image).findings();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].count, 3u);
  EXPECT_EQ(findings[0].place.guest, (GuestRange{13 * kCluster, 3 * kCluster}));
  EXPECT_EQ(findings[1].count, 1u);
}

TEST(DecodeCompressedClusters, entries_that_share_a_stream_are_all_found) {
  CompressedImage image(2);
  image.damage(0);
  image.map(100, encode_compressed({CompressedImage::stream_offset(0), 0}, 12).raw);
  EXPECT_EQ(Decoded(image).findings().size(), 2u);
}

TEST(DecodeCompressedClusters, last_stream_may_end_with_the_file_inside_a_sector) {
  CompressedImage image(1);
  const std::uint64_t length = deflated(std::byte{0}).size();
  const auto cut_to = [&](std::uint64_t end) {
    std::vector<std::byte> bytes = image.encoded();
    bytes.resize(kStreams + end);
    Examination examination(std::move(bytes));
    load_header(examination.context);
    decode_compressed_clusters(examination.context);
    return examination.fired();
  };
  EXPECT_EQ(cut_to(length), "");
  EXPECT_EQ(cut_to(length / 2), "l2/compressed-undecodable");
}

TEST(DecodeCompressedClusters, streams_behind_the_end_of_the_file_are_another_rules) {
  CompressedImage image(1);
  image.map(11, encode_compressed({kCluster * 50, 0}, 12).raw);
  image.map(12, encode_compressed({(std::uint64_t{1} << 57) - 1, 15}, 12).raw);
  EXPECT_EQ(Decoded(image).examination.fired(), "");
}

TEST(DecodeCompressedClusters, unknown_compression_type_is_not_guessed) {
  CompressedImage image(1);
  image.damage(0);
  image.header.incompatible_features |= kIncompatibleCompression;
  image.header.compression_type = 7;
  EXPECT_EQ(Decoded(image).examination.fired(), "header/compression-type");
}

// Feature bit and field disagree: either may be the damaged one.
TEST(DecodeCompressedClusters, contradicting_header_leaves_both_types_possible) {
  CompressedImage image(2);
  image.header.compression_type = static_cast<std::uint8_t>(CompressionType::zstd);
  EXPECT_EQ(Decoded(image).examination.fired(), "header/compression-type");
  image.damage(1);
  EXPECT_EQ(Decoded(image).examination.fired(), "header/compression-type l2/compressed-undecodable");
  image.header.incompatible_features |= kIncompatibleCompression;
  EXPECT_EQ(Decoded(image).findings().front().count, 2u);
}

TEST(DecodeCompressedClusters, tables_of_snapshots_are_decoded_and_named) {
  CompressedImage image(2);
  const std::uint64_t l1 = 7 * kCluster;
  image.put(l1, 8 * kCluster);
  image.put(8 * kCluster + 8, encode_compressed({9 * kCluster, 0}, 12).raw);
  image.put(9 * kCluster, std::uint64_t{0xffffffffffffffff});
  Examination examination(image);
  load_header(examination.context);
  examination.context.snapshots = {
      {.snapshot = {.l1_table_offset = l1, .l1_size = 1, .id = "3", .name = "before"}, .l1_usable = true}};
  decode_compressed_clusters(examination.context);
  EXPECT_EQ(examination.first("l2/compressed-undecodable").place.owner, "snapshot 3 (before)");
  EXPECT_EQ(examination.context.findings.added(rule("l2/compressed-undecodable")), 1u);
}

TEST(DecodeCompressedClusters, findings_do_not_depend_on_the_number_of_threads) {
  CompressedImage image(400);
  image.header.size = 8 * MappedImage::kWindowBytes;
  image.header.l1_size = 8;
  for (std::uint64_t index = 1; index < 8; ++index) {
    const std::uint64_t table = (40 + index) * kCluster;
    image.set_l1(index, table | kCopied);
    for (unsigned entry = 0; entry < 400; ++entry)
      image.put(table + entry * 8, encode_compressed({CompressedImage::stream_offset(entry), 0}, 12).raw);
  }
  for (unsigned index = 0; index < 400; index += 7) image.damage(index);
  const auto alone = Decoded(image).findings();
  EXPECT_EQ(alone.size(), 8u * 58u);
  for (const unsigned threads : {2u, 5u}) EXPECT_EQ(Decoded(image, threads).findings(), alone);
}

}  // namespace
}  // namespace cowvet
