// What the header points at: backing file name, L1 table, refcount table, snapshot table. A table that cannot
// be where the header says is reported, and not followed.

#include <fmt/format.h>

#include <limits>

#include "checker/analysis/extension_area.h"
#include "checker/analysis/header_checks.h"
#include "checker/analysis/places.h"

namespace cowvet {
namespace {

template <typename Field>
Place field(Field RawHeader::* member) {
  return place_of(Structure::header, 0, member);
}

constexpr std::uint64_t kMostL1Bytes = 32 << 20;            // QEMU limit
constexpr std::uint64_t kMostRefcountTableBytes = 8 << 20;  // QEMU limit
constexpr std::uint32_t kMostSnapshots = 65536;             // QEMU limit
constexpr std::uint32_t kMostBackingNameBytes = 1023;

void report_offset(Context& context, RuleId rule, Place place, std::uint64_t offset, std::string detail) {
  context.findings.add(
      {.rule = rule, .place = std::move(place), .found = offset, .detail = std::move(detail)});
}

// Whether `offset` begins a cluster; reports it under `rule` if not.
bool require_aligned(Context& context, RuleId rule, const Place& place, std::uint64_t offset,
                     const char* what) {
  if (context.aligned(offset)) return true;
  report_offset(context, rule, place, offset,
                fmt::format("the {} at offset {:#x} does not begin at a cluster", what, offset));
  return false;
}

// Whether a structure that cannot lie on the header lies in the file; its last cluster may be half past the
// end. Reports it under `rule` if not.
bool require_inside(Context& context, RuleId rule, const Place& place, std::uint64_t offset,
                    std::uint64_t length, const char* what) {
  if (offset != 0 && context.clusters_in_file(offset, length)) return true;
  report_offset(context, rule, place, offset,
                offset == 0 ? fmt::format("the offset of the {} is 0, where the header is", what)
                            : fmt::format("the {} at offset {:#x}, {} bytes, is not inside the file", what,
                                          offset, length));
  return false;
}

}  // namespace

// Byte 8: "Offset into the image file at which the backing file name is stored"; byte 16: "Must not be longer
// than 1023 bytes. Undefined if the image doesn't have a backing file." The name lies in "the remaining space
// between the end of the header extension area and the end of the first cluster": load_extensions judges it
// against the extensions.
void check_backing_name(Context& context) {
  const Header& header = context.header;
  if (header.backing_file_offset == 0 || context.first_cluster.empty()) return;
  const Place at = field(&RawHeader::backing_file_offset);
  const Place size = field(&RawHeader::backing_file_size);
  if (header.backing_file_size == 0)
    context.findings.add({.rule = rule("header/backing-name-empty"),
                          .place = size,
                          .found = 0,
                          .detail = "the image has a backing file whose name is empty"});
  if (header.backing_file_size > kMostBackingNameBytes)
    context.findings.add({.rule = rule("header/backing-name-too-long"),
                          .place = size,
                          .expected = kMostBackingNameBytes,
                          .found = header.backing_file_size,
                          .detail = fmt::format("the backing file name has {} bytes, more than {}",
                                                header.backing_file_size, kMostBackingNameBytes)});
  if (header.backing_file_offset < least_header_bytes(header, context.geometry.cluster_bytes)) {
    report_offset(
        context, rule("header/backing-name-overlap"), at, header.backing_file_offset,
        fmt::format("the backing file name at offset {} lies on the header", header.backing_file_offset));
  } else if (!backing_name_usable(context)) {
    report_offset(context, rule("header/backing-name-outside"), at, header.backing_file_offset,
                  fmt::format("the backing file name at offset {:#x}, {} bytes, leaves the first cluster",
                              header.backing_file_offset, header.backing_file_size));
  } else {
    const auto* text = reinterpret_cast<const char*>(context.first_cluster.data());
    context.report.backing_name.assign(text + header.backing_file_offset, header.backing_file_size);
  }
}

// Byte 24: "Virtual disk size in bytes". Guests see whole sectors. Byte 36: the L1 table maps the whole disk.
void check_virtual_size(Context& context) {
  const Header& header = context.header;
  if (header.size % 512 != 0)
    context.findings.add(
        {.rule = rule("header/size-unaligned"),
         .place = field(&RawHeader::size),
         .found = header.size,
         .detail = fmt::format("the virtual size of {} bytes is not a multiple of 512", header.size)});
  const std::uint64_t needed = divide_up(header.size, context.geometry.l2_window_bytes);
  if (header.l1_size >= needed) return;
  context.findings.add(
      {.rule = rule("header/size-beyond-l1"),
       .place = field(&RawHeader::l1_size),
       .expected = needed,
       .found = header.l1_size,
       .detail = fmt::format("the L1 table has {} entries, the virtual size of {} bytes needs {}",
                             header.l1_size, header.size, needed)});
  // What the entries behind it mapped is not known.
  context.unknown_references.emplace_back("the end of the active L1 table");
}

// Byte 40: "Must be aligned to a cluster boundary", which QEMU demands of an empty table, too.
void check_l1_table(Context& context) {
  const Header& header = context.header;
  const std::uint64_t bytes = std::uint64_t{header.l1_size} * 8;
  const Place place = field(&RawHeader::l1_table_offset);
  if (bytes > kMostL1Bytes)
    context.findings.add({.rule = rule("header/l1-too-large"),
                          .place = field(&RawHeader::l1_size),
                          .expected = kMostL1Bytes / 8,
                          .found = header.l1_size,
                          .detail = fmt::format("the L1 table has {} entries, QEMU opens at most {}",
                                                header.l1_size, kMostL1Bytes / 8)});
  const bool aligned =
      require_aligned(context, rule("header/l1-unaligned"), place, header.l1_table_offset, "L1 table");
  if (bytes == 0) {
    context.l1_usable = true;
    return;
  }
  const bool inside =
      require_inside(context, rule("header/l1-outside"), place, header.l1_table_offset, bytes, "L1 table");
  context.l1_usable = aligned && inside;
  if (context.l1_usable)
    context.areas.push_back(
        {.structure = Structure::l1_table, .offset = header.l1_table_offset, .length = bytes});
  else
    context.unknown_references.emplace_back("the active L1 table");
}

// Bytes 48 and 56: "Must be aligned to a cluster boundary"; "Number of clusters that the refcount table
// occupies". Every image has one.
void check_refcount_table(Context& context) {
  const Header& header = context.header;
  const Place place = field(&RawHeader::refcount_table_offset);
  if (header.refcount_table_offset == 0 || header.refcount_table_clusters == 0) {
    context.findings.add(
        {.rule = rule("header/refcount-table-missing"),
         .place = header.refcount_table_offset == 0 ? place : field(&RawHeader::refcount_table_clusters),
         .found = 0,
         .detail = "the image has no refcount table"});
    return;
  }
  const std::uint64_t bytes = header.refcount_table_clusters * context.geometry.cluster_bytes;
  if (bytes > kMostRefcountTableBytes)
    context.findings.add({.rule = rule("header/refcount-table-too-large"),
                          .place = field(&RawHeader::refcount_table_clusters),
                          .expected = kMostRefcountTableBytes / context.geometry.cluster_bytes,
                          .found = header.refcount_table_clusters,
                          .detail = fmt::format("the refcount table has {} bytes, QEMU opens at most {}",
                                                bytes, kMostRefcountTableBytes)});
  const bool aligned = require_aligned(context, rule("header/refcount-table-unaligned"), place,
                                       header.refcount_table_offset, "refcount table");
  const bool inside = require_inside(context, rule("header/refcount-table-outside"), place,
                                     header.refcount_table_offset, bytes, "refcount table");
  if (!aligned || !inside) return;
  context.refcount_table_usable = header.refcount_order <= 6;
  context.areas.push_back(
      {.structure = Structure::refcount_table, .offset = header.refcount_table_offset, .length = bytes});
}

// Bytes 60 and 64: "Must be aligned to a cluster boundary", which QEMU demands without snapshots, too. The
// table's length is not stored: load_snapshots finds where it ends.
void check_snapshot_table(Context& context) {
  const Header& header = context.header;
  const Place place = field(&RawHeader::snapshots_offset);
  const bool aligned = require_aligned(context, rule("header/snapshots-unaligned"), place,
                                       header.snapshots_offset, "snapshot table");
  context.snapshots_usable = true;
  if (header.nb_snapshots == 0) {
    constexpr std::uint64_t kMostOffset = std::numeric_limits<std::int64_t>::max();  // QEMU's limit
    if (aligned && header.snapshots_offset > kMostOffset)
      report_offset(context, rule("header/snapshots-outside"), place, header.snapshots_offset,
                    fmt::format("the snapshot table at {:#x} is empty, but QEMU opens no image that says so",
                                header.snapshots_offset));
    return;
  }
  if (header.nb_snapshots > kMostSnapshots)
    context.findings.add({.rule = rule("header/snapshots-too-many"),
                          .place = field(&RawHeader::nb_snapshots),
                          .expected = kMostSnapshots,
                          .found = header.nb_snapshots,
                          .detail = fmt::format("the header counts {} snapshots, QEMU opens at most {}",
                                                header.nb_snapshots, kMostSnapshots)});
  const bool inside = require_inside(context, rule("header/snapshots-outside"), place,
                                     header.snapshots_offset, 1, "snapshot table");
  context.snapshots_usable = aligned && inside;
  if (!context.snapshots_usable) context.unknown_references.emplace_back("the snapshot table");
}

}  // namespace cowvet
