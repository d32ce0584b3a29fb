#include <zlib.h>
#include <zstd.h>

#include "corpus/draft.h"

namespace cowvet::corpus {
namespace {

// A raw deflate stream (specification, "compression_type"); empty where it would not be smaller.
std::vector<std::byte> deflate_cluster(std::span<const std::byte> cluster, int window_bits) {
  std::vector<std::byte> out(cluster.size());
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(cluster.data()));
  stream.avail_in = static_cast<uInt>(cluster.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(result == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

std::vector<std::byte> zstd_cluster(std::span<const std::byte> cluster) {
  std::vector<std::byte> out(cluster.size());
  const std::size_t size = ZSTD_compress(out.data(), out.size(), cluster.data(), cluster.size(), 3);
  out.resize(ZSTD_isError(size) ? 0 : size);
  return out;
}

// Where the stream goes: behind the last one if it fits there or its cluster's neighbour is free, as QEMU
// packs them. Returns its offset; every cluster that it touches gets one reference.
std::uint64_t place_stream(Draft& draft, std::uint64_t bytes, bool own_cluster, std::uint64_t guest) {
  HostClusters& clusters = draft.layout.clusters;
  const Shape& shape = draft.layout.shape;
  const std::uint64_t begin = own_cluster ? 0 : draft.compressed_end;
  const std::uint64_t room = shape.round_up(begin) - begin;
  if (room != 0 && bytes <= room) {
    clusters.retain(begin);
    draft.compressed_end = begin + bytes;
    return begin;
  }
  const std::uint64_t fresh = clusters.allocate(1, "compressed data", guest);
  std::uint64_t at = fresh;
  if (room != 0 && fresh == begin + room) {
    clusters.retain(begin);
    at = begin;
  }
  draft.compressed_end = at + bytes;
  return at;
}

}  // namespace

void write_compressed(Draft& draft, const WriteCompressed& step) {
  const Shape& shape = draft.layout.shape;
  if (step.range.offset % shape.cluster_bytes != 0 || step.range.length % shape.cluster_bytes != 0)
    return draft.fail("whole clusters are compressed");
  if (!fits_in_memory(draft, step.range)) return;
  draft.disk.write(step.range, step.pattern);
  std::vector<std::byte> content(shape.cluster_bytes);
  for (std::uint64_t guest = step.range.offset; guest < step.range.offset + step.range.length;
       guest += shape.cluster_bytes) {
    draft.disk.read(guest, content);
    const std::vector<std::byte> stream = draft.recipe.image.compression == CompressionType::zstd
                                              ? zstd_cluster(content)
                                              : deflate_cluster(content, step.window_bits);
    if (stream.empty()) return draft.fail("this content does not compress");
    MappedCluster* cluster = writable_cluster(draft, guest);
    if (!cluster) return;
    release_cluster(draft, *cluster);
    const std::uint64_t at = place_stream(draft, stream.size(), step.own_cluster, guest);
    *cluster = {.state = MappedCluster::State::compressed,
                .descriptor = {at, (at + stream.size() - 1) / 512 - at / 512}};
    put_bytes(draft.image, at, stream);
    if (draft.layout.clusters.too_large()) return draft.fail("the image becomes larger than 1 GiB");
  }
}

}  // namespace cowvet::corpus
