// The structures as QEMU writes them: decoded, and encoded again to the same bytes.
#include <gtest/gtest.h>

#include <algorithm>

#include "checker/format/bitmap.h"
#include "checker/format/luks.h"
#include "checker/format/refcount_block.h"
#include "tests/qemu/image_file.h"
#include "tests/qemu/sound_image.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

class WrittenByQemu : public testing::Test {
 protected:
  ImageFile make(const std::string& commands) const {
    const CommandResult made = run_script(with_helpers(commands), directory_.path());
    if (made.status != 0) throw std::runtime_error(made.out + made.err);
    return ImageFile(directory_.path() / "disk.qcow2");
  }

 private:
  TemporaryDirectory directory_;
};

std::vector<std::byte> encoded(const Header& header) {
  std::vector<std::byte> bytes(kHeaderKnownBytes);
  bytes.resize(encode_header(header, bytes));
  return bytes;
}

TEST_F(WrittenByQemu, headers_are_encoded_to_the_same_bytes) {
  for (const char* options : {"compat=0.10", "compat=1.1", "refcount_bits=64,lazy_refcounts=on",
                              "extended_l2=on,compression_type=zstd", "cluster_size=512,refcount_bits=1",
                              "data_file=data,data_file_raw=on"}) {
    const ImageFile image = make(std::string("create -o ") + options + " disk.qcow2 1234k");
    EXPECT_EQ(encoded(image.header()), image.read(0, image.header().header_length)) << options;
    EXPECT_EQ(image.header().size, 1234u << 10);
  }
}

TEST_F(WrittenByQemu, header_fields_are_what_was_asked_for) {
  const Header header = make(R"sh(truncate -s 5M base
create -b base -F raw \
  -o cluster_size=32k,refcount_bits=8,extended_l2=on,compression_type=zstd,lazy_refcounts=on disk.qcow2
qemu-img bitmap --add disk.qcow2 one
qemu-img snapshot -c one disk.qcow2)sh")
                            .header();
  EXPECT_EQ(header.version, 3u);
  EXPECT_EQ(header.cluster_bits, 15u);
  EXPECT_EQ(header.refcount_order, 3u);
  EXPECT_EQ(header.incompatible_features, kIncompatibleExtendedL2 | kIncompatibleCompression);
  EXPECT_EQ(header.compatible_features, kCompatibleLazyRefcounts);
  EXPECT_EQ(header.autoclear_features, kAutoclearBitmaps);
  EXPECT_EQ(header.compression_type, 1);
  EXPECT_EQ(header.backing_file_size, 4u);
  EXPECT_EQ(header.nb_snapshots, 1u);
  EXPECT_EQ(header.header_length, 112u);
}

TEST_F(WrittenByQemu, extensions_are_encoded_to_the_same_bytes) {
  const ImageFile image = make(R"sh(truncate -s 1M base
create -b base -F raw -o data_file=data disk.qcow2
qemu-img bitmap --add disk.qcow2 one)sh");
  const auto cluster = image.first_cluster();
  const std::uint64_t begin = image.header().header_length;
  const ExtensionWalk walk = walk_extensions(cluster, begin, image.header().backing_file_offset);
  ASSERT_TRUE(walk.terminated);
  std::vector<std::byte> area;
  encode_extensions(walk.extensions, area);
  EXPECT_EQ(area, image.read(begin, walk.end - begin));

  for (const Extension& extension : walk.extensions) {
    const std::vector<std::byte> data(extension.data.begin(), extension.data.end());
    if (extension.type == ExtensionType::backing_format) {
      EXPECT_EQ(extension.text(), "raw");
    } else if (extension.type == ExtensionType::data_file_name) {
      EXPECT_EQ(extension.text(), "data");
    } else if (extension.type == ExtensionType::feature_names) {
      EXPECT_EQ(encode_feature_names(decode_feature_names(data)), data);
    } else {
      ASSERT_EQ(extension.type, ExtensionType::bitmaps);
      EXPECT_EQ(encode_bitmaps_extension(decode_bitmaps_extension(data).value()), data);
    }
  }
  EXPECT_EQ(walk.extensions.size(), 4u);
}

TEST_F(WrittenByQemu, snapshot_tables_are_encoded_to_the_same_bytes) {
  for (const char* compat : {"0.10", "1.1"}) {
    const ImageFile image = make(std::string("create -o compat=") + compat + R"sh( disk.qcow2 3M
qemu-img snapshot -c one disk.qcow2
qemu-img snapshot -c "a second one" disk.qcow2)sh");
    const std::vector<Snapshot> snapshots = image.snapshots();
    ASSERT_EQ(snapshots.size(), 2u);
    EXPECT_EQ(snapshots[0].name, "one");
    EXPECT_EQ(snapshots[1].id, "2");
    EXPECT_EQ(snapshots[1].disk_size(0), 3u << 20);
    std::vector<std::byte> table;
    for (const Snapshot& snapshot : snapshots) encode_snapshot(snapshot, table);
    EXPECT_EQ(table, image.read(image.header().snapshots_offset, table.size()));
  }
}

TEST_F(WrittenByQemu, bitmap_directories_are_encoded_to_the_same_bytes) {
  const ImageFile image = make(R"sh(create disk.qcow2 3M
qemu-img bitmap --add -g 4k disk.qcow2 one
qemu-img bitmap --add --disable disk.qcow2 "a second one")sh");
  const auto cluster = image.first_cluster();
  const ExtensionWalk walk = walk_extensions(cluster, image.header().header_length, cluster.size());
  const auto at = std::ranges::find(walk.extensions, ExtensionType::bitmaps, &Extension::type);
  ASSERT_NE(at, walk.extensions.end());
  const BitmapsExtension extension = decode_bitmaps_extension(at->data).value();
  ASSERT_EQ(extension.nb_bitmaps, 2u);

  const auto directory = image.read(extension.directory_offset, extension.directory_size);
  const DecodedBitmap first = decode_bitmap(directory).value();
  const DecodedBitmap second = decode_bitmap(std::span(directory).subspan(first.entry_bytes)).value();
  EXPECT_EQ(first.bitmap.granularity_bits, 12);
  EXPECT_EQ(first.bitmap.flags, Bitmap::kAuto);
  EXPECT_EQ(second.bitmap.name, "a second one");
  EXPECT_EQ(second.bitmap.flags, 0u);
  std::vector<std::byte> again;
  encode_bitmap(first.bitmap, again);
  encode_bitmap(second.bitmap, again);
  EXPECT_EQ(again, directory);
}

TEST_F(WrittenByQemu, luks_headers_are_encoded_to_the_same_bytes) {
  const ImageFile image = make("luks_create cluster_size=64k 1M");
  EXPECT_EQ(image.header().crypt_method, static_cast<std::uint32_t>(CryptMethod::luks));
  const auto cluster = image.first_cluster();
  const ExtensionWalk walk = walk_extensions(cluster, image.header().header_length, cluster.size());
  const auto at = std::ranges::find(walk.extensions, ExtensionType::luks, &Extension::type);
  ASSERT_NE(at, walk.extensions.end());
  const LuksPointer pointer = decode_luks_pointer(at->data).value();
  EXPECT_EQ(encode_luks_pointer(pointer), std::vector(at->data.begin(), at->data.end()));

  const auto bytes = image.read(pointer.offset, sizeof(RawLuksHeader));
  const LuksHeader header = decode_luks_header(bytes).value();
  EXPECT_EQ(header.cipher_name, "aes");
  EXPECT_EQ(header.cipher_mode, "xts-plain64");
  EXPECT_EQ(header.uuid.size(), 36u);
  EXPECT_EQ(header.slots[0].active, kLuksSlotEnabled);
  EXPECT_EQ(header.slots[1].active, kLuksSlotDisabled);
  const RawLuksHeader again = encode_luks_header(header);
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(&again, 1)), bytes));
}

TEST_F(WrittenByQemu, refcounts_are_read_at_every_width) {
  for (const unsigned order : {1, 2, 3, 4, 5, 6}) {
    const ImageFile image = make("create -o cluster_size=4k,refcount_bits=" + std::to_string(1 << order) +
                                 " disk.qcow2 1M\nio -c 'write -P 1 0 64k'\n"
                                 "qemu-img snapshot -c one disk.qcow2\nqemu-img snapshot -c two disk.qcow2");
    EXPECT_EQ(image.header().refcount_order, order);
    EXPECT_EQ(image.refcount(0), 1u);
    EXPECT_EQ(image.refcount(image.l2_entry(5).host_offset() / 4096), 3u);
    EXPECT_EQ(image.refcount(image.size_bytes() / 4096 + 1), 0u);
  }
}

TEST_F(WrittenByQemu, compressed_descriptors_name_where_the_stream_lies) {
  for (const char* cluster_size : {"512", "4k", "64k", "2M"}) {
    const ImageFile image = make(std::string("seq 1 400000 >raw; truncate -s 4M raw\n"
                                             "qemu-img convert -c -f raw -O qcow2 -o cluster_size=") +
                                 cluster_size + " raw disk.qcow2");
    const L2Entry entry = image.l2_entry(0);
    ASSERT_TRUE(entry.compressed());
    const auto at = decode_compressed(entry, image.header().cluster_bits);
    EXPECT_LT(at.offset, image.size_bytes());
    EXPECT_LE(at.end(), (image.size_bytes() + 511) / 512 * 512);
    EXPECT_LT(at.end() - at.offset, image.cluster_bytes() + 512);
    EXPECT_EQ(encode_compressed(at, image.header().cluster_bits).raw, entry.raw);
  }
}

}  // namespace
}  // namespace cowvet
