#include <gtest/gtest.h>

#include <cerrno>

#include "checker/analysis/passes.h"
#include "tests/support/mapped_image.h"
#include "tests/support/sparse_device.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;
constexpr std::uint64_t kWindow = MappedImage::kWindowBytes;

// A data file of zeros, written here and there. One cluster at `broken` cannot be read.
struct DataFile {
  explicit DataFile(std::uint64_t size) : bytes(size) {}

  DataFile& write(std::uint64_t offset, std::uint64_t length = 1) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte{0x5a});
    return *this;
  }

  std::vector<std::byte> bytes;
  std::optional<std::uint64_t> broken;
};

class DataFileDevice final : public Device {
 public:
  explicit DataFileDevice(DataFile file) : file_(std::move(file)) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return file_.bytes.size(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::uint64_t broken = file_.broken.value_or(size_bytes());
    if (broken < offset + out.size() && offset < broken + kCluster)
      return std::unexpected(IoError{.offset = std::max(offset, broken), .length = 512, .code = EIO});
    std::copy_n(file_.bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }

 private:
  std::string name_ = "data";
  DataFile file_;
};

struct Compared {
  Compared(const MemoryImage& image, const DataFile& file, unsigned threads = 1)
      : examination(image, {.threads = threads, .findings_per_rule = 0}) {
    load_header(examination.context);
    examination.context.data_file = {.state = Companion::State::open,
                                     .device = std::make_unique<DataFileDevice>(file)};
    check_raw_data(examination.context);
  }

  Examination examination;
};

MappedImage raw_image(std::uint64_t disk_bytes = kWindow) {
  MappedImage image(disk_bytes);
  image.use_data_file(true);
  return image;
}

TEST(CheckRawData, data_where_the_metadata_has_data_is_sound) {
  MappedImage image = raw_image();
  image.map(3, 3 * kCluster | kCopied);
  EXPECT_EQ(Compared(image, DataFile(kWindow).write(3 * kCluster, kCluster)).examination.fired(), "");
}

TEST(CheckRawData, zeros_everywhere_are_sound) {
  MappedImage image = raw_image();
  image.map(3, L2Entry::kZero);
  image.map(4, 4 * kCluster | kCopied | L2Entry::kZero);
  EXPECT_EQ(Compared(image, DataFile(kWindow)).examination.fired(), "");
}

TEST(CheckRawData, zero_clusters_with_other_bytes_in_the_data_file_are_found) {
  MappedImage image = raw_image();
  image.map(3, L2Entry::kZero);
  image.map(4, 4 * kCluster | kCopied | L2Entry::kZero);
  const Compared compared(image, DataFile(kWindow).write(3 * kCluster + 7).write(5 * kCluster - 1));
  EXPECT_EQ(compared.examination.fired(), "data-file/raw-zero-differs");
  const Finding finding = compared.examination.first("data-file/raw-zero-differs");
  EXPECT_EQ(finding.count, 2u);
  EXPECT_EQ(finding.place.file, File::data_file);
  EXPECT_EQ(finding.place.guest, (GuestRange{3 * kCluster, 2 * kCluster}));
  EXPECT_EQ(finding.place.l1_index, 0u);
  EXPECT_EQ(finding.place.l2_index, 3u);
  EXPECT_EQ(finding.detail,
            "the metadata says that the guest reads zeros, but the data file has data, first at 0x3007");
}

TEST(CheckRawData, data_that_nothing_maps_is_found) {
  const Compared compared(raw_image(), DataFile(kWindow).write(0).write(2 * kCluster));
  EXPECT_EQ(compared.examination.fired(), "data-file/raw-unmapped");
  EXPECT_EQ(compared.examination.context.findings.added(rule("data-file/raw-unmapped")), 2u);
}

// As QEMU before 6.0 made them: no L2 table at all.
TEST(CheckRawData, image_without_any_l2_table_is_found_to_map_nothing) {
  MappedImage image = raw_image();
  image.set_l1(0, 0);
  EXPECT_EQ(Compared(image, DataFile(kWindow)).examination.fired(), "");
  EXPECT_EQ(
      Compared(image, DataFile(kWindow).write(0, kWindow)).examination.first("data-file/raw-unmapped").count,
      512u);
}

TEST(CheckRawData, nothing_is_promised_without_the_raw_bit_or_the_data_file_bit) {
  MappedImage image;
  image.use_data_file();
  EXPECT_EQ(Compared(image, DataFile(kWindow).write(0)).examination.fired(), "");
  MappedImage without;
  without.header.autoclear_features = kAutoclearRawData;
  EXPECT_EQ(Compared(without, DataFile(kWindow).write(0)).examination.fired(), "data-file/raw-without-bit");
}

TEST(CheckRawData, bytes_behind_the_end_of_the_disk_are_nobodys) {
  const std::uint64_t size = kCluster + 512;
  EXPECT_EQ(Compared(raw_image(size), DataFile(2 * kCluster).write(size, 100)).examination.fired(), "");
  EXPECT_EQ(Compared(raw_image(size), DataFile(2 * kCluster).write(size - 1))
                .examination.first("data-file/raw-unmapped")
                .place.guest,
            (GuestRange{kCluster, 512}));
}

TEST(CheckRawData, data_file_shorter_than_the_disk_is_compared_as_far_as_it_goes) {
  EXPECT_EQ(Compared(raw_image(), DataFile(3 * kCluster).write(2 * kCluster))
                .examination.first("data-file/raw-unmapped")
                .place.guest,
            (GuestRange{2 * kCluster, kCluster}));
}

TEST(CheckRawData, broken_pointers_are_left_to_the_rules_about_them) {
  MappedImage image = raw_image();
  image.map(1, 2 * kCluster | kCopied);
  image.map(2, 2 * kCluster | kCopied);
  EXPECT_EQ(Compared(image, DataFile(kWindow).write(kCluster, 2 * kCluster)).examination.fired(), "");
}

TEST(CheckRawData, unreadable_stretch_is_reported_and_the_rest_compared) {
  DataFile file(kWindow);
  file.write(kWindow - 1);
  file.broken = 5 * kCluster;
  const Compared compared(raw_image(), file);
  EXPECT_EQ(compared.examination.fired(), "data-file/raw-unmapped file/unreadable");
  const Finding finding = compared.examination.first("file/unreadable");
  EXPECT_EQ(finding.place.file, File::data_file);
  EXPECT_EQ(finding.place.offset, 5 * kCluster);
}

TEST(CheckRawData, subclusters_are_compared_on_their_own_and_clusters_counted_once) {
  constexpr std::uint64_t kBig = 16384;
  constexpr std::uint64_t kSub = 512;
  MappedImage image = raw_image(8 * kBig);
  image.header.cluster_bits = 14;
  image.header.l1_table_offset = 3 * kBig;
  image.header.refcount_table_offset = kBig;
  image.header.incompatible_features |= kIncompatibleExtendedL2;
  image.put(3 * kBig, 4 * kBig | kCopied);
  image.put(5 * kBig - 8, std::uint64_t{0});
  image.put(4 * kBig + 16, 1 * kBig | kCopied);
  image.put(4 * kBig + 24, 0x3 | std::uint64_t{0xf0} << 32);  // 0-1 data, 4-7 zero, others not allocated
  const std::uint64_t at = kBig;
  EXPECT_EQ(Compared(image, DataFile(8 * kBig).write(at, 2 * kSub)).examination.fired(), "");
  const Compared both(image,
                      DataFile(8 * kBig).write(at + 5 * kSub).write(at + 7 * kSub).write(at + 9 * kSub));
  EXPECT_EQ(both.examination.fired(), "data-file/raw-unmapped data-file/raw-zero-differs");
  const Finding zero = both.examination.first("data-file/raw-zero-differs");
  EXPECT_EQ(zero.count, 1u);
  EXPECT_EQ(zero.place.guest, (GuestRange{at + 5 * kSub, 3 * kSub}));
  EXPECT_EQ(both.examination.first("data-file/raw-unmapped").place.guest, (GuestRange{at + 9 * kSub, kSub}));
}

// Runs that cross the edges between pieces come out whole, whoever compared which piece.
TEST(CheckRawData, findings_do_not_depend_on_the_number_of_threads) {
  constexpr std::uint64_t kDisk = 200 << 20;
  constexpr std::uint64_t kEdge = 64 << 20;
  const MappedImage image = raw_image(kDisk);
  DataFile file(kDisk);
  file.write(100 * kCluster, kCluster).write(102 * kCluster, kCluster);
  file.write(kEdge - 3 * kCluster, 6 * kCluster).write(2 * kEdge).write(3 * kEdge - 1).write(kDisk - 1);
  const auto alone = Compared(image, file).examination.context.findings.sorted();
  ASSERT_EQ(alone.size(), 6u);
  EXPECT_EQ(alone[2].count, 6u);
  for (const unsigned threads : {2u, 3u, 8u})
    EXPECT_EQ(Compared(image, file, threads).examination.context.findings.sorted(), alone);
}

TEST(CheckRawData, whole_data_file_unmapped_is_one_finding) {
  constexpr std::uint64_t kDisk = 200 << 20;
  MappedImage image = raw_image(kDisk);
  image.set_l1(0, 0);
  DataFile file(kDisk);
  for (std::uint64_t at = 0; at < kDisk; at += kCluster) file.write(at + at % 4000);
  const Compared compared(image, file, 4);
  ASSERT_EQ(compared.examination.context.findings.sorted().size(), 1u);
  EXPECT_EQ(compared.examination.first("data-file/raw-unmapped").count, kDisk / kCluster);
}

// A disk of a pebibyte, its data file nearly all hole: only what may be data is read.
TEST(CheckRawData, holes_of_the_data_file_cost_nothing) {
  constexpr std::uint64_t kDisk = std::uint64_t{1} << 50;
  MappedImage image = raw_image();
  image.header.size = kDisk;
  image.header.l1_size = 1;
  Examination examination(image, {.threads = 1});
  load_header(examination.context);
  auto data = std::make_unique<SparseDevice>(kDisk, std::vector<std::byte>());
  data->put(5 * kCluster, std::vector<std::byte>(100, std::byte{1}));
  data->put(400 * kCluster, std::vector<std::byte>(100, std::byte{0}));
  const SparseDevice& device = *data;
  examination.context.data_file = {.state = Companion::State::open, .device = std::move(data)};
  check_raw_data(examination.context);
  EXPECT_EQ(examination.first("data-file/raw-unmapped").place.guest, (GuestRange{5 * kCluster, kCluster}));
  EXPECT_EQ(device.bytes_read(), 200u);
}

}  // namespace
}  // namespace cowvet
