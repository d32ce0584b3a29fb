// data-file/zero-offset: with an external data file, guest cluster 0 lies at host offset 0, and only COPIED
// (bit 63) tells "allocated at offset 0" from "unallocated". Where that bit is lost the entry is legal, the
// guest reads zeros, and its data is still in the data file: the content has to be asked.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "checker/analysis/passes.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

struct FirstEntry {
  std::uint64_t l2_offset = 0;
  L2Entry entry;
  SubclusterBitmap subclusters;
};

// The L2 entry of guest cluster 0, where there is a readable L2 table. (What cannot be read was reported.)
std::optional<FirstEntry> read_first_entry(const Context& context) {
  std::array<std::byte, 16> bytes{};
  if (!context.l1_usable || context.header.l1_size == 0) return std::nullopt;
  if (!context.image.read(context.header.l1_table_offset, std::span(bytes).first(8))) return std::nullopt;
  const std::uint64_t l2_offset = L1Entry{load_big_endian<std::uint64_t>(bytes.data())}.l2_offset();
  if (l2_offset == 0 || !context.aligned(l2_offset) || !context.in_file(l2_offset, 8)) return std::nullopt;
  if (!context.image.read(l2_offset, bytes)) return std::nullopt;
  const bool extended = context.header.has_extended_l2();
  return FirstEntry{l2_offset,
                    {load_big_endian<std::uint64_t>(bytes.data())},
                    {extended ? load_big_endian<std::uint64_t>(bytes.data() + 8) : 0}};
}

bool data_file_has_data(const Context& context) {
  if (context.data_file.state != Companion::State::open) return false;
  const Device& device = *context.data_file.device;
  std::vector<std::byte> cluster(std::min(context.geometry.cluster_bytes, context.header.size));
  if (device.next_data(0).begin >= cluster.size() || !device.read(0, cluster)) return false;
  return std::ranges::any_of(cluster, [](std::byte b) { return b != std::byte{0}; });
}

}  // namespace

void check_first_cluster(Context& context) {
  if (!context.header.has_data_file()) return;
  const std::optional<FirstEntry> first = read_first_entry(context);
  if (!first) return;
  const L2Entry entry = first->entry;
  const bool unallocated =
      entry.host_offset() == 0 && !entry.copied() && !entry.compressed() && !entry.zero();
  if (!unallocated || first->subclusters.zero() == ~std::uint32_t{0}) return;
  // Allocated subclusters say by themselves that there was a cluster.
  const bool contradiction = first->subclusters.allocated() != 0;
  if (!contradiction && (!context.options.guest_data || !data_file_has_data(context))) return;
  const bool lost = contradiction || context.header.is_raw_data();
  context.lost_first_cluster = true;
  context.findings.add(
      {.rule = rule("data-file/zero-offset"),
       .severity = lost ? Severity::corruption : Severity::notice,
       .place = {.structure = Structure::l2_table,
                 .offset = first->l2_offset,
                 .length = context.geometry.l2_entry_bytes,
                 .l1_index = 0,
                 .l2_index = 0,
                 .guest = GuestRange{0, context.geometry.cluster_bytes}},
       .expected = entry.raw | kCopied,
       .found = entry.raw,
       .detail = contradiction
                     ? "subclusters are allocated, but COPIED is clear: the cluster at offset 0 is lost"
                     : "reads as unallocated, but the data file has data at offset 0"});
}

}  // namespace cowvet
