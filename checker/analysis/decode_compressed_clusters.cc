// --deep: every compressed cluster must decode to a whole cluster.
//
// Each distinct L2 table is looked through once, in slices; each distinct stream of a slice is decoded once.
// Streams are decoded in the order in which they lie in the file, neighbours in one read. Threads take slices
// from a queue; findings are runs within a slice, so that they do not depend on who took it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "checker/analysis/decompress.h"
#include "checker/analysis/distinct_l2_tables.h"
#include "checker/analysis/parallel.h"
#include "checker/analysis/passes.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kReadBytes = 1 << 20;
constexpr std::uint64_t kSliceGuestBytes = 64
                                           << 20;  // a slice of an L2 table maps so much, or the whole table

// Entries [begin, end) of a table.
struct Slice {
  const DistinctL2Table& table;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// The types that streams may have: one, unless the header contradicts itself.
std::vector<CompressionType> plausible_types(const Header& header) {
  static constexpr auto kZstd = static_cast<std::uint8_t>(CompressionType::zstd);
  const bool bit = header.incompatible_features & kIncompatibleCompression;
  if (header.compression_type > kZstd) return {};
  const auto type = static_cast<CompressionType>(header.compression_type);
  if (bit == (type != CompressionType::deflate)) return {type};
  return {CompressionType::deflate, CompressionType::zstd};
}

struct Stream {
  CompressedDescriptor at;
  std::uint32_t l2_index = 0;
  std::string_view why = {};  // empty: decodes

  std::uint64_t length() const { return at.end() - at.offset; }
};

// One thread's share.
class Worker {
 public:
  Worker(Context& context, const DistinctL2Tables& all) : context_(context), all_(all) {
    for (const CompressionType type : plausible_types(context.header)) decoders_.emplace_back(type);
    cluster_.resize(context.geometry.cluster_bytes);
  }

  void check(const Slice& slice) {
    if (!find_streams(slice)) return;
    decode_streams();
    std::ranges::sort(streams_, {}, &Stream::l2_index);
    report(slice.table);
  }

 private:
  bool find_streams(const Slice& slice);
  void decode_streams();
  void decode_batch(std::span<Stream> batch);
  void decode_read(std::span<Stream> batch, std::uint64_t offset, std::span<const std::byte> bytes);
  std::string_view decode(std::span<const std::byte> stream);
  void report(const DistinctL2Table& table);
  void report_run(const DistinctL2Table& table, std::span<const Stream> run);
  Place stream_place(const Stream& stream) const;

  Context& context_;
  const DistinctL2Tables& all_;
  std::vector<Decompressor> decoders_;
  std::vector<std::byte> table_bytes_;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> cluster_;
  std::vector<Stream> streams_;
};

// False: there is none. Tables that cannot be read were reported by who checks the references.
bool Worker::find_streams(const Slice& slice) {
  const Geometry& geometry = context_.geometry;
  const std::uint64_t offset = slice.table.offset + std::uint64_t{slice.begin} * geometry.l2_entry_bytes;
  streams_.clear();
  table_bytes_.resize(std::uint64_t{slice.end - slice.begin} * geometry.l2_entry_bytes);
  const DataExtent data = context_.image.next_data(offset);
  if (data.begin >= data.end || data.begin - offset >= table_bytes_.size()) return false;
  if (!context_.image.read(offset, table_bytes_)) return false;
  const std::byte* at = table_bytes_.data();
  for (std::uint32_t index = slice.begin; index < slice.end; ++index, at += geometry.l2_entry_bytes) {
    const L2Entry entry{load_big_endian<std::uint64_t>(at)};
    if (!entry.compressed()) continue;
    const Stream stream{.at = decode_compressed(entry, geometry.cluster_bits), .l2_index = index};
    // A stream whose last sector begins behind the end of the file is l2/compressed-outside.
    if (stream.at.end() - 512 < geometry.file_bytes) streams_.push_back(stream);
  }
  return !streams_.empty();
}

void Worker::decode_streams() {
  const auto place = [](const Stream& stream) {
    return std::pair(stream.at.offset, stream.at.additional_sectors);
  };
  std::ranges::sort(streams_, {}, place);
  const std::span all(streams_);
  for (std::size_t begin = 0; begin < all.size();) {
    std::uint64_t end_offset = all[begin].at.end();
    std::size_t end = begin + 1;
    while (end < all.size() && all[end].at.offset <= end_offset &&
           all[end].at.end() - all[begin].at.offset <= kReadBytes)
      end_offset = std::max(end_offset, all[end++].at.end());
    decode_batch(all.subspan(begin, end - begin));
    begin = end;
  }
}

// Streams that touch one another: read at once, or one by one where that fails.
void Worker::decode_batch(std::span<Stream> batch) {
  const std::uint64_t begin = batch.front().at.offset;
  std::uint64_t end = begin;
  for (const Stream& stream : batch) end = std::max(end, stream.at.end());
  buffer_.resize(end - begin);
  if (context_.image.read(begin, buffer_)) return decode_read(batch, begin, buffer_);
  for (Stream& stream : batch) {
    const std::span bytes = std::span(buffer_).first(stream.length());
    if (context_.read(context_.image, stream.at.offset, bytes, stream_place(stream)))
      decode_read({&stream, 1}, stream.at.offset, bytes);
  }
}

void Worker::decode_read(std::span<Stream> batch, std::uint64_t offset, std::span<const std::byte> bytes) {
  const Stream* last = nullptr;
  for (Stream& stream : batch) {
    const bool again = last != nullptr && last->at == stream.at;
    stream.why = again ? last->why : decode(bytes.subspan(stream.at.offset - offset, stream.length()));
    last = &stream;
  }
}

std::string_view Worker::decode(std::span<const std::byte> stream) {
  std::string_view why;
  for (Decompressor& decoder : decoders_) {
    const auto result = decoder.decode(stream, cluster_);
    if (result) return {};
    if (why.empty()) why = result.error();
  }
  return why;
}

// Neighbouring entries with the same fault are one finding.
void Worker::report(const DistinctL2Table& table) {
  const std::span<const Stream> all(streams_);
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin + 1;
    while (end < all.size() && all[end].why == all[begin].why &&
           all[end].l2_index == all[begin].l2_index + (end - begin))
      ++end;
    if (!all[begin].why.empty()) report_run(table, all.subspan(begin, end - begin));
    begin = end;
  }
}

void Worker::report_run(const DistinctL2Table& table, std::span<const Stream> run) {
  const Geometry& geometry = context_.geometry;
  const std::uint32_t l2_index = run.front().l2_index;
  Place place{.structure = Structure::l2_table};
  place.offset = table.offset + std::uint64_t{l2_index} * geometry.l2_entry_bytes;
  place.length = run.size() * geometry.l2_entry_bytes;
  place.l1_index = table.l1_index;
  place.l2_index = l2_index;
  // An L1 table may be long enough to map more than there can be.
  if (table.l1_index < ~std::uint64_t{0} / geometry.l2_window_bytes) {
    const std::uint64_t first = table.l1_index * geometry.l2_entries + l2_index;
    place.guest = GuestRange{first * geometry.cluster_bytes, run.size() * geometry.cluster_bytes};
  }
  place.owner = all_.states[table.state].owner;
  context_.findings.add({.rule = rule("l2/compressed-undecodable"),
                         .place = std::move(place),
                         .other = stream_place(run.front()),
                         .count = run.size(),
                         .detail = std::string(run.front().why)});
}

Place Worker::stream_place(const Stream& stream) const {
  Place place{.structure = Structure::compressed_data};
  place.offset = stream.at.offset;
  place.length = stream.length();
  return place;
}

}  // namespace

void decode_compressed_clusters(Context& context) {
  if (plausible_types(context.header).empty()) return;
  const DistinctL2Tables all = find_distinct_l2_tables(context);
  const Geometry& geometry = context.geometry;
  const std::uint64_t slice_entries =
      std::min(geometry.l2_entries, std::max<std::uint64_t>(1, kSliceGuestBytes / geometry.cluster_bytes));
  const std::uint64_t slices_each = geometry.l2_entries / slice_entries;  // both are powers of 2
  const std::uint64_t slices = all.tables.size() * slices_each;
  context.progress.begin("decode_compressed_clusters", slices);
  const unsigned threads = thread_count(context.options.threads, slices);
  std::vector<std::unique_ptr<Worker>> workers;
  workers.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) workers.push_back(std::make_unique<Worker>(context, all));
  parallel_for(threads, slices, [&](std::uint64_t index, unsigned worker) {
    const auto begin = static_cast<std::uint32_t>(index % slices_each * slice_entries);
    const auto end = static_cast<std::uint32_t>(begin + slice_entries);
    workers[worker]->check({.table = all.tables[index / slices_each], .begin = begin, .end = end});
    context.progress.advance(1);
  });
}

}  // namespace cowvet
