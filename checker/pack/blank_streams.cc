#include "checker/pack/blank_streams.h"

#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <vector>

#include "checker/analysis/decompress.h"
#include "checker/analysis/tables.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;

struct Stream {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  auto operator<=>(const Stream&) const = default;
};

Bytes deflate_zeros(std::uint64_t length) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(12), libdeflate_free_compressor);
  if (!compressor) throw std::bad_alloc();
  const Bytes zeros(length);
  Bytes stream(libdeflate_deflate_compress_bound(compressor.get(), length));
  stream.resize(
      libdeflate_deflate_compress(compressor.get(), zeros.data(), length, stream.data(), stream.size()));
  return stream;
}

Bytes zstd_zeros(std::uint64_t length) {
  const Bytes zeros(length);
  Bytes stream(ZSTD_compressBound(length));
  const std::size_t packed = ZSTD_compress(stream.data(), stream.size(), zeros.data(), length, 19);
  if (ZSTD_isError(packed)) throw std::bad_alloc();
  stream.resize(packed);
  return stream;
}

Bytes bytes_of(std::initializer_list<unsigned> values) {
  Bytes bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

// The first of stored blocks of 65,535 zeros each that go on to the end of the stream and beyond.
Bytes stored_blocks(std::uint64_t length) {
  constexpr std::uint64_t kStoredBytes = 65535;
  const Bytes head = bytes_of({0, 0xff, 0xff, 0, 0});
  Bytes stream;
  while (stream.size() < length) {
    stream.insert(stream.end(), head.begin(), head.end());
    stream.resize(stream.size() + kStoredBytes);
  }
  stream.resize(length);
  return stream;
}

class StreamBlanker {
 public:
  StreamBlanker(const Context& context, const ClusterSet& untouched, bool keep, OverlayDevice& copy)
      : context_(context),
        untouched_(untouched),
        keep_(keep),
        copy_(copy),
        cluster_(context.geometry.cluster_bytes),
        deflated_(deflate_zeros(context.geometry.cluster_bytes)),
        zstd_(zstd_zeros(context.geometry.cluster_bytes)),
        deflate_decoder_(CompressionType::deflate),
        zstd_decoder_(CompressionType::zstd) {}

  std::uint64_t run() {
    for (const L2Table& table : context_.tables->l2)
      if (table.walk) collect(table);
    // Of streams that begin at one place, the longest: entries may disagree about the number of sectors.
    std::ranges::sort(streams_, std::greater<>());
    const auto repeated = std::ranges::unique(streams_, {}, &Stream::begin);
    streams_.erase(repeated.begin(), repeated.end());
    std::ranges::reverse(streams_);
    std::uint64_t without_room = 0;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      // Another stream may begin in this one's last sector.
      const std::uint64_t next = i + 1 < streams_.size() ? streams_[i + 1].begin : ~std::uint64_t{0};
      without_room += !blank(streams_[i], std::min(streams_[i].end, next));
    }
    return without_room;
  }

 private:
  void collect(const L2Table& table);
  bool blank(const Stream& stream, std::uint64_t room_end);
  Bytes replacement(std::span<const std::byte> stream);
  bool is_untouched(std::uint64_t begin, std::uint64_t end) const;

  const Context& context_;
  const ClusterSet& untouched_;
  const bool keep_;
  OverlayDevice& copy_;
  std::vector<Stream> streams_;
  Bytes cluster_;
  const Bytes deflated_;
  const Bytes zstd_;
  Decompressor deflate_decoder_;
  Decompressor zstd_decoder_;
};

void StreamBlanker::collect(const L2Table& table) {
  const Geometry& geometry = context_.geometry;
  Bytes bytes(geometry.cluster_bytes);
  if (!context_.image.read(table.offset, bytes)) return;
  for (std::uint64_t at = 0; at < bytes.size(); at += geometry.l2_entry_bytes) {
    const L2Entry entry{load_big_endian<std::uint64_t>(bytes.data() + at)};
    if (!entry.compressed()) continue;
    const CompressedDescriptor stream = decode_compressed(entry, geometry.cluster_bits);
    if (stream.offset < geometry.file_bytes)
      streams_.push_back({stream.offset, std::min(stream.end(), geometry.file_bytes)});
  }
}

bool StreamBlanker::is_untouched(std::uint64_t begin, std::uint64_t end) const {
  for (std::uint64_t at = begin >> context_.geometry.cluster_bits; at << context_.geometry.cluster_bits < end;
       ++at)
    if (untouched_.contains(at)) return true;
  return false;
}

// False: there is no room for a replacement.
bool StreamBlanker::blank(const Stream& stream, std::uint64_t room_end) {
  Bytes bytes(stream.end - stream.begin);
  if (!context_.image.read(stream.begin, bytes)) return true;
  const Bytes blanked = replacement(bytes);
  const std::uint64_t room = room_end - stream.begin;
  if (is_untouched(stream.begin, stream.begin + std::min<std::uint64_t>(blanked.size(), room))) return false;
  if (blanked.size() <= room) {
    copy_.write(stream.begin, blanked);
    return true;
  }
  if (keep_) copy_.write(stream.begin, std::span(bytes).first(room));
  return false;
}

// Where the header contradicts itself, a stream may be of either type.
Bytes StreamBlanker::replacement(std::span<const std::byte> stream) {
  const bool zstd_first =
      context_.header.compression_type == static_cast<std::uint8_t>(CompressionType::zstd);
  const auto deflate = deflate_decoder_.decode(stream, cluster_);
  const auto zstd = zstd_decoder_.decode(stream, cluster_);
  if (zstd_first ? zstd.has_value() : !deflate.has_value() && zstd.has_value()) return zstd_;
  if (deflate) return deflated_;
  const std::string_view why = zstd_first ? zstd.error() : deflate.error();
  if (why.contains("ends before")) return bytes_of({3, 0});  // an empty last block
  if (why.contains("goes on")) return zstd_zeros(context_.geometry.cluster_bytes * 2);
  if (why.contains("cut off"))  // for zstd, a frame to be skipped that is longer than anything
    return zstd_first ? bytes_of({0x50, 0x2a, 0x4d, 0x18, 0xf0, 0xff, 0xff, 0xff})
                      : stored_blocks(stream.size());
  return bytes_of({7});  // a block of a type that does not exist; no magic number of zstd either
}

}  // namespace

std::uint64_t blank_streams(const Context& context, const ClusterSet& untouched, bool keep,
                            OverlayDevice& copy) {
  return StreamBlanker(context, untouched, keep, copy).run();
}

}  // namespace cowvet
