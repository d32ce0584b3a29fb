#include "tests/bench/scattered_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <span>
#include <system_error>
#include <vector>

#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "checker/format/units.h"

namespace cowvet::bench {
namespace {

constexpr unsigned kClusterBits = 16;
constexpr std::uint64_t kClusterBytes = std::uint64_t{1} << kClusterBits;
constexpr std::uint64_t kL2Entries = kClusterBytes / 8;
constexpr std::uint64_t kBlockEntries = kClusterBytes / 2;  // refcounts of 16 bits

// The image file from its start: header, refcount table, refcount blocks, L1 table, L2 tables, data.
struct Layout {
  std::uint64_t data_clusters;
  std::uint64_t l2_tables = divide_up(data_clusters, kL2Entries);
  std::uint64_t l1_clusters = divide_up(l2_tables * 8, kClusterBytes);
  std::uint64_t blocks = 0;
  std::uint64_t refcount_table_clusters = 0;

  explicit Layout(std::uint64_t data) : data_clusters(data) {
    // More refcount blocks need more refcount blocks: grow until they describe themselves.
    for (std::uint64_t before = ~std::uint64_t{0}; blocks != before;) {
      before = blocks;
      refcount_table_clusters = divide_up(blocks * 8, kClusterBytes);
      blocks = divide_up(total(), kBlockEntries);
    }
  }

  std::uint64_t first_block() const { return 1 + refcount_table_clusters; }
  std::uint64_t l1_table() const { return first_block() + blocks; }
  std::uint64_t first_l2_table() const { return l1_table() + l1_clusters; }
  std::uint64_t first_data() const { return first_l2_table() + l2_tables; }
  std::uint64_t total() const { return first_data() + data_clusters; }
};

class Writer {
 public:
  explicit Writer(const std::filesystem::path& path)
      : descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) fail();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { close(descriptor_); }

  void write(std::uint64_t offset, std::span<const std::byte> bytes) const {
    if (pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(bytes.size()))
      fail();
  }
  void write_table(std::uint64_t offset, std::span<const std::uint64_t> entries) const {
    std::vector<std::byte> bytes(entries.size() * 8);
    for (std::size_t i = 0; i < entries.size(); ++i) store_big_endian(bytes.data() + i * 8, entries[i]);
    write(offset, bytes);
  }
  void set_size(std::uint64_t bytes) const {
    if (ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) fail();
  }

 private:
  [[noreturn]] static void fail() {
    throw std::system_error(errno, std::generic_category(), "scattered image");
  }
  int descriptor_;
};

// `count` offsets of neighbouring clusters.
std::vector<std::uint64_t> offsets(std::uint64_t first, std::uint64_t count, std::uint64_t flags) {
  std::vector<std::uint64_t> entries(count);
  for (std::uint64_t i = 0; i < count; ++i) entries[i] = (first + i) << kClusterBits | flags;
  return entries;
}

void write_refcounts(const Writer& writer, const Layout& layout) {
  writer.write_table(kClusterBytes, offsets(layout.first_block(), layout.blocks, 0));
  std::vector<std::byte> block(kClusterBytes);
  for (std::uint64_t i = 0; i < layout.blocks; ++i) {
    const std::uint64_t used = std::min(kBlockEntries, layout.total() - i * kBlockEntries);
    for (std::uint64_t entry = 0; entry < kBlockEntries; ++entry)
      block[entry * 2 + 1] = entry < used ? std::byte{1} : std::byte{0};
    writer.write((layout.first_block() + i) << kClusterBits, block);
  }
}

void write_mapping(const Writer& writer, const Layout& layout) {
  writer.write_table(layout.l1_table() << kClusterBits,
                     offsets(layout.first_l2_table(), layout.l2_tables, kCopied));
  std::vector<std::uint32_t> order(layout.data_clusters);
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::shuffle(order, std::mt19937_64(1));  // always the same image
  std::vector<std::uint64_t> table;
  for (std::uint64_t i = 0; i < layout.l2_tables; ++i) {
    const std::uint64_t begin = i * kL2Entries;
    const std::uint64_t end = std::min(begin + kL2Entries, layout.data_clusters);
    table.clear();
    for (std::uint64_t at = begin; at < end; ++at)
      table.push_back((layout.first_data() + order[at]) << kClusterBits | kCopied);
    writer.write_table((layout.first_l2_table() + i) << kClusterBits, table);
  }
}

}  // namespace

void write_scattered_image(const std::filesystem::path& path, std::uint64_t disk_bytes) {
  const Layout layout(divide_up(disk_bytes, kClusterBytes));
  const Writer writer(path);
  std::vector<std::byte> header(kHeaderKnownBytes);
  encode_header({.cluster_bits = kClusterBits,
                 .size = disk_bytes,
                 .l1_size = static_cast<std::uint32_t>(layout.l2_tables),
                 .l1_table_offset = layout.l1_table() << kClusterBits,
                 .refcount_table_offset = kClusterBytes,
                 .refcount_table_clusters = static_cast<std::uint32_t>(layout.refcount_table_clusters),
                 .header_length = kHeaderKnownBytes},
                header);
  writer.write(0, header);
  write_refcounts(writer, layout);
  write_mapping(writer, layout);
  writer.set_size(layout.total() << kClusterBits);
}

}  // namespace cowvet::bench
