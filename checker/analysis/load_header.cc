// The header: 72 or 104 bytes at the start of the file, and fields behind them that later versions added.
// Everything that a qcow2 image is made of is found from here.
//
// A field that cannot be true is reported and costs only what it describes: a bad L1 offset leaves the
// snapshots to be examined, a bad refcount_order leaves the mapping. Only where nothing behind the header can
// be believed does the analysis end here: not qcow2, an unknown version, clusters of unknown size, or a
// feature that may have changed any structure.

#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/extension_area.h"
#include "checker/analysis/header_checks.h"
#include "checker/analysis/passes.h"
#include "checker/analysis/places.h"

namespace cowvet {
namespace {

// Byte 0: "QCOW magic string"
void report_magic(Context& context, std::span<const std::byte> bytes) {
  Finding finding{.rule = rule("header/magic"),
                  .place = place_of(Structure::header, 0, &RawHeader::magic),
                  .expected = kMagic,
                  .detail = "the file does not begin with the qcow2 magic number"};
  if (bytes.size() >= sizeof(RawHeader::magic)) finding.found = load_big_endian<std::uint32_t>(bytes.data());
  context.findings.add(std::move(finding));
}

// Byte 4: "Version number (valid values are 2 and 3)"
void report_version(Context& context, std::span<const std::byte> bytes) {
  const auto version = load_big_endian<std::uint32_t>(bytes.data() + offsetof(RawHeader, version));
  context.findings.add({.rule = rule("header/version"),
                        .place = place_of(Structure::header, 0, &RawHeader::version),
                        .found = version,
                        .detail = fmt::format("version {} is not qcow2 version 2 or 3", version)});
}

// "For version 2, the header is exactly 72 bytes in length" and "For version 3 or higher, the header length
// is at least 104 bytes".
void report_truncated(Context& context, std::span<const std::byte> bytes) {
  const bool version_2 =
      bytes.size() >= 8 && load_big_endian<std::uint32_t>(bytes.data() + offsetof(RawHeader, version)) == 2;
  const std::uint64_t needed = version_2 ? kHeaderV2Bytes : kHeaderV3Bytes;
  const Place place{.structure = Structure::header, .length = bytes.size()};
  Finding finding{
      .rule = rule("header/truncated"), .place = place, .expected = needed, .found = bytes.size()};
  finding.detail = fmt::format("the file ends {} bytes into a header of {}", bytes.size(), needed);
  context.findings.add(std::move(finding));
}

bool has_magic(std::span<const std::byte> bytes) {
  return bytes.size() >= sizeof(RawHeader::magic) && load_big_endian<std::uint32_t>(bytes.data()) == kMagic;
}

// Decodes the header into the context, or says why that cannot be done.
bool decode(Context& context) {
  std::vector<std::byte> bytes(std::min<std::uint64_t>(context.image.size_bytes(), kHeaderKnownBytes));
  if (!context.read(context.image, 0, bytes, {.structure = Structure::header})) return false;

  const auto header = decode_header(bytes);
  if (!has_magic(bytes)) {
    report_magic(context, bytes);
  } else if (header) {
    context.header = context.report.header = *header;
  } else if (header.error() == HeaderError::version) {
    report_version(context, bytes);
  } else {
    report_truncated(context, bytes);
  }
  // The predecessor of the format has the same magic number and version 1.
  context.report.is_qcow2 =
      header ||
      (has_magic(bytes) && (bytes.size() < 8 || load_big_endian<std::uint32_t>(bytes.data() + 4) > 1));
  return header.has_value();
}

void set_geometry(Context& context) {
  const Header& header = context.header;
  Geometry& geometry = context.geometry;
  geometry.cluster_bits = header.cluster_bits;
  geometry.cluster_bytes = std::uint64_t{1} << header.cluster_bits;
  geometry.file_bytes = context.image.size_bytes();
  geometry.file_clusters = divide_up(geometry.file_bytes, geometry.cluster_bytes);
  geometry.l2_entry_bytes = header.has_extended_l2() ? 16 : 8;
  geometry.l2_entries = geometry.cluster_bytes / geometry.l2_entry_bytes;
  geometry.l2_window_bytes = geometry.l2_entries * geometry.cluster_bytes;
  geometry.guest_clusters = divide_up(header.size, geometry.cluster_bytes);
  if (header.refcount_order <= 6) geometry.refcount_order = header.refcount_order;
  context.report.counters.total_clusters = geometry.guest_clusters;
}

// Whether names and extensions lie in what could be read. Behind them there is nothing.
bool names_were_read(Context& context, std::uint64_t readable_bytes) {
  const Header& header = context.header;
  if (header.backing_file_offset != 0 &&
      !fits_in(header.backing_file_offset, header.backing_file_size, readable_bytes))
    return false;
  const ExtensionWalk walk = walk_extension_area(context);
  return walk.terminated && walk.end <= readable_bytes;
}

// Where the first cluster cannot be read, it stays empty: then names and extensions are unknown.
void read_first_cluster(Context& context) {
  context.first_cluster.resize(std::min(context.geometry.cluster_bytes, context.geometry.file_bytes));
  const std::uint64_t readable =
      context.read_in_pieces(context.image, 0, context.first_cluster, {.structure = Structure::header});
  if (readable == context.first_cluster.size() || names_were_read(context, readable)) return;
  context.first_cluster.clear();
  context.unknown_references.emplace_back("the header extensions");
}

}  // namespace

bool load_header(Context& context) {
  if (!decode(context) || !check_cluster_bits(context)) return false;
  // Sizes can be computed without overflow; a cluster fits in memory.

  set_geometry(context);
  read_first_cluster(context);
  check_backing_name(context);
  if (!check_unknown_features(context)) return false;
  // Every structure has the shape that this program knows.

  context.report.header_usable = true;
  context.areas.push_back(
      {.structure = Structure::header, .offset = 0, .length = context.geometry.cluster_bytes});

  check_header_length(context);
  check_padding(context);
  check_state_bits(context);
  check_feature_contradictions(context);
  check_version_2_features(context);
  check_compression_type(context);
  check_crypt_method(context);
  check_refcount_order(context);

  check_virtual_size(context);
  check_l1_table(context);
  check_refcount_table(context);
  check_snapshot_table(context);
  return true;
}

}  // namespace cowvet
