#include "checker/report/html_maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "checker/analysis/guest_extents.h"
#include "checker/analysis/map_clusters.h"
#include "checker/report/map_summary.h"

namespace cowvet {
namespace {

// Some 100 KiB for each map, 330 KiB at worst.
constexpr std::size_t kMostNumbers = 1 << 15;

// A damaged L1 table may name one L2 table a million times.
constexpr std::uint64_t kMostRepeatedTables = 1024;

// `name` stands for the colour in the style sheet.
struct KindText {
  const char* name;
  const char* text;
};

enum class FileKind : std::uint8_t {
  free,
  data,
  compressed,
  l2,
  l1,
  header,
  refcounts,
  snapshot,
  bitmap,
  luks,
  leaked,
  contested,
};

constexpr KindText kFileKinds[] = {
    {"free", "free"},
    {"data", "guest data"},
    {"compressed", "compressed guest data"},
    {"l2", "L2 tables"},
    {"l1", "L1 table"},
    {"header", "header"},
    {"refcounts", "refcounts"},
    {"snapshot", "snapshots: tables"},
    {"bitmap", "bitmaps"},
    {"luks", "encryption header"},
    {"leaked", "leaked"},
    {"contested", "overlapping"},
};

constexpr KindText kDiskKinds[] = {
    {"free", "not allocated"},
    {"zero", "zeros"},
    {"zero-allocated", "zeros, space reserved"},
    {"data", "data"},
    {"compressed", "compressed data"},
    {"contested", "damaged: a read fails"},
    {"leaked", "table not readable"},
};

FileKind kind_of(const ClusterExtent& extent) {
  if (extent.state == ClusterState::leaked) return FileKind::leaked;
  if (extent.state == ClusterState::contested) return FileKind::contested;
  switch (extent.structure) {
    case Structure::none:
      return FileKind::free;
    case Structure::header:
    case Structure::header_extension:
      return FileKind::header;
    case Structure::l1_table:
      return FileKind::l1;
    case Structure::l2_table:
      return extent.owner.empty() ? FileKind::l2 : FileKind::snapshot;
    case Structure::refcount_table:
    case Structure::refcount_block:
      return FileKind::refcounts;
    case Structure::snapshot_table:
    case Structure::snapshot_l1_table:
      return FileKind::snapshot;
    case Structure::bitmap_directory:
    case Structure::bitmap_table:
    case Structure::bitmap_data:
      return FileKind::bitmap;
    case Structure::luks_header:
      return FileKind::luks;
    case Structure::data:
      return FileKind::data;
    case Structure::compressed_data:
      return FileKind::compressed;
  }
  return FileKind::free;
}

MapSummary::Kind kind_of(ExtentKind kind) {
  switch (kind) {
    case ExtentKind::unallocated:
      return 0;
    case ExtentKind::zero:
      return 1;
    case ExtentKind::zero_allocated:
      return 2;
    case ExtentKind::data:
      return 3;
    case ExtentKind::compressed:
      return 4;
    case ExtentKind::invalid:
      return 5;
    case ExtentKind::unreadable:
      return 6;
  }
  return 5;
}

std::string map_json(const MapSummary& summary, std::uint64_t unit_bytes, std::uint64_t bytes,
                     std::span<const KindText> kinds) {
  std::string text = fmt::format(R"({{"unit":{},"bytes":{},"kinds":[)", unit_bytes, bytes);
  for (std::size_t i = 0; i < kinds.size(); ++i)
    fmt::format_to(std::back_inserter(text), R"({}["{}","{}"])", i == 0 ? "" : ",", kinds[i].name,
                   kinds[i].text);
  return text + "],\"numbers\":[" + summary.numbers() + "]}";
}

constexpr std::uint64_t units_in(std::uint64_t bytes, std::uint64_t unit_bytes) {
  return bytes / unit_bytes + (bytes % unit_bytes != 0);
}

std::string file_map(Context& context) {
  if (!context.tables || !context.refcounts) return "null";
  const std::uint64_t unit = context.geometry.cluster_bytes;
  MapSummary summary(kMostNumbers);
  map_clusters(context, [&](const ClusterExtent& extent) {
    summary.add(static_cast<MapSummary::Kind>(kind_of(extent)), units_in(extent.length, unit));
    return true;
  });
  return map_json(summary, unit, context.geometry.file_bytes, kFileKinds);
}

std::string disk_map(const Context& context) {
  if (!context.tables) return "null";
  const bool subclusters = context.header.has_extended_l2();
  const std::uint64_t unit = subclusters ? context.geometry.cluster_bytes / SubclusterBitmap::kSubclusters
                                         : context.geometry.cluster_bytes;
  MapSummary summary(kMostNumbers);
  ExtentWalker walker(context, active_disk(context), kMostRepeatedTables);
  walker.walk({0, context.header.size}, [&](const GuestExtent& extent) {
    summary.add(kind_of(extent.kind), units_in(extent.guest.length, unit));
    return true;
  });
  return map_json(summary, unit, context.header.size, kDiskKinds);
}

}  // namespace

std::string map_data(Context& context) {
  return "{\"file\":" + file_map(context) + ",\n\"disk\":" + disk_map(context) + "}";
}

}  // namespace cowvet
