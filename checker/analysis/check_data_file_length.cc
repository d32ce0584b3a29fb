// A data file needs to reach as far as the guest's data does: to the last byte that is mapped to it, and
// where it must stand on its own as a raw image, to the end of the disk.
//
// Mapped bytes end with the disk, even inside a cluster. So only what lies behind the end of the data file
// has to be looked up, and for a data file of full length that is nothing.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "checker/analysis/guest_extents.h"
#include "checker/analysis/passes.h"

namespace cowvet {
namespace {

// No sound L1 table names a table twice: who does so has other findings.
constexpr std::uint64_t kMaxRepeats = 1024;

struct Mapped {
  std::uint64_t end = 0;       // guest bytes
  std::uint64_t clusters = 0;  // whole or in part behind the end of the data file
};

Mapped find_mapped_behind(const Context& context, std::uint64_t data_file_bytes) {
  const std::uint64_t cluster_bytes = context.geometry.cluster_bytes;
  Mapped mapped;
  std::uint64_t counted_end = 0;  // clusters
  ExtentWalker walker(context, active_disk(context), kMaxRepeats);
  walker.walk({data_file_bytes, ~std::uint64_t{0}}, [&](const GuestExtent& extent) {
    if (extent.kind != ExtentKind::data) return true;
    mapped.end = extent.guest.offset + extent.guest.length;
    const std::uint64_t first = std::max(counted_end, extent.guest.offset / cluster_bytes);
    counted_end = divide_up(mapped.end, cluster_bytes);
    mapped.clusters += counted_end - first;
    return true;
  });
  return mapped;
}

void report(Context& context, RuleId rule, std::uint64_t begin, std::uint64_t end, std::uint64_t expected,
            std::uint64_t count, std::string detail) {
  Place place{.file = File::data_file, .structure = Structure::data};
  place.offset = begin;
  place.length = end - begin;
  if (begin < context.header.size) place.guest = GuestRange{begin, end - begin};
  context.findings.add({.rule = rule,
                        .place = std::move(place),
                        .count = count,
                        .expected = expected,
                        .found = context.data_file.device->size_bytes(),
                        .detail = std::move(detail)});
}

void report_short(Context& context, std::uint64_t size) {
  const Mapped mapped = find_mapped_behind(context, size);
  const bool raw = context.header.is_raw_data();
  if (mapped.end == 0 && !raw) return;
  const std::uint64_t needed = raw ? context.header.size : mapped.end;
  std::string detail =
      mapped.end == 0 ? fmt::format("the data file ends at {:#x}, the virtual disk at {:#x}", size, needed)
                      : fmt::format(
                            "the data file ends at {:#x}, but data is mapped up to {:#x}, {} clusters of it "
                            "behind the end",
                            size, mapped.end, mapped.clusters);
  report(context, rule("data-file/short"), size, needed, needed, std::max<std::uint64_t>(1, mapped.clusters),
         std::move(detail));
}

// "The external data file can be read as a consistent standalone raw image": one that is longer than the disk
// by more than the rest of its last cluster shows more than the guest has.
void report_long(Context& context, std::uint64_t size) {
  const Geometry& geometry = context.geometry;
  if (!context.header.is_raw_data() || divide_up(size, geometry.cluster_bytes) <= geometry.guest_clusters)
    return;
  const std::uint64_t end = context.header.size;
  report(context, rule("data-file/long"), end, size, end, 1,
         fmt::format("the data file is {} bytes long, the virtual disk {}", size, end));
}

}  // namespace

void check_data_file_length(Context& context) {
  if (!context.header.has_data_file() || context.data_file.state != Companion::State::open) return;
  const std::uint64_t size = context.data_file.device->size_bytes();
  if (size < context.header.size) {
    report_short(context, size);
  } else {
    report_long(context, size);
  }
}

}  // namespace cowvet
