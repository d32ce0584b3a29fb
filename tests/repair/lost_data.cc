#include "tests/repair/lost_data.h"

#include <algorithm>
#include <memory>

#include "checker/analysis/passes.h"
#include "checker/analysis/refcount_lookup.h"
#include "tests/support/memory_image.h"

namespace cowvet {
namespace {

Bytes read_at(const PagedBytes& file, std::uint64_t offset, std::uint64_t length) {
  Bytes bytes(length);
  file.read(offset, bytes);
  return bytes;
}

}  // namespace

std::vector<std::uint64_t> find_given_away(const corpus::BuiltImage& built, const std::string& snapshot_id,
                                           const GuestContent& after, const PagedBytes& repaired) {
  std::vector<std::uint64_t> offsets;
  const corpus::Layout& layout = built.layout;
  const corpus::L1Layout* l1 = layout.find_l1(snapshot_id);
  if (!l1 || built.data_file) return offsets;
  const corpus::GuestDisk& disk = snapshot_id.empty() ? built.disk : built.snapshot_disks.at(snapshot_id);
  const std::uint64_t length = layout.shape.cluster_bytes;
  const PagedBytes damaged(built.image);

  Examination examination(std::make_unique<PagedDevice>(repaired, "repaired"));
  run_passes(examination.context);
  std::vector<std::uint64_t> guests = disk.written_units();
  for (std::uint64_t& guest : guests) guest = guest / length * length;
  guests.erase(std::unique(guests.begin(), guests.end()), guests.end());
  for (const std::uint64_t guest : guests) {
    const corpus::MappedCluster* cluster = layout.find_cluster(*l1, guest);
    if (!cluster || cluster->state != corpus::MappedCluster::State::allocated) continue;
    Bytes written(length), seen(length);
    disk.read(guest, written);
    if (written == Bytes(length) || read_at(damaged, cluster->host_offset, length) != written) continue;
    if (!after.is_unreadable) after.read(guest, seen);
    if (seen == written) continue;
    const bool is_kept = look_up_refcount(examination.context, cluster->host_offset / length) != 0 &&
                         read_at(repaired, cluster->host_offset, length) == written;
    if (!is_kept) offsets.push_back(cluster->host_offset);
  }
  return offsets;
}

}  // namespace cowvet
