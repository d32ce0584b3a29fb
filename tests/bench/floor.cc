#include "tests/bench/floor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "checker/format/entries.h"
#include "checker/format/header.h"

namespace cowvet::bench {
namespace {

constexpr std::uint64_t kLargestRead = 1 << 20;

struct Range {
  std::uint64_t offset;
  std::uint64_t length;
};

void read_fully(int descriptor, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = pread(descriptor, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0) throw std::system_error(errno, std::generic_category(), "pread");
    if (got == 0) return;
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

// The clusters that a table of 64-bit offsets names.
void append_targets(int descriptor, Range table, std::uint64_t mask, std::vector<std::uint64_t>& out) {
  std::vector<std::byte> bytes(table.length);
  read_fully(descriptor, table.offset, bytes);
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8)
    if (const std::uint64_t target = load_big_endian<std::uint64_t>(bytes.data() + at) & mask)
      out.push_back(target);
}

// In offset order, neighbours in one read.
std::vector<Range> merged(std::vector<std::uint64_t> clusters, std::uint64_t cluster_bytes) {
  std::ranges::sort(clusters);
  std::vector<Range> ranges;
  for (const std::uint64_t offset : clusters) {
    if (!ranges.empty() && ranges.back().offset + ranges.back().length == offset &&
        ranges.back().length + cluster_bytes <= kLargestRead)
      ranges.back().length += cluster_bytes;
    else
      ranges.push_back({offset, cluster_bytes});
  }
  return ranges;
}

}  // namespace

void read_metadata(const std::string& image, unsigned thread_count) {
  const int descriptor = open(image.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), image);
  std::vector<std::byte> bytes(kHeaderKnownBytes);
  read_fully(descriptor, 0, bytes);
  const Header header = decode_header(bytes).value();
  const std::uint64_t cluster_bytes = std::uint64_t{1} << header.cluster_bits;

  std::vector<std::uint64_t> clusters;
  append_targets(descriptor, {header.l1_table_offset, header.l1_size * std::uint64_t{8}}, kOffsetMask,
                 clusters);
  append_targets(descriptor, {header.refcount_table_offset, header.refcount_table_clusters * cluster_bytes},
                 ~RefcountTableEntry::kReserved, clusters);
  const std::vector<Range> ranges = merged(std::move(clusters), cluster_bytes);

  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < thread_count; ++i)
    threads.emplace_back([&] {
      std::vector<std::byte> buffer(std::max(kLargestRead, cluster_bytes));
      for (std::size_t at = next++; at < ranges.size(); at = next++)
        read_fully(descriptor, ranges[at].offset, std::span(buffer).first(ranges[at].length));
    });
  threads.clear();
  close(descriptor);
}

}  // namespace cowvet::bench
