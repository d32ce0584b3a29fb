#include <algorithm>
#include <bit>

#include "corpus/draft.h"
#include "corpus/patterns.h"

namespace cowvet::corpus {
namespace {

using State = MappedCluster::State;

// The subclusters of the cluster at `guest` that `range` touches.
std::uint32_t touched_subclusters(const Shape& shape, std::uint64_t guest, GuestRange range) {
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < SubclusterBitmap::kSubclusters; ++i) {
    const std::uint64_t begin = guest + i * shape.unit_bytes;
    if (begin + shape.unit_bytes > range.offset && begin < range.offset + range.length) bits |= 1u << i;
  }
  return bits;
}

// Host bytes of the cluster: in the data file where there is one, at the same offset.
void put_guest_bytes(Draft& draft, const MappedCluster& cluster, std::uint64_t in_cluster,
                     std::uint64_t guest, std::uint64_t length) {
  std::vector<std::byte> bytes(length);
  draft.disk.read(guest, bytes);
  put_bytes(draft.has_data_file() ? draft.data_file : draft.image, cluster.host_offset + in_cluster, bytes);
}

void put_cluster_content(Draft& draft, const MappedCluster& cluster, std::uint64_t guest) {
  const Shape& shape = draft.layout.shape;
  if (!shape.extended_l2) return put_guest_bytes(draft, cluster, 0, guest, shape.cluster_bytes);
  for (unsigned i = 0; i < SubclusterBitmap::kSubclusters; ++i)
    if (cluster.subclusters_allocated >> i & 1)
      put_guest_bytes(draft, cluster, i * shape.unit_bytes, guest + i * shape.unit_bytes, shape.unit_bytes);
}

// Gives the entry a host cluster that only it uses. A compressed cluster becomes a standard one, whole.
void own_cluster(Draft& draft, MappedCluster& cluster, std::uint64_t guest) {
  if (owns_cluster(draft, cluster)) return;
  if (cluster.state == State::compressed) cluster.subclusters_allocated = ~std::uint32_t{0};
  release_cluster(draft, cluster);
  cluster.descriptor = {};
  cluster.state = State::allocated;
  cluster.host_offset = draft.has_data_file() ? guest : draft.layout.clusters.allocate(1, "data", guest);
}

template <typename Visit>
void for_each_guest_cluster(Draft& draft, GuestRange range, Visit visit) {
  const Shape& shape = draft.layout.shape;
  for (std::uint64_t guest = shape.round_down(range.offset);
       guest < range.offset + range.length && !draft.error.any(); guest += shape.cluster_bytes) {
    if (MappedCluster* cluster = writable_cluster(draft, guest)) visit(*cluster, guest);
    if (draft.layout.clusters.too_large()) draft.fail("the image becomes larger than 1 GiB");
  }
}

bool whole_units(Draft& draft, GuestRange range) {
  const std::uint64_t unit = draft.layout.shape.unit_bytes;
  if (range.offset % unit == 0 && range.length % unit == 0) return true;
  draft.fail("the range must be whole clusters (subclusters with extended-l2) of " + std::to_string(unit) +
             " bytes");
  return false;
}

void zero_whole(Draft& draft, MappedCluster& cluster, std::uint64_t guest, bool keep) {
  if (keep)
    own_cluster(draft, cluster, guest);
  else {
    release_cluster(draft, cluster);
    cluster = {};
  }
  cluster.zero = true;
}

void zero_subclusters(Draft& draft, MappedCluster& cluster, std::uint64_t guest, std::uint32_t bits,
                      bool keep) {
  if (cluster.state == State::compressed) {
    if (bits != ~std::uint32_t{0}) return draft.fail("a compressed cluster has no subclusters");
    release_cluster(draft, cluster);
    cluster = {};
  }
  if (keep) {
    own_cluster(draft, cluster, guest);
    put_cluster_content(draft, cluster, guest);
  }
  cluster.subclusters_allocated &= ~bits;
  cluster.subclusters_zero |= bits;
  if (cluster.subclusters_zero == ~std::uint32_t{0} && !keep) {
    release_cluster(draft, cluster);
    cluster.state = State::unallocated;
    cluster.host_offset = 0;
  }
}

}  // namespace

void put_bytes(std::vector<std::byte>& file, std::uint64_t offset, std::span<const std::byte> bytes) {
  if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
  std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(offset));
}

void put_number(std::vector<std::byte>& file, std::uint64_t offset, std::uint64_t value) {
  std::byte bytes[8];
  store_big_endian(bytes, value);
  put_bytes(file, offset, bytes);
}

bool fits_in_memory(Draft& draft, GuestRange range) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
  const bool fits = range.length <= kMostBytes &&
                    (!draft.has_data_file() || fits_in(range.offset, range.length, kMostBytes));
  if (!fits) draft.fail("the image or its data file becomes larger than 1 GiB");
  return fits;
}

void write_data(Draft& draft, GuestRange range, const Pattern& pattern) {
  if (!fits_in_memory(draft, range)) return;
  draft.disk.write(range, pattern);
  for_each_guest_cluster(draft, range, [&](MappedCluster& cluster, std::uint64_t guest) {
    own_cluster(draft, cluster, guest);
    cluster.zero = false;
    if (draft.layout.shape.extended_l2) {
      const std::uint32_t bits = touched_subclusters(draft.layout.shape, guest, range);
      cluster.subclusters_allocated |= bits;
      cluster.subclusters_zero &= ~bits;
    }
    put_cluster_content(draft, cluster, guest);
  });
}

void write_zeros(Draft& draft, const WriteZeros& step) {
  if (!fits_in_memory(draft, step.range) || !whole_units(draft, step.range)) return;
  draft.disk.write(step.range, {Pattern::Kind::byte, 0});
  const bool raw = draft.has_data_file() && draft.recipe.data_file->raw;
  for_each_guest_cluster(draft, step.range, [&](MappedCluster& cluster, std::uint64_t guest) {
    const bool keep = step.allocated || raw;
    if (!draft.layout.shape.extended_l2)
      zero_whole(draft, cluster, guest, keep);
    else
      zero_subclusters(draft, cluster, guest, touched_subclusters(draft.layout.shape, guest, step.range),
                       keep);
  });
  if (raw) put_bytes(draft.data_file, step.range.offset, std::vector<std::byte>(step.range.length));
}

void discard(Draft& draft, GuestRange range) {
  if (!whole_units(draft, range)) return;
  if (range.offset % draft.layout.shape.cluster_bytes != 0 ||
      range.length % draft.layout.shape.cluster_bytes != 0)
    return draft.fail("only whole clusters can be discarded");
  draft.disk.discard(range);
  for_each_guest_cluster(draft, range, [&](MappedCluster& cluster, std::uint64_t) {
    release_cluster(draft, cluster);
    cluster = {};
  });
  if (draft.has_data_file() && draft.recipe.data_file->raw)
    put_bytes(draft.data_file, range.offset, std::vector<std::byte>(range.length));
}

}  // namespace cowvet::corpus
